"""DLPack: memory shared with NumPy, JAX and real torch, both ways."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import jtorch
from jtorch.utils import dlpack
from tests.oracle import check, same, same_error

KINDS = (
    "float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool complex64 complex128 bfloat16 "
    "float8_e4m3fn float8_e5m2"
).split()
MODULES = {torch: torch.utils.dlpack, jtorch: dlpack}


def ones(module, kind):
    return module.tensor([1.0, 1.0], dtype=getattr(module, kind))


def test_every_dtype_goes_to_each_partner_and_back():
    for kind in KINDS:
        check(lambda t, kind=kind: t.from_dlpack(ones(t, kind).__dlpack__()), grad=False)
        check(lambda t, kind=kind: torch.from_dlpack(ones(t, kind)).tolist(), grad=False)
        check(lambda t, kind=kind: t.from_dlpack(ones(torch, kind)), grad=False)
        check(lambda t, kind=kind: t.from_dlpack(jnp.asarray(np.ones(2).astype(jnp.dtype(kind)))), grad=False)
        check(lambda t, kind=kind: np.asarray(jnp.from_dlpack(ones(t, kind))).astype(complex).tolist(), grad=False)
        if hasattr(np, kind):
            check(lambda t, kind=kind: np.from_dlpack(ones(t, kind)), grad=False)
            check(lambda t, kind=kind: t.from_dlpack(np.ones(2, kind)), grad=False)


LAYOUTS = {
    "transposed": np.arange(6.0).reshape(2, 3).T, "strided": np.arange(6.0)[1::2], "0-d": np.array(2.0),
    "empty": np.zeros((0, 3)), "read-only": np.broadcast_to(np.ones(1), (3,)),
}  # fmt: skip


def test_layouts():
    for array in LAYOUTS.values():
        check(lambda t, a=array: t.from_dlpack(a), grad=False, strides=True)
    check(lambda t: torch.from_dlpack(t.arange(6.0).view(2, 3).T).stride(), grad=False)


def shared_by_all(module):
    """One memory seen by tensors, by NumPy and by real torch."""
    x = module.zeros(4)
    seen_by_torch, seen_by_numpy = torch.from_dlpack(x), np.from_dlpack(x)
    x[0] = 1
    seen_by_torch[1] = 2
    capsule = MODULES[module].from_dlpack(MODULES[module].to_dlpack(x))
    capsule[2] = 3
    alias = module.from_dlpack(x)
    alias[3] = 4
    return x.tolist(), seen_by_torch.tolist(), seen_by_numpy.tolist(), capsule.tolist(), alias._version > 0


def memory_of_others(module):
    """Tensors on the memory of NumPy arrays and of real torch's tensors."""
    array, other = np.zeros(3), torch.arange(6.0)
    x, y = module.from_dlpack(array), module.from_dlpack(other[1::2])
    array[0], x[1], other[1], y[1] = 5, 3, 40, 5
    copy = module.from_dlpack(array, copy=True)
    copy[0] = -1
    return array.tolist(), x.tolist(), other.tolist(), y.tolist(), y.stride(), copy.tolist()


def outliving(module):
    """Memory that lives as long as its last holder."""
    x = module.zeros(3)
    held = torch.from_dlpack(x)
    for _ in range(3):
        x.add_(1)
    seen = held.tolist()
    del x
    return seen, held.tolist()


@pytest.mark.parametrize("run", [shared_by_all, memory_of_others, outliving])
def test_memory_is_shared(run):
    same(run)


def test_a_jax_array_is_taken_as_it_is_and_never_written_to():
    array = jnp.arange(3.0)
    x = jtorch.from_dlpack(array)
    x.add_(1)
    assert x.tolist() == [1.0, 2.0, 3.0] and array.tolist() == [0.0, 1.0, 2.0]
    y = jtorch.arange(3.0)
    taken = jax.dlpack.from_dlpack(y)
    z = y * 2
    del y
    assert z.tolist() == [0.0, 2.0, 4.0] and taken.tolist() == [0.0, 1.0, 2.0]


def test_devices():
    same(lambda t: [int(n) for n in t.ones(2).__dlpack_device__()])
    same(lambda t: [(kind.name, int(kind)) for kind in MODULES[t].DLDeviceType])
    same(lambda t: t.from_dlpack(np.zeros(2), device="cpu", copy=False))


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.ones(2, requires_grad=True).__dlpack__(),
        lambda t: t.from_dlpack(t.ones(2, requires_grad=True)),
        lambda t: t.ones(2).__dlpack__(stream=1),
        lambda t: t.ones(2).__dlpack__(stream="a"),
        lambda t: t.from_dlpack([1]),
        lambda t: t.from_dlpack(t.ones(2).__dlpack__(), copy=True),
        lambda t: [t.from_dlpack(c := t.ones(2).__dlpack__()), t.from_dlpack(c)],
        lambda t: t.from_dlpack(np.zeros(2), device=0),
    ],
)
def test_refusals(call):
    same_error(call)
