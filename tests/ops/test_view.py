"""View ops as pure functions: value, geometry and write-back of each against a torch view of the same memory."""

import numpy as np
import pytest
import torch

import jtorch.dtypes as jdtypes
from jtorch.ops import permute, strided, view
from jtorch.ops.op import TABLE, Kind
from jtorch.ops.view import viewable
from tests.labels import label

assert permute and strided and view  # they fill the table

BASES = {
    "3d": ((2, 3, 4), lambda x: x),
    "transposed": ((2, 3, 4), lambda x: x.transpose(0, 2)),
    "sliced": ((4, 6, 5), lambda x: x[1:3, ::2, 1:]),
    "ones": ((1, 3, 1, 2), lambda x: x),
    "matrix": ((4, 4), lambda x: x),
    "vector": ((6,), lambda x: x),
    "0d": ((), lambda x: x),
    "empty": ((2, 0, 3), lambda x: x),
}


def dtype(t):
    return jdtypes.by_name(str(t).removeprefix("torch."))


VIEWS = [
    ("view", ((-1,),), lambda x: x.view(-1)),
    ("view", ((2, 12),), lambda x: x.view(2, 12)),
    ("view", ((6, 2, 2),), lambda x: x.view(6, 2, 2)),
    ("view", ((1, 2, 1, 3, 4, 1),), lambda x: x.view(1, 2, 1, 3, 4, 1)),
    ("view", ((3, 0),), lambda x: x.view(3, 0)),
    ("view", ((3, -1, 0),), lambda x: x.view(3, -1, 0)),
    ("view", ((1, 1),), lambda x: x.view(1, 1)),
    ("view", ((7,),), lambda x: x.view(7)),
    ("view", ((-1, -1),), lambda x: x.view(-1, -1)),
    ("view", ((2, -3),), lambda x: x.view(2, -3)),
    ("unflatten_view", (-1, (2, -1)), lambda x: x.unflatten(-1, (2, -1))),
    ("unflatten_view", (0, (1, 2)), lambda x: x.unflatten(0, (1, 2))),
    ("unflatten_view", (0, ()), lambda x: x.unflatten(0, ())),
    ("transpose", (0, -1), lambda x: x.transpose(0, -1)),
    ("transpose", (0, 7), lambda x: x.transpose(0, 7)),
    ("swapaxes", (1, 0), lambda x: x.swapaxes(1, 0)),
    ("t", (), lambda x: x.t()),
    ("mT", (), lambda x: x.mT),
    ("numpy_T", (), lambda x: x.T),
    ("permute", ((2, 0, 1),), lambda x: x.permute(2, 0, 1)),
    ("permute", ((0, 0, 1),), lambda x: x.permute(0, 0, 1)),
    ("permute", ((),), lambda x: x.permute(())),
    ("movedim", (0, -1), lambda x: x.movedim(0, -1)),
    ("movedim", ((0, 1), (1, 2)), lambda x: x.movedim((0, 1), (1, 2))),
    ("movedim", ((0, 0), (1, 2)), lambda x: x.movedim((0, 0), (1, 2))),
    ("movedim", ((0, 1), (2, 2)), lambda x: x.movedim((0, 1), (2, 2))),
    ("movedim", ((0, 1), 2), lambda x: x.movedim((0, 1), (2,))),
    ("select", (0, 1), lambda x: x.select(0, 1)),
    ("select", (-1, -2), lambda x: x.select(-1, -2)),
    ("select", (1, 9), lambda x: x.select(1, 9)),
    ("narrow", (0, 1, 1), lambda x: x.narrow(0, 1, 1)),
    ("narrow", (-1, -2, 2), lambda x: x.narrow(-1, -2, 2)),
    ("narrow", (0, 1, 0), lambda x: x.narrow(0, 1, 0)),
    ("narrow", (0, 1, 9), lambda x: x.narrow(0, 1, 9)),
    ("narrow", (0, 9, 1), lambda x: x.narrow(0, 9, 1)),
    ("narrow", (0, 0, -1), lambda x: x.narrow(0, 0, -1)),
    ("expand", ((5, 2, 3, 4),), lambda x: x.expand(5, 2, 3, 4)),
    ("expand", ((1, 1, -1, 3, 1, -1),), lambda x: x.expand(1, 1, -1, 3, 1, -1)),
    ("expand", ((4, 3, 5, 2),), lambda x: x.expand(4, 3, 5, 2)),
    ("expand", ((2, 0, 3),), lambda x: x.expand(2, 0, 3)),
    ("expand", ((2, 3),), lambda x: x.expand(2, 3)),
    ("expand", ((-1, 2, 3, 4),), lambda x: x.expand(-1, 2, 3, 4)),
    ("broadcast_to", ((1, 6),), lambda x: x.broadcast_to(1, 6)),
    ("squeeze", (), lambda x: x.squeeze()),
    ("squeeze_dim", (0,), lambda x: x.squeeze(0)),
    ("squeeze_dim", (-2,), lambda x: x.squeeze(-2)),
    ("squeeze_dims", ((0, 2),), lambda x: x.squeeze((0, 2))),
    ("squeeze_dims", ((),), lambda x: x.squeeze(())),
    ("squeeze_dims", ((1, 1),), lambda x: x.squeeze((1, 1))),
    ("unsqueeze", (0,), lambda x: x.unsqueeze(0)),
    ("unsqueeze", (1,), lambda x: x.unsqueeze(1)),
    ("unsqueeze", (-1,), lambda x: x.unsqueeze(-1)),
    ("alias", (), lambda x: x[...]),
    ("diagonal", (), lambda x: x.diagonal()),
    ("diagonal", (1, 0, -1), lambda x: x.diagonal(1, 0, -1)),
    ("diagonal", (-1, -1, 1), lambda x: x.diagonal(-1, -1, 1)),
    ("diagonal", (-2, 0, 1), lambda x: x.diagonal(-2, 0, 1)),
    ("diagonal", (9, 0, 1), lambda x: x.diagonal(9, 0, 1)),
    ("diagonal", (0, 1, 1), lambda x: x.diagonal(0, 1, 1)),
    ("unfold", (0, 2, 2), lambda x: x.unfold(0, 2, 2)),
    ("unfold", (-1, 2, 3), lambda x: x.unfold(-1, 2, 3)),
    ("unfold", (-1, 1, 1), lambda x: x.unfold(-1, 1, 1)),
    ("unfold", (0, 0, 1), lambda x: x.unfold(0, 0, 1)),
    ("unfold", (0, 50, 1), lambda x: x.unfold(0, 50, 1)),
    ("unfold", (0, 1, 0), lambda x: x.unfold(0, 1, 0)),
    ("view_dtype", (dtype(torch.float32), dtype(torch.int32)), lambda x: x.view(torch.int32)),
    ("view_dtype", (dtype(torch.float32), dtype(torch.uint8)), lambda x: x.view(torch.uint8)),
    ("view_dtype", (dtype(torch.float32), dtype(torch.float64)), lambda x: x.view(torch.float64)),
]


