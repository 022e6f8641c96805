"""What of torch's functions and methods there is for sparse tensors."""

import copy

from jtorch import dtypes
from jtorch._tensor import Tensor, aval, host
from jtorch.api import printing
from jtorch.api.put import function, method
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


def joined(one, other):
    """The sum of two sparse tensors: their parts one after the other, or added up where both are coalesced."""
    if one.shape != other.shape:
        raise RuntimeError(f"add: expected sizes of 'self' and 'other' to match, but {one.shape} != {other.shape}")
    if one.raw[0] is other.raw[0]:
        return like(one, one.raw[1] + other.raw[1])
    places, values = (call("cat", [one.raw[part], other.raw[part]], dim) for part, dim in ((0, 1), (1, 0)))
    out = _made(places, values, one.shape, loose=one._loose or other._loose)
    if one._merged and other._merged:
        return coalesce(out)
    # torch: more values than the tensor has numbers are added up, but it does not say so.
    return _made(*coalesce(out).raw, out.shape) if places.shape[1] > out.numel() else out


@rule("add", "__add__", "__radd__")
def _add(self, other, *, alpha=1):
    if _is(self) and _is(other):
        return joined(self, other if alpha == 1 else like(other, other.raw[1] * alpha))
    if _is(self):
        raise RuntimeError("add(sparse, dense) is not supported. Use add(dense, sparse) instead.")
    return self.add(to_dense(other), alpha=alpha)


@rule("sub", "__sub__")
def _sub(self, other, *, alpha=1):
    return _add(self, other, alpha=-alpha)


@rule("add_", "__iadd__")
def _add_(self, other, *, alpha=1):
    return _become(self, _add(self, other, alpha=alpha)) if _is(self) else self.add_(to_dense(other), alpha=alpha)


@rule("sub_", "__isub__")
def _sub_(self, other, *, alpha=1):
    return _add_(self, other, alpha=-alpha)


def _become(self, other):
    """Write one sparse tensor into another."""
    self.raw, self._merged, self._loose = other.raw, other._merged, other._loose
    return self


@rule("copy_")
def _copy_(self, src, non_blocking=False):
    if _is(self) and _is(src):
        return _become(self, like(src, src.raw[1].to(self.dtype, copy=True)))
    kinds = ["torch.sparse." * _is(x) or "torch." for x in (self, src)]
    one, other = (f"{kind}{x.dtype.label}Tensor" for kind, x in zip(kinds, (self, src), strict=True))
    raise RuntimeError(
        f"copy_() between dense and sparse Tensors is not implemented! Found self type = {one} and src type = {other}"
    )


@rule("zero_")
def _zero_(self):
    return _become(self, _zeros_like(self))


@rule("zeros_like", "empty_like")
def _zeros_like(self):
    places, values = self.raw
    return _made(places[:, :0], values.detach()[:0], self.shape, True)


def _in_place(name):
    """A function of each number, in place: of the memory that the values share with others."""

    def written(self, *args, **kwargs):
        getattr(self.raw[1], name)(*args, **kwargs)
        return self

    RULES[name] = written


for _name in ("div_", "__itruediv__", "neg_"):
    _in_place(_name)


@rule("mul_", "__imul__")
def _mul_(self, other):
    if self._merged and not (isinstance(other, Tensor) and other.dim()):
        self.raw[1].mul_(other)
        return self
    return _become(self, _mul(self, other))  # torch: with values of its own, too


@rule("mul", "__mul__", "__rmul__")
def _mul(self, other):
    if not _is(self):
        self, other = other, self
    if _is(other):
        return _mul(coalesce(self), to_dense(other))
    if not isinstance(other, Tensor) or not other.dim():
        return like(self, self.raw[1] * other)
    other = other.broadcast_to(tuple(self.shape))
    return like(self, self._held * other[tuple(self._places.unbind(0))])


@rule("div", "__truediv__", "true_divide")
def _div(self, other):
    return like(self, self.raw[1] / other)


def _keeps_zeros(name, linear=False):
    """A function of each number that is 0 at 0. linear: it may be done before values at one place are added."""

    def of_values(self, *args, **kwargs):
        self = self if linear else coalesce(self)
        places, values = self.raw
        values = getattr(values, name)(*args, **kwargs)
        return _made(places.to(values.device), values, self.shape, self._merged, self._loose)

    RULES[name] = of_values


for _name in (
    "abs", "sqrt", "sin", "tan", "tanh", "asin", "atan", "sinh", "relu", "expm1", "log1p", "sign", "pow",
    "square", "round", "isnan", "isinf", "nan_to_num",
):  # fmt: skip
    _keeps_zeros(_name)
for _name in ("neg", "detach", "clone", "to", "cpu", "cuda", "float", "double", "half", "long", "int", "bfloat16"):
    _keeps_zeros(_name, linear=True)
for _operator, _method in (("__neg__", "neg"), ("__pow__", "pow"), ("__abs__", "abs")):
    RULES[_operator] = RULES[_method]


@rule("requires_grad_")
def _requires_grad(self, requires_grad=True):
    self.raw[1].requires_grad_(requires_grad)
    return self


@rule("detach_")
def _detach_(self):
    self.raw[1].detach_()
    return self


@rule("norm")
def _norm(self, p="fro"):
    return coalesce(self)._held.norm(p)


@rule("any")
def _any(self):
    return self._held.any()


@rule("sparse_mask")
def _sparse_mask(self, mask):
    dense = to_dense(self) if _is(self) else self
    return like(mask, dense[tuple(mask._places.unbind(0))])


@method
def sparse_mask(self, mask):
    """The numbers of self at the places of mask, a sparse tensor. Shape: any -> the same, sparse."""
    return _sparse_mask(self, mask)


@rule("__getitem__")
def _getitem(self, index):
    if type(index) is not int or self._places.shape[0] != 1:
        raise NotImplementedError("jtorch takes rows alone out of a sparse tensor. x.to_dense() gives a dense one")
    return to_dense(self)[index]


# Copies.


@rule("__deepcopy__")
def _deepcopy(self, memo):
    if id(self) not in memo:
        memo[id(self)] = like(self, copy.deepcopy(self.raw[1], memo))
    return memo[id(self)]


@rule("__reduce_ex__", "__reduce__")
def _reduce(self, protocol=2):
    return _made, (*self._settled(), tuple(self.shape), self._merged)


# Shapes.


@rule("t")
def _t(self):
    count = self.raw[0].shape[0]
    if self.dim() > count or count > 2:
        raise RuntimeError(
            "t() expects a tensor with <= 2 sparse and 0 dense dimensions, but got "
            f"{count} sparse and {self.dim() - count} dense dimensions"
        )
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
