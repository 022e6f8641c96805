"""Weights reworked beside torch: weight normalization by hooks, fusion with batch normalization, skipped draws."""

import pytest

from tests.nn.paths import raises
from tests.oracle import same


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm(dim):
    def run(torch):
        torch.manual_seed(1)
        m = torch.nn.utils.weight_norm(torch.nn.Linear(3, 4), dim=dim)
        x = torch.ones(2, 3)
        (m(x) ** 2).sum().backward()
        grads = [p.grad for p in m.parameters()]
        keys, shape = list(m.state_dict()), list(m.weight_g.shape)
        torch.nn.utils.remove_weight_norm(m)
        return keys, shape, grads, m(x), list(m.state_dict()), repr(m)

    same(run, grad_fn=False)


def test_fusion():
    def run(torch):
        torch.manual_seed(1)
        conv = torch.nn.Conv2d(2, 3, 2, bias=False)
        up, linear = torch.nn.ConvTranspose2d(2, 3, 2), torch.nn.Linear(2, 3)
        bn, flat = torch.nn.BatchNorm2d(3), torch.nn.BatchNorm1d(3)
        for norm in (bn, flat):
            torch.nn.init.uniform_(norm.weight)
            norm.running_mean.fill_(0.5)
            norm.running_var.fill_(2.0)
        for m in (conv, up, linear, bn, flat):
            m.eval()
        utils = torch.nn.utils
        fused = (
            utils.fuse_conv_bn_eval(conv, bn), utils.fuse_conv_bn_eval(up, bn, transpose=True),
            utils.fuse_linear_bn_eval(linear, flat),
        )  # fmt: skip
        return [(m.weight, m.bias) for m in fused]

    same(run)


def test_skipped_draws():
    def run(torch):
        torch.manual_seed(1)
        m = torch.nn.utils.skip_init(torch.nn.Linear, 2, 3)
        return m.weight.shape, m.weight.device, m.weight.requires_grad, torch.rand(2)

    same(run)


@pytest.mark.parametrize(
    "text",
    [
        "skip_init(int)", "skip_init(torch.nn.ReLU)", "remove_weight_norm(torch.nn.Linear(1, 1))",
        "fuse_conv_bn_eval(torch.nn.Conv2d(1, 1, 1), torch.nn.BatchNorm2d(1))",
        "fuse_linear_bn_eval(torch.nn.Linear(1, 2).eval(), torch.nn.BatchNorm1d(3).eval())",
    ],
)  # fmt: skip
def test_errors(text):
    raises(lambda torch: eval(f"torch.nn.utils.{text}", {"torch": torch, "int": int}))