def strided_view(x, base):
    """A torch tensor laid out over its own memory as BASES says, and its (shape, strides, offset)."""
    laid = BASES[base][1](x)
    return laid, (tuple(laid.shape), laid.stride(), laid.storage_offset())


def operands(op, attrs):
    """attrs split into recorded numbers and static attributes, as the engine holds them."""
    kinds = [p.kind for p in op.params[1 : 1 + len(attrs)]]
    numbers = [v for v, k in zip(attrs, kinds, strict=True) if k is Kind.SCALAR]
    given = [v for v, k in zip(attrs, kinds, strict=True) if k is not Kind.SCALAR]
    given += [p.default for p in op.params[1 + len(attrs) :]]
    return numbers, tuple(given)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("case", VIEWS, ids=lambda c: f"{c[0]}{c[1]}")
def test_view(case, base):
    name, attrs, torch_view = case
    op = TABLE[name]
    memory = torch.arange(int(np.prod(BASES[base][0])), dtype=torch.float32).reshape(BASES[base][0])
    laid, geometry = strided_view(memory, base)
    numbers, static = operands(op, attrs)
    array = laid.numpy()
    try:
        wanted = torch_view(laid)
    except (RuntimeError, IndexError) as error:
        with pytest.raises(type(error)) as raised:
            op._geometry(*geometry, *attrs)
            op.call((array, *numbers), static, None)
        assert str(raised.value) == str(error).split("\nException raised")[0]  # torch's C++ stack follows
        return
    (got,) = op.call((array, *numbers), static, None)
    assert np.array_equal(np.asarray(got), wanted.numpy(), equal_nan=True)
    assert got.dtype == wanted.numpy().dtype
    assert tuple(op._geometry(*geometry, *attrs)) == (
        tuple(wanted.shape),
        wanted.stride(),
        wanted.storage_offset(),
    )
    check_write(op, attrs, numbers, array, torch_view, laid, wanted)


