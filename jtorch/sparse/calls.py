"""What of torch's functions and methods there is for sparse tensors."""

from jtorch import dtypes
from jtorch._tensor import Tensor, aval, host
from jtorch.api import printing
from jtorch.api.put import function
from jtorch.autograd.apply import call
from jtorch.sparse.tensor import RULES, SparseTensor, _made, coalesce, like, rule, to_dense


def _is(x):
    return isinstance(x, SparseTensor)


# Products: each value times a row of the dense side, added where its row is.


@rule("matmul", "mm", "mv", "spmm", "__matmul__", "__rmatmul__")
def _matmul(self, other, **kwargs):
    if _is(self) and _is(other):
        return _matmul(self, to_dense(other)).to_sparse()
    if not _is(self):
        return _matmul(_t(other), self.transpose(-1, -2)).transpose(-1, -2)
    if self.dim() != 2:
        raise RuntimeError(f"addmm: 2D tensor expected, got {self.dim()}D tensor instead")
    if self.shape[1] != other.shape[0]:
        raise RuntimeError(f"addmm: Argument #3 (dense): Expected dim 0 size {self.shape[1]}, got {other.shape[0]}")
    rows, columns = self._places.unbind(0)
    values = self._held.reshape(-1, *[1] * (other.dim() - 1))
    out = other.new_zeros((self.shape[0], *other.shape[1:]))
    return out.index_add(0, rows, values * other.index_select(0, columns))


def mm(input, mat2):
    """The product of a sparse and a dense matrix. Shape: (N, M), (M, K) -> (N, K)."""
    return _matmul(input, mat2)


@function
def spmm(input, mat2):
    """The product of two matrices, of which the first may be sparse. Shape: (N, M), (M, K) -> (N, K)."""
    return _matmul(input, mat2) if _is(input) else input.mm(mat2)


@rule("addmm")
def addmm(mat, mat1, mat2, *, beta=1, alpha=1):
    """beta · mat + alpha · mat1 mat2. Shape: (N, K), (N, M), (M, K) -> (N, K)."""
    return beta * mat + alpha * _matmul(mat1, mat2)


# Arithmetic.


def _joined(one, other):
    """Two sparse tensors' parts one after the other: their sum."""
    if one.shape != other.shape:
        raise RuntimeError(f"add: expected sizes of 'self' and 'other' to match, but {one.shape} != {other.shape}")
    places = call("cat", [one._places, other._places], 1)
    return coalesce(_made(places, call("cat", [one._held, other._held], 0), one.shape))


@rule("add", "__add__", "__radd__")
def _add(self, other, *, alpha=1):
    if _is(self) and _is(other):
        return _joined(self, like(other, other._held * alpha))
    if _is(self):
        raise RuntimeError("add(sparse, dense) is not supported. Use add(dense, sparse) instead.")
    return self + alpha * to_dense(other)


@rule("sub", "__sub__")
def _sub(self, other, *, alpha=1):
    return _add(self, other, alpha=-alpha)


@rule("mul", "__mul__", "__rmul__")
def _mul(self, other):
    if not _is(self):
        self, other = other, self
    if _is(other):
        return _mul(coalesce(self), to_dense(other))
    if not isinstance(other, Tensor) or not other.dim():
        return like(self, self._held * other)
    other = other.broadcast_to(tuple(self.shape))
    return like(self, self._held * other[tuple(self._places.unbind(0))])


@rule("div", "__truediv__", "true_divide")
def _div(self, other):
    return like(self, self._held / other)


def _keeps_zeros(name, linear=False):
    """A function of each number that is 0 at 0. linear: it may be done before values at one place are added."""

    def of_values(self, *args, **kwargs):
        self = self if linear else coalesce(self)
        return like(self, getattr(self._held, name)(*args, **kwargs))

    RULES[name] = of_values


for _name in ("abs", "sqrt", "sin", "tan", "tanh", "asin", "atan", "sinh", "relu", "expm1", "log1p", "sign", "pow"):
    _keeps_zeros(_name)
for _name in ("neg", "detach", "clone", "to", "cpu", "cuda", "float", "double", "half", "long", "int", "bfloat16"):
    _keeps_zeros(_name, linear=True)
