"""torch.compile, torch.compiler and torch.jit's marks beside torch's own."""

import copy
import importlib

import numpy as np
import pytest
import torch

import jtorch
from tests.oracle import same, same_error, same_print


def test_a_compiled_module_is_torchs_wrapper():
    def act(torch):
        torch.manual_seed(0)
        net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU())
        fast = torch.compile(net, backend="eager")
        fast.eval()
        fast.mark = 3
        twin = copy.deepcopy(fast)
        return [
            list(fast.state_dict()),
            [name for name, _ in fast.named_parameters()],
            net.training,
            net.mark,
            fast.get_submodule("0").weight,
            twin.mark,
            fast._orig_mod is net,
            str(fast),
            fast.training,
            isinstance(fast, torch.nn.Module),
        ]

    same_print(act)


def test_a_compiled_module_and_function_compute_the_same():
    x = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)

    def act(torch):
        torch.manual_seed(0)
        net = torch.compile(torch.nn.Linear(3, 2), backend="eager")

        @torch.compile(backend="eager")
        def loss(out, *, scale):
            return (out**2).sum() * scale

        value = loss(net(torch.from_numpy(x)), scale=2.0)
        value.backward()
        return value, net.weight.grad, loss.__name__

    same(act)


@pytest.mark.parametrize(
    "call",
    [
        lambda torch: torch.compile(lambda x: x, mode="fastest"),
        lambda torch: torch.compile(lambda x: x, mode="default", options={}),
        lambda torch: torch.compile(3),
        lambda torch: torch.fx.wrap(3),
    ],
)
def test_refusals(call):
    same_error(call)


def test_marks_give_back_what_they_mark():
    def plain(x):
        return x + 1

    for mark in (
        jtorch.jit.script,
        jtorch.jit.ignore,
        jtorch.jit.ignore(),
        jtorch.jit.unused,
        jtorch.jit.export,
        jtorch.jit.script_if_tracing,
        jtorch.compiler.disable,
        jtorch.compiler.disable(recursive=False),
        jtorch.compiler.allow_in_graph,
    ):
        assert mark(plain) is plain


def test_questions_have_torchs_answers_outside_of_tracing():
    def act(torch):
        return [
            torch.jit.is_scripting(),
            torch.jit.is_tracing(),
            torch.compiler.is_compiling(),
            torch.compiler.is_exporting(),
            torch.jit.isinstance([1], list[int]),
            torch.jit.annotate(list[int], [1]),
            torch.jit.Attribute(1, int).value,
            torch.xpu.is_available(),
            torch.mps.is_available(),
            torch.mtia.is_available(),
            torch.onnx.is_in_onnx_export(),
            torch._C._are_functorch_transforms_active(),
            torch.func.vmap(lambda x: x + torch._C._are_functorch_transforms_active())(torch.zeros(1)).tolist(),
            isinstance(
                torch.nn.ReLU(), importlib.import_module(f"{torch.__name__}._dynamo.eval_frame").OptimizedModule
            ),
            importlib.import_module(f"{torch.__name__}._dynamo.config").cache_size_limit,
        ]

    assert act(jtorch) == act(torch)
