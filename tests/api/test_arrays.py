"""NumPy arrays, buffers and files as tensors: layouts, refusals, what shares memory and for how long."""

import array
import gc
import operator

import numpy as np
import pytest

import jtorch
from jtorch.engine.storage import SharedStorage, Storage
from tests.oracle import check, same, same_warnings

MAKERS = ("from_numpy", "tensor", "as_tensor", "asarray", "Tensor", "DoubleTensor")
DTYPES = (
    "float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool complex64 complex128 longdouble "
    "clongdouble S3 U3 object datetime64[s] timedelta64[s] V4 longlong"
).split()


@pytest.mark.filterwarnings("ignore:Casting complex")
@pytest.mark.parametrize("name", MAKERS)
def test_every_dtype(name):
    for kind in DTYPES:
        check(lambda t, kind=kind: getattr(t, name)(np.zeros(2, kind)), grad=False, strides=True)


@pytest.mark.filterwarnings("ignore:Casting complex")
def test_complex_numbers_lose_their_imaginary_parts():
    for values in (np.array([1j]), np.array([[1j, 2], [3, 4j]]).T, np.array(2j)):
        check(lambda t, a=values: t.tensor(a, dtype=t.float32), grad=False, strides=True)


def counted(*shape):
    return np.arange(float(np.prod(shape))).reshape(shape)


def frozen(values):
    values.setflags(write=False)
    return values