def check_write(op, attrs, numbers, array, torch_view, laid, wanted):
    fresh = np.random.default_rng(0).integers(100, 200, wanted.shape).astype(wanted.numpy().dtype)
    kept = laid.clone(memory_format=torch.preserve_format)
    try:
        torch_view(kept).copy_(torch.from_numpy(fresh))
    except RuntimeError:
        assert 0 in wanted.stride()  # torch writes no several elements to one place: autograd/overlap.py sees to that
        return
    written = op._write(array, fresh, *attrs)
    assert np.array_equal(np.asarray(written), kept.numpy())


@pytest.mark.parametrize("start", [0, 1, 3])
@pytest.mark.parametrize(("length", "step"), [(3, 1), (2, 3), (0, 1), (1, 7)])
def test_slice_with_start_as_constant_and_as_program_input(start, length, step):
    x = torch.arange(60.0).reshape(5, 12)
    want = x[:, start : start + (length - 1) * step + 1 : step] if length else x[:, start:start]
    op = TABLE["slice"]
    for given in (start, np.asarray(start)):
        (got,) = op.call((x.numpy(), given), (1, length, step), None)
        assert np.array_equal(np.asarray(got), want.numpy())
        fresh = np.full(want.shape, -1.0, np.float32)
        changed = x.clone()
        changed[:, start : start + max(length - 1, 0) * step + bool(length) : step] = torch.from_numpy(fresh)
        written = op._write(x.numpy(), fresh, 1, given, length=length, step=step)
        assert np.array_equal(np.asarray(written), changed.numpy())
    shape, strides, offset = op._geometry(tuple(x.shape), x.stride(), 0, 1, start, length=length, step=step)
    assert (shape, strides, offset) == (tuple(want.shape), want.stride(), want.storage_offset())


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("index", [0, 2, -1])
def test_select_with_index_as_program_input(dim, index):
    x = torch.arange(12.0).reshape(3, 4)
    op = TABLE["select"]
    (got,) = op.call((x.numpy(), np.asarray(index)), (dim,), None)
    assert np.array_equal(np.asarray(got), x.select(dim, index).numpy())
    fresh = np.full(got.shape, -1.0, np.float32)
    changed = x.clone()
    changed.select(dim, index).fill_(-1)
    assert np.array_equal(np.asarray(op._write(x.numpy(), fresh, dim, np.asarray(index))), changed.numpy())


STRIDED = [
    ((3,), (1,), 0),
    ((3, 2), (2, 1), 4),
    ((2, 2), (1, 3), 1),
    ((2, 3), (0, 2), 1),
    ((), (), 5),
    ((0, 2), (1, 1), 3),
    ((30,), (1,), 0),
    ((3,), (1, 2), 0),
    ((3,), (-1,), 0),
    ((3,), (1,), -1),
]


