"""ModuleTracker: the modules at work in forward and backward, as torch's."""

import importlib

from tests.oracle import same

importlib.import_module("torch.utils.module_tracker")  # torch does not import it by itself


def test_parents():
    def run(torch):
        nn, seen = torch.nn, []

        class Outer(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))

            def forward(self, x):
                seen.append(("outer", sorted(tracker.parents)))
                y = self.inner(x)
                y.register_hook(lambda g: seen.append(("backward", sorted(tracker.parents), tracker.is_bw)))
                return y * 2

        model, tracker = Outer(), torch.utils.module_tracker.ModuleTracker()
        model.inner[0].register_forward_hook(lambda *args: seen.append(("inner", sorted(tracker.parents))))
        with tracker:
            model(torch.zeros(3, 2)).sum().backward()
            seen.append(("after", sorted(tracker.parents), tracker.is_bw))
        return seen

    same(run)