LAYOUTS = {
    "rows": counted(2, 3), "columns": np.asfortranarray(counted(2, 3)), "transposed": counted(2, 3).T,
    "permuted": counted(2, 3, 4).transpose(2, 0, 1), "every other": counted(6)[::2], "inner": counted(4, 5)[1:3, 2:4],
    "every other column": counted(4, 6)[:, ::2], "part of a transposed": counted(4, 6).T[::2], "0-d": np.array(1.0),
    "empty": np.zeros((0, 3)), "empty inside": np.zeros((2, 0, 3)), "broadcast": np.broadcast_to(counted(3), (2, 3)),
    "broadcast number": np.broadcast_to(counted(1), (3,)), "reversed": counted(6)[::-1],
    "one reversed": counted(1)[::-1],
    "columns reversed": counted(2, 3)[:, ::-1], "size-1 dims": counted(1, 3, 1), "one row": counted(1, 3).T,
    "other byte order": np.arange(3, dtype=">i4"), "odd strides": np.zeros(3, [("a", "u1"), ("b", "f8")])["b"],
    "field": np.zeros(3, [("a", "f4"), ("b", "f8")])["a"], "record": np.zeros(2, [("a", int), ("b", float)]),
    "not aligned": np.zeros(17, np.uint8)[1:].view(np.float64), "diagonal": counted(3, 3).diagonal(),
    "real parts": (counted(3) + 1j).real, "masked": np.ma.array([1.0, 2.0], mask=[0, 1]), "flat": counted(2, 3).ravel(),
    "read-only": frozen(counted(3)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
@pytest.mark.parametrize("name", ["from_numpy", "tensor", "as_tensor", "asarray", "float", "copy"])
def test_every_layout(name):
    make = {
        "float": lambda t, a: t.as_tensor(a, dtype=t.float32),
        "copy": lambda t, a: t.asarray(a, copy=True),
    }.get(name, lambda t, a: getattr(t, name)(a))
    for values in LAYOUTS.values():
        check(lambda t, a=values: make(t, a), grad=False, strides=True)


def test_what_is_no_array_is_refused():
    for value in ([1], None, np.float64(1), "a", 3, object()):
        check(lambda t, value=value: t.from_numpy(value), grad=False)
    check(lambda t: t.from_numpy(t.ones(2)), grad=False)


def test_read_only_memory_warns():
    for make in (
        lambda t: t.from_numpy(frozen(counted(3))),
        lambda t: t.as_tensor(frozen(counted(3))),
        lambda t: t.asarray(frozen(counted(3))),
        lambda t: t.as_tensor(frozen(counted(3)), dtype=t.float32),
        lambda t: t.frombuffer(b"abcd", dtype=t.uint8),
        lambda t: t.asarray(t.ones(2, requires_grad=True)),
    ):
        same_warnings(make)


class Interface:
    """What has an `__array__` and is nothing else."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values


SHARING = {
    "from_numpy": lambda t, a: t.from_numpy(a), "as_tensor": lambda t, a: t.as_tensor(a),
    "asarray": lambda t, a: t.asarray(a), "tensor": lambda t, a: t.tensor(a), "Tensor": lambda t, a: t.Tensor(a),
    "same dtype": lambda t, a: t.as_tensor(a, dtype=t.float64),
    "other dtype": lambda t, a: t.as_tensor(a, dtype=t.float32),
    "copy": lambda t, a: t.asarray(a, copy=True), "no copy": lambda t, a: t.asarray(a, copy=False),
    "leaf": lambda t, a: t.asarray(a, requires_grad=True).detach(), "DoubleTensor": lambda t, a: t.DoubleTensor(a),
    "cpu": lambda t, a: t.as_tensor(a, device="cpu"), "own class": lambda t, a: t.as_tensor(Interface(a)),
    "dlpack": lambda t, a: t.from_dlpack(a), "tensor of tensor": lambda t, a: t.as_tensor(t.from_numpy(a)),
    "reshaped": lambda t, a: t.from_numpy(a.reshape(-1)), "row": lambda t, a: t.from_numpy(a[0]),
    "column": lambda t, a: t.from_numpy(a[:, 0]), "transposed": lambda t, a: t.from_numpy(a.T),
    "columns apart": lambda t, a: t.from_numpy(a[:, ::2]), "detached": lambda t, a: t.from_numpy(a).detach(),
    "to": lambda t, a: t.from_numpy(a).to(t.float64), "double": lambda t, a: t.from_numpy(a).double(),
    "contiguous": lambda t, a: t.from_numpy(a).contiguous(), "clone": lambda t, a: t.from_numpy(a).clone(),
    "parameter": lambda t, a: t.nn.Parameter(t.from_numpy(a)).detach(),
    "buffer": lambda t, a: t.nn.Buffer(t.from_numpy(a)),
    "float": lambda t, a: t.from_numpy(a).float(), "data": lambda t, a: t.from_numpy(a).data,
    "frombuffer": lambda t, a: t.frombuffer(a, dtype=t.float64),
    "memoryview": lambda t, a: t.frombuffer(memoryview(a), dtype=t.float64),
    "offset": lambda t, a: t.frombuffer(a, dtype=t.float64, offset=8, count=3),
    "numpy again": lambda t, a: t.from_numpy(t.from_numpy(a).numpy()),
}  # fmt: skip


@pytest.mark.parametrize("name", SHARING)
@pytest.mark.parametrize("order", "CF")
def test_what_shares_memory(name, order):
    def run(torch):
        a = np.array(counted(2, 3), order=order)
        t = SHARING[name](torch, a)
        a[0, 0] = 50
        seen = [t.tolist()]
        t.add_(1)
        seen.append(a.tolist())
        a[1] -= 7
        t[..., -1] = 3
        return [*seen, a.tolist(), t.tolist()]

    check(run, grad=False)


def shared_views(torch):
    """Tensors and arrays that lie on each other in several ways."""
    seen = []
    x = torch.zeros(2, 3)
    part, columns = x.numpy()[1], x.T.numpy()
    gc.collect()
    part[0] = 5
    columns[2, 0] = 6
    x[0, 0] = 7
    seen.append((x.tolist(), part.tolist(), columns.tolist()))
    again = torch.from_numpy(part[1:])
    again.add_(1)
    seen.append((x.tolist(), part.tolist()))
    a = counted(6)
    one, other = torch.from_numpy(a[:4]), torch.from_numpy(a[2:])
    one[3], other[0] = 9, 7
    del a
    gc.collect()
    one.mul_(2)
    seen.append((one.tolist(), other.tolist()))
    bits = torch.zeros(2)
    bits.view(torch.int32).numpy()[0] = 1065353216
    parts = torch.zeros(2, dtype=torch.complex64)
    parts.real.numpy()[0] = 3
    real = np.zeros(2, np.complex128)
    torch.from_numpy(real.real)[1] = 3
    seen.append((bits.tolist(), parts.tolist(), real.tolist()))
    return seen


def buffers(torch):
    """Memory of bytearrays and arrays of the standard library."""
    raw, numbers, seen = bytearray(16), array.array("f", [1, 2, 3]), []
    x = torch.frombuffer(raw, dtype=torch.int32, offset=4, count=2)
    y = torch.from_numpy(np.frombuffer(raw, np.int32))
    z = torch.frombuffer(numbers, dtype=torch.float32)
    gc.collect()
    raw[4] = 7
    seen.append((x.tolist(), y.tolist()))
    x.add_(1)
    z.mul_(2)
    numbers[0] = 9
    return [*seen, bytes(raw), y.tolist(), z.tolist(), numbers.tolist()]


def training(torch):
    """Parameters and gradients seen through NumPy while they are trained."""
    p = torch.ones(3, requires_grad=True)
    n = p.detach().numpy()
    (p * 2).sum().backward()
    p.grad.numpy()[0] = 7
    optimizer = torch.optim.SGD([p], lr=0.5)
    optimizer.step()
    seen = [n.tolist(), p.tolist(), p.grad.tolist()]
    p.data.numpy()[1] = 10
    with torch.no_grad():
        p.numpy()[2] = 11
    return [*seen, p.tolist(), np.random.RandomState(0).permutation(n).tolist()]


def changed_in_a_loop(torch):
    """Writes and reads in turns."""
    a, seen = np.zeros((3, 2)), []
    x = torch.from_numpy(a)
    columns = torch.from_numpy(a.T)
    for i in range(3):
        a[i] = i + 1
        seen.append((x.sum().item(), columns[0].tolist()))
        x.mul_(2)
        columns[1, i] = -1
    torch.add(torch.ones(3, 2, dtype=torch.float64), 1, out=x)
    return [*seen, a.tolist()]


@pytest.mark.parametrize("run", [shared_views, buffers, training, changed_in_a_loop])
def test_memory_seen_from_several_sides(run):
    same(run)


def test_files(tmp_path):
    def run(torch):
        path = tmp_path / torch.__name__
        mapped = np.memmap(path, np.float32, "w+", shape=(4,))
        x = torch.from_numpy(mapped)
        x[0] = 5
        mapped[1] = 6
        mapped.flush()
        private, public = torch.from_file(str(path), size=4), torch.from_file(str(path), shared=True, size=2)
        private[2] = 1
        public[0] = 8
        return x.tolist(), private.tolist(), public.tolist(), np.fromfile(path, np.float32).tolist()

    same(run)


def test_sharing_lasts_as_long_as_somebody_holds_the_memory():
    a = np.asfortranarray(counted(4, 6))
    t, held = jtorch.from_numpy(a[:, ::2]), a[1:]
    del a
    held[0, 0] = 100
    assert t.tolist()[1][0] == 100 and type(t._storage) is SharedStorage
    del held
    t.tolist()
    assert type(t._storage) is Storage
    x = jtorch.zeros(3)
    n = x.numpy()
    assert type(x._storage) is SharedStorage
    del n
    x.tolist()
    assert type(x._storage) is Storage


REQUESTS = {
    "other dtype": lambda t: t.asarray(counted(3), dtype=t.float32, copy=False),
    "sequence": lambda t: t.asarray([1, 2], copy=False),
    "tensor of other dtype": lambda t: t.asarray(t.ones(2), dtype=t.int32, copy=False),
    "same tensor": lambda t: [f(x := t.ones(2)) is x for f in (t.asarray, t.as_tensor)],
    "copied tensor": lambda t: t.asarray(x := t.ones(2), copy=True) is x,
    "leaf": lambda t: t.asarray(t.ones(2, requires_grad=True)),
    "not a leaf": lambda t: t.asarray(t.ones(2, requires_grad=True) * 2, requires_grad=False),
    "result": lambda t: t.asarray(t.ones(2, requires_grad=True) * 2, requires_grad=True),
    "made a leaf": lambda t: t.asarray(t.ones(2), requires_grad=True),
    "ints made a leaf": lambda t: t.asarray([1, 2], requires_grad=True),
    "number": lambda t: t.asarray(3, dtype=t.float16), "of numpy": lambda t: t.asarray(np.float64(2)),
    "none": lambda t: t.asarray(None), "string": lambda t: t.asarray("abc"), "bytes": lambda t: t.asarray(b"abc"),
    "bytes as uint8": lambda t: t.asarray(b"abcd", dtype=t.uint8),
    "meta": lambda t: t.asarray([1.0], device="meta").shape,
    "bytearray": lambda t: t.asarray(bytearray(b"abcdefgh")), "array": lambda t: t.asarray(array.array("f", [1, 2])),
    "capsule": lambda t: t.asarray(t.ones(2).__dlpack__()), "generator": lambda t: t.asarray(n for n in (1,)),
    "tensor to meta": lambda t: t.as_tensor(t.ones(2), device="meta").is_meta,
    "keyword": lambda t: t.as_tensor(data=[1]),
    "leaf as double": lambda t: t.as_tensor(t.ones(2, requires_grad=True), dtype=t.float64),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:torch.asarray", "ignore:The given buffer")
def test_what_is_asked_of_asarray_and_as_tensor():
    for make in REQUESTS.values():
        check(make, grad=False, strides=True, exact=True)


BUFFERS = [
    {"dtype": "uint8"}, {"dtype": "int32"}, {"dtype": "int32", "count": 2}, {"dtype": "int32", "offset": 4},
    {"dtype": "int32", "count": 2, "offset": 8}, {"dtype": "int32", "count": 5}, {"dtype": "int32", "offset": 20},
    {"dtype": "int64", "offset": 4}, {"dtype": "float32", "requires_grad": True}, {"dtype": "int32", "count": 0},
    {"dtype": "int32", "requires_grad": True}, {"dtype": "int32", "offset": -1}, {"dtype": "int32", "offset": 16},
    {"dtype": "int32", "count": 1, "offset": 13}, {"dtype": "bfloat16"}, {"dtype": "bool"}, {"dtype": "complex64"},
    {"dtype": "float8_e4m3fn"}, {"dtype": "float64", "count": -1},
]  # fmt: skip
NO_BUFFERS = ([1], "abc", None, 3, bytearray(), bytearray(7), np.arange(6.0).reshape(2, 3).T, memoryview(bytearray(8)))


@pytest.mark.filterwarnings("ignore:invalid value")
def test_frombuffer():
    for options in BUFFERS:

        def make(torch, options=options):
            return torch.frombuffer(bytearray(range(16)), **options | {"dtype": getattr(torch, options["dtype"])})

        check(make, grad=False, strides=True)
    for buffer in NO_BUFFERS:
        check(lambda t, buffer=buffer: t.frombuffer(buffer, dtype=t.int32), grad=False)


OTHERS = {
    "float64s": np.array([2.0, 3.0]), "ints": np.array([2, 3]), "float32s": np.array([2, 3], np.float32),
    "bools": np.array([True, False]), "column": np.array([[2.0], [3.0]]), "0-d": np.array(2.0),
    "float64": np.float64(2), "float32": np.float32(2), "int64": np.int64(2), "bool": np.bool_(True),
    "complex128": np.complex128(2), "strings": np.array(["a", "b"]), "list": [2.0, 3.0], "string": "a", "none": None,
    "three": np.array([1.0, 2.0, 3.0]),
}  # fmt: skip
OPERATORS = (
    "add sub mul truediv pow mod floordiv eq ne lt ge and or xor iadd imul itruediv add_of_leaf mul_of_leaf "
    "truediv_of_leaf eq_of_leaf"
).split()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OPERATORS)
def test_operators_with_arrays_and_numbers_of_numpy(name):
    method = f"__{name.removesuffix('_of_leaf')}__"
    call = getattr(operator, method)
    for key, other in OTHERS.items():
        for numbers in ([1.0, 2.0], [1, 2]):
            if (
                name.endswith("_of_leaf")
                and numbers == [1, 2]
                or (key == "complex128" and name in ("mod", "floordiv", "lt", "ge"))
            ):
                continue

            def made(torch, numbers=numbers):
                return torch.tensor(numbers, requires_grad=name.endswith("_of_leaf"))

            check(lambda t, other=other: call(made(t), other), grad=False)
            if not name.startswith("i"):
                check(lambda t, other=other: call(other, made(t)), grad=False)
