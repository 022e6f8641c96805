"""torch.library and torch.ops beside torch's own: operators of users, their schemas, gradients, devices and errors."""

import itertools
from typing import List, Optional, Sequence, Tuple  # noqa: UP035

import pytest
import torch

import jtorch
from tests.oracle import same, same_error

_count = itertools.count()


def scaled_sine(module, space=None):
    """An operator with a default, a gradient and shapes for the meta device."""
    space = space or f"lib{next(_count)}"
    Tensor = module.Tensor

    @module.library.custom_op(f"{space}::f", mutates_args=())
    def f(x: Tensor, y: float = 2.0) -> Tensor:
        return x.sin() * y

    return space, f


def setup(ctx, inputs, output):
    ctx.save_for_backward(inputs[0])
    ctx.y = inputs[1]


def backward(ctx, grad):
    (x,) = ctx.saved_tensors
    return grad * x.cos() * ctx.y, None


def test_an_operator_has_a_value_a_gradient_and_a_schema():
    def run(torch):
        space, f = scaled_sine(torch, "one")
        f.register_autograd(backward, setup_context=setup)
        x = torch.tensor([0.5, 1.0], requires_grad=True)
        packet = getattr(torch.ops, space).f
        results = [f(x), packet(x, y=3.0), packet.default(x, 1.5)]
        sum(r.sum() for r in results).backward()
        shown = (str(packet), repr(packet.default), str(packet.default._schema), packet.default.name(), repr(f))
        return results, x.grad, shown, [type(r.grad_fn).__name__ for r in results]

    same(run)


def test_without_a_gradient_backward_says_so():
    def run(torch):
        _, f = scaled_sine(torch, "two")
        f(torch.ones(2, requires_grad=True)).sum().backward()

    same_error(run)


def test_shapes_on_the_meta_device():
    def run(torch, space, fake):
        _, f = scaled_sine(torch, space)
        if fake:
            f.register_fake(lambda x, y=2.0: torch.empty_like(x))
        return f(torch.ones(2, 3, device="meta")).shape

    same(lambda torch: run(torch, "three", True))
    same_error(lambda torch: run(torch, "four", False))


@pytest.mark.parametrize("args", [("a",), (), (1, 2, 3)], ids=str)
def test_arguments_that_do_not_fit(args):
    def run(torch):
        _, f = scaled_sine(torch, f"five{len(args)}")
        f(*(torch.ones(2) if a == 1 else a for a in args))

    same_error(run)


def test_an_operator_may_write_to_an_argument():
    def run(torch):
        Tensor = torch.Tensor

        @torch.library.custom_op("six::inc", mutates_args={"x"})
        def inc(x: Tensor) -> None:
            x.add_(1)

        z = torch.zeros(2)
        return inc(z), z, str(torch.ops.six.inc.default._schema)

    same(run)


def test_a_result_may_not_be_an_argument():
    for module in (torch, jtorch):
        op = module.library.custom_op("seven::same", lambda x: x, mutates_args=(), schema="(Tensor x) -> Tensor")
        with pytest.raises(RuntimeError, match="must not also be an input to this custom operator"):
            op(module.ones(2))


def test_a_library_defines_operators_and_gives_them_kernels():
    def run(torch):
        lib = torch.library.Library("eight", "DEF")
        lib.define("g(Tensor x, int n=2, *, float[] w=[1.0, 2.0]) -> Tensor")
        lib.impl("g", lambda x, n=2, *, w=(1.0, 2.0): x * n + sum(w), "CompositeExplicitAutograd")
        torch.library.define("eight::k", "(Tensor x) -> Tensor")
        torch.library.impl("eight::k", "cpu")(lambda x: x + 3)
        lib.define("both(Tensor x) -> (Tensor, Tensor)")
        lib.impl("both", lambda x: (x + 1, x * 2), "CompositeImplicitAutograd")
        x = torch.ones(2, requires_grad=True)
        first, second = torch.ops.eight.both(x)
        (first * second).sum().backward()
        g = torch.ops.eight.g
        return g(x.detach()), g(x.detach(), 5, w=[0.5]), torch.ops.eight.k(x.detach()), x.grad, str(g.default._schema)

    same(run)


def test_what_is_not_there():
    def missing(torch):
        torch.ops.nine.h(torch.ones(2))

    same_error(missing)
    same_error(lambda torch: torch.ops.aten.foo)
    same_error(lambda torch: torch.library.Library("nine", "OTHER"))
    same_error(lambda torch: torch.library.custom_op("bad", mutates_args=())(lambda x: x))
    for module in (torch, jtorch):
        module.library.define("ten::h", "(Tensor x) -> Tensor")
        with pytest.raises(NotImplementedError, match="Could not run 'ten::h' with arguments from the 'CPU' backend"):
            module.ops.ten.h(module.ones(2))


def signature(module):
    Tensor = module.Tensor

    def f(
        x: Tensor, a: Sequence[int], b: Optional[float] = None, c: str = "s", d: bool = True, *, k: int = 1,  # noqa: UP045
        e: List[Tensor], g: list[float], h: float | None = 0.5, m: module.dtype = None,  # noqa: UP006
    ) -> Tuple[Tensor, List[Tensor]]: ...  # fmt: skip # noqa: UP006

    f.__annotations__["m"] = Optional[module.dtype]  # noqa: UP045
    return f


def test_a_schema_from_annotations():
    same(lambda torch: torch.library.infer_schema(signature(torch), mutates_args=("x",)))
    same(lambda torch: torch.library.infer_schema(signature(torch), mutates_args=(), op_name="n::f"))
    same_error(lambda torch: torch.library.infer_schema(lambda x: x, mutates_args=()))
    same_error(lambda torch: torch.library.infer_schema(signature(torch), mutates_args=("zz",)))


def test_torchs_own_operators():
    def run(torch):
        aten, x = torch.ops.aten, torch.tensor([[3.0, -1.0], [2.0, 5.0]])
        return [
            aten.add.Tensor(x, x), aten.relu(x), aten.mm.default(x, x),
            aten.index_select.default(x, 0, torch.tensor([1])), aten.slice.Tensor(x, 1, 0, 1),
            aten.add_.Tensor(x.clone(), x), aten._to_copy.default(x, dtype=torch.float64),
            aten.index.Tensor(x, [None, torch.tensor([1])]), aten.softmax.int(x, 1),
        ], [repr(aten), repr(aten.add), str(aten.mm.default), aten.add.Tensor.name()]  # fmt: skip

    same(run)
    assert jtorch.ops.aten.mm.default is jtorch.ops.aten.mm.default


def test_vmap_of_an_operator():
    def run(torch):
        _, f = scaled_sine(torch, "eleven")
        f.register_vmap(lambda info, in_dims, x, y: (f(x, y), in_dims[0]))
        return torch.func.vmap(f, in_dims=(0, None))(torch.arange(6.0).reshape(2, 3), 2.5)

    same(run)


def test_operators_that_torch_has_can_be_named():
    names = sorted(
        {name.split("::")[1].split(".")[0] for name in torch._C._dispatch_get_all_op_names() if name[:6] == "aten::"}
    )
    lacking = [name for name in names if name[:2] != "__" and not hasattr(jtorch.ops.aten, name)]
    assert not lacking and not hasattr(jtorch.ops.aten, "no_such_operator")
    with pytest.raises(NotImplementedError, match="torch.ops.aten._sparse_addmm"):
        jtorch.ops.aten._sparse_addmm.default(1)