@pytest.mark.parametrize("attrs", STRIDED, ids=label)
def test_as_strided(attrs):
    x = torch.arange(12.0).reshape(3, 4)
    op = TABLE["as_strided"]
    try:
        wanted = x.as_strided(*attrs)
    except RuntimeError as error:
        with pytest.raises(RuntimeError) as raised:
            op.call((x.numpy(),), attrs, None)
        assert str(raised.value) == str(error)
        return
    (got,) = op.call((x.numpy(),), attrs, None)
    assert np.array_equal(np.asarray(got), wanted.numpy())
    assert op._geometry((3, 4), (4, 1), 0, *attrs) == (tuple(wanted.shape), wanted.stride(), wanted.storage_offset())
    if 0 not in attrs[1]:
        wanted.fill_(-1)
        assert np.array_equal(np.asarray(op._write(np.arange(12.0).reshape(3, 4), -1.0, *attrs)), x.numpy())


@pytest.mark.parametrize("real", [torch.float32, torch.float64])
def test_complex_views(real):
    z = torch.complex(torch.arange(6, dtype=real).reshape(2, 3), -torch.arange(6, dtype=real).reshape(2, 3)).t()
    op, back = TABLE["view_as_real"], TABLE["view_as_complex"]
    wanted = torch.view_as_real(z)
    (got,) = op.call((z.numpy(),), (), None)
    assert np.array_equal(np.asarray(got), wanted.numpy()) and got.dtype == wanted.numpy().dtype
    geometry = op._geometry(tuple(z.shape), z.stride(), z.storage_offset())
    assert geometry == (tuple(wanted.shape), wanted.stride(), wanted.storage_offset())
    (again,) = back.call((got,), (), None)
    assert np.array_equal(np.asarray(again), z.numpy()) and again.dtype == z.numpy().dtype
    assert back._geometry(*geometry) == (tuple(z.shape), z.stride(), z.storage_offset())
    assert np.array_equal(np.asarray(op._write(z.numpy(), got)), z.numpy())
    assert np.array_equal(np.asarray(back._write(got, again)), wanted.numpy())


@pytest.mark.parametrize(
    "layout",
    [
        lambda: torch.zeros(2, 3, 4),
        lambda: torch.zeros(()),
        lambda: torch.zeros(4, 3)[:, :2],
        lambda: torch.zeros(3, 4)[:, ::2],
        lambda: torch.zeros(9)[1:9].view(4, 2),
    ],
)
def test_view_as_complex_names_what_forbids_it(layout):
    x = layout()
    with pytest.raises(RuntimeError) as wanted:
        torch.view_as_complex(x)
    op = TABLE["view_as_complex"]
    with pytest.raises(RuntimeError) as raised:
        op._geometry(tuple(x.shape), x.stride(), x.storage_offset())
        op.call((x.numpy(),), (), None)
    assert str(raised.value) == str(wanted.value)


def test_viewable_agrees_with_torch_on_every_layout():
    rng = np.random.default_rng(1)
    sizes = [(2, 3, 4), (4, 6), (24,), (2, 2, 6), (1, 24), (3, 8), (2, 12, 1), (6, 1, 4), (2, 3, 2, 2)]
    for _ in range(300):
        x = torch.zeros(4, 6, 8)[:: rng.integers(1, 3), :: rng.integers(1, 3), :: rng.integers(1, 3)]
        x = x.permute(*rng.permutation(3).tolist())[:2, :3, :4]
        x = x.reshape(sizes[rng.integers(len(sizes))]) if x.numel() == 24 and rng.random() < 0.5 else x
        for size in sizes:
            try:
                wanted = x.view(size).stride()
            except RuntimeError:
                wanted = None
            assert viewable(tuple(x.shape), x.stride(), size) == wanted