for _operator, _method in (("__neg__", "neg"), ("__pow__", "pow"), ("__abs__", "abs")):
    RULES[_operator] = RULES[_method]


@rule("requires_grad_")
def _requires_grad(self, requires_grad=True):
    self._held.requires_grad_(requires_grad)
    return self


# Shapes.


@rule("t")
def _t(self):
    return _made(self._places.flip(0), self._held, tuple(self.shape)[::-1])


@rule("transpose")
def _transpose(self, dim0, dim1):
    count = self._places.shape[0]
    order, sizes = list(range(count)), list(self.shape)
    dim0, dim1 = dim0 % self.dim(), dim1 % self.dim()
    order[dim0], order[dim1] = order[dim1], order[dim0]
    sizes[dim0], sizes[dim1] = sizes[dim1], sizes[dim0]
    return _made(self._places[order], self._held, sizes)


# Sums and shares.


@rule("sum")
def _sum(self, dim=None, dtype=None):
    return sum(self, dim, dtype)


def sum(input, dim=None, dtype=None):
    """The sum of all numbers, or along dims; along some it is sparse. Shape: () or without the dims."""
    if not _is(input):
        return input.sum(dim=dim, dtype=dtype)
    values = input._held if dtype is None else input._held.to(dtype)
    if dim is None:
        return values.sum()
    dims = {d % input.dim() for d in ((dim,) if isinstance(dim, int) else dim)}
    kept = [d for d in range(input._places.shape[0]) if d not in dims]
    inner = [d - input._places.shape[0] + 1 for d in dims if d >= input._places.shape[0]]
    values = values.sum(inner) if inner else values
    sizes = [size for d, size in enumerate(input.shape) if d not in dims]
    return coalesce(_made(input._places[kept], values, sizes)) if kept else values.sum(0)


def softmax(input, dim, *, dtype=None):
    """The shares among the numbers that are held along a dim of a matrix. Shape: (N, M) -> the same, sparse."""
    return _shares(input, dim, dtype)[0]


def log_softmax(input, dim, *, dtype=None):
    """The logarithms of softmax. Shape: (N, M) -> the same, sparse."""
    return _shares(input, dim, dtype)[1]


def _shares(input, dim, dtype):
    """(softmax, its logarithm) along one dim of a matrix without dense dims."""
    input = coalesce(input)
    values, groups = input._held if dtype is None else input._held.to(dtype), input._places[1 - dim % 2]
    empty = values.new_full((input.shape[1 - dim % 2],), float("-inf"))
    most = empty.index_reduce(0, groups, values.detach(), "amax").index_select(0, groups)
    exact = (values - most).exp()
    total = values.new_zeros((input.shape[1 - dim % 2],)).index_add(0, groups, exact).index_select(0, groups)
    return like(input, exact / total), like(input, values - most - total.log())


# Texts.


@rule("__repr__", "__str__")
def _repr(self, *, tensor_contents=None):
    options, seen = printing._Current.options, aval(self._held)
    shown = []
    for name, part in (("indices", self._places), ("values", self._held)):
        array, head = host(part), f"{name}=tensor("
        text = printing._body(array, len("tensor(") + len(head), options) if array.size else "[]"
        shown.append(head + text + (f", size={tuple(array.shape)})" if not array.size else ")"))
    suffixes = [f"size={tuple(self.shape)}", f"nnz={self._places.shape[1]}"]
    if seen.dtype not in (dtypes.Default.float, dtypes.int64, dtypes.bool_):
        suffixes.append(f"dtype={seen.dtype}")
    if seen.device.type != "cpu":
        suffixes.insert(0, f"device='{seen.device}'")
    suffixes.append("layout=torch.sparse_coo")
    if self.grad_fn is not None:
        suffixes.append(f"grad_fn=<{type(self.grad_fn).__name__}>")
    elif self.requires_grad:
        suffixes.append("requires_grad=True")
    first, *rest = suffixes
    return printing._joined(f"tensor({shown[0]},\n       {shown[1]},\n       {first}", rest, 7, options)


def _without_numbers(self, *args, **kwargs):
    raise TypeError("can't convert Sparse layout tensor to numpy. Use Tensor.to_dense() first.")


RULES["numpy"] = RULES["__array__"] = _without_numbers
