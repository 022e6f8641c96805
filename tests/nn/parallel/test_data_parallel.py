"""DataParallel where there is no GPU: the module itself, as in torch."""

import numpy as np

from tests.oracle import same, same_print

X = np.random.default_rng(0).standard_normal((4, 3), np.float32)


def test_it_is_the_module_itself():
    def act(torch):
        torch.manual_seed(0)
        model = torch.nn.DataParallel(torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Dropout(0.5)))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        losses = []
        for _ in range(3):
            optimizer.zero_grad()
            loss = model(torch.from_numpy(X)).square().sum()
            loss.backward()
            optimizer.step()
            losses.append(loss)
        return losses, list(model.state_dict()), model.module[0].weight.grad, model.device_ids

    same(act)


def test_it_prints_as_torchs():
    same_print(lambda torch: torch.nn.DataParallel(torch.nn.Linear(3, 2)))
