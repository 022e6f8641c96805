"""Sparse tensors: places and values, how they are made, and what of a call on one runs."""

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor, aval, from_host, host
from jtorch.api.construct import as_tensor
from jtorch.api.creation import zeros
from jtorch.api.overriding import DisableTorchFunctionSubclass, disabled, take_over
from jtorch.api.put import function, method
from jtorch.api.settings import constant
from jtorch.autograd.apply import call
from jtorch.engine import log
from jtorch.engine.ref import Aval
from jtorch.engine.storage import Storage

# Name of a function or method of torch -> what it does where an argument is sparse.
RULES: dict = {}


class SparseStorage(Storage):
    """The storage of a sparse tensor: it has a shape, dtype and device, but no array."""

    def __init__(self, aval):
        self._aval = aval

    @property
    def aval(self):
        """What the tensor is."""
        return self._aval

    @property
    def ref(self):
        """Raises NotImplementedError: a call that reads memory has no rule for sparse tensors."""
        raise NotImplementedError(
            "Cannot access storage of SparseTensorImpl: jtorch has this for dense tensors alone. x.to_dense() gives one"
        )


class SparseTensor(Tensor):
    """A tensor of layout sparse_coo: indices (sparse dims, nnz) and values (nnz, *dense dims).

    What is recorded of it is recorded of these two, and gradients are those of the values. The class takes no calls
    over before there is a sparse tensor, so that a program without one pays nothing.
    raw: (indices, values) as they were made; where it is `loose`, those at a first index past the end are not there.
    """

    __torch_function__ = disabled

    raw: tuple
    _merged: bool
    _loose: bool
    layout = property(lambda self: constant("sparse_coo"), doc="torch.sparse_coo.")
    is_sparse = True

    def _settled(self):
        """(indices, values) that are there. Reads the indices where it has to find out."""
        if self._loose:
            self._loose = False
            places, values = self.raw
            there = host(places)[0] < aval(self).shape[0]
            if not there.all():
                kept = from_host(np.flatnonzero(there), device=aval(values).device)
                self.raw = places.index_select(1, kept), values.index_select(0, kept)
        return self.raw

    @property
    def _places(self):
        return self._settled()[0]

    @property
    def _held(self):
        return self._settled()[1]

    @property
    def requires_grad(self):
        """Whether the values do."""
        return self.raw[1].requires_grad

    @requires_grad.setter
    def requires_grad(self, wanted):
        self.raw[1].requires_grad = wanted

    @property
    def grad_fn(self):
        """The node that made the values."""
        return self.raw[1].grad_fn

    @property
    def data(self):
        """The same values, outside the graph."""
        return like(self, self.raw[1].detach())

    @data.setter
    def data(self, value):
        self._storage, self.raw, self._merged, self._loose = value._storage, value.raw, value._merged, value._loose

    @property
    def is_leaf(self):
        """Whether the values are a leaf."""
        return self.raw[1].is_leaf

    @property
    def grad(self):
        """The gradient, sparse at the same places."""
        grad = self._held.grad
        if grad is None or self._merged:
            return None if grad is None else like(self, grad)
        # torch: a place that comes twice has its gradient once.
        first = np.unique(host(self._places), axis=1, return_index=True)[1]
        index = from_host(first, device=aval(grad).device)
        return _made(self._places[:, index], grad[index], self.shape, True)


def unknown(name):
    """The error of a function that there is for dense tensors alone."""
    return NotImplementedError(
        f"Could not run 'aten::{name}' with arguments from the 'SparseCPU' backend: jtorch has it for dense tensors "
        "alone. x.to_dense() gives one"
    )


def refuse(name, tensors):
    """Raise `unknown(name)` where one of the tensors is sparse."""
    if any(x.is_sparse for x in tensors):
        raise unknown(name)


def _torch_function(cls, func, types, args=(), kwargs=None):
    owner = getattr(func, "__self__", None)
    name = owner.fget.__name__ if isinstance(owner, property) else func.__name__
    if name in _KNOWN:
        with DisableTorchFunctionSubclass():
            return func(*args, **(kwargs or {}))
    if name not in RULES:
        raise unknown(name)
    return RULES[name](*args, **(kwargs or {}))


# What the shape and dtype alone answer.
_KNOWN = frozenset(
    "shape size dim ndim ndimension numel nelement dtype device is_cuda is_cpu is_floating_point is_complex get_device "
    "__len__ is_tensor __hash__ __class__ element_size is_meta __dir__ _get_grad _set_grad _del_grad is_pinned".split()
)


def rule(*names):
    """Decorator: what torch's functions and methods of these names do with sparse arguments."""

    def put(fn):
        RULES.update(dict.fromkeys(names, fn))
        return fn

    return put


def _made(places, values, shape, merged=False, loose=False):
    """A sparse tensor of its parts. merged: no place comes twice and they are in order. loose: see SparseTensor."""
    take_over(SparseTensor, _torch_function)
    log.bind()  # a call that makes one is not replayed
    seen = aval(values)
    out = object.__new__(SparseTensor)
    out._storage = SparseStorage(Aval(tuple(shape), seen.dtype, seen.device))
    out.raw, out._merged, out._loose = (places, values), merged, loose
    return out


def parts(x):
    """(indices, values) of a sparse tensor."""
    return x._places, x._held


@function
def sparse_coo_tensor(
    indices=None, values=None, size=None, *, dtype=None, device=None, pin_memory=False, requires_grad=False,
    check_invariants=None, is_coalesced=None,
):  # fmt: skip
    """A sparse tensor of values at places. Shape: indices (sparse dims, nnz), values (nnz, *dense dims) -> size.

    Values at one place are added. Raises RuntimeError where the two have not as many.
    """
    if values is None:
        size, empty = indices if size is None else size, np.zeros((len(indices if size is None else size), 0), np.int64)
        return _made(from_host(empty), zeros(0, dtype=dtype, device=device, requires_grad=requires_grad), size)
    values = as_tensor(values, dtype=dtype, device=device)
    places = as_tensor(indices, dtype=dtypes.int64, device=aval(values).device)
    if places.dim() == 1 and not places.numel():
        places = places.reshape(0, 0)
    if places.shape[1] != values.shape[0]:
        raise RuntimeError(
            "indices and values must have same nnz, but got nnz from indices: "
            f"{places.shape[1]}, nnz from values: {values.shape[0]}"
        )
    if size is None:
        size = (*(host(places).max(1) + 1).tolist(), *values.shape[1:])
    if requires_grad:
        values = values.detach().requires_grad_()
    return _made(places, values, size, bool(is_coalesced))


@method
def to_sparse(self, *args, **kwargs):
    """The numbers other than 0, with their places. Shape: any -> the same, sparse."""
    places = np.stack(np.nonzero(host(self)))
    where = from_host(places, device=aval(self).device)
    return _made(where, self[tuple(where)], self.shape, True)


RULES["to_sparse"] = lambda self, *args: self


def _flat(x, dims):
    """The numbers of the places in the order of memory: an array."""
    places = host(x._places)
    return np.ravel_multi_index(tuple(places), dims) if places.shape[1] else np.zeros(0, np.int64)


@rule("coalesce")
def coalesce(self):
    """The same with each place once, in order."""
    if self._merged:
        return self
    dims = tuple(self.shape[: self._places.shape[0]])
    found, inverse = np.unique(_flat(self, dims), return_inverse=True)
    device = aval(self._held).device
    values = self._held.new_zeros((len(found), *self._held.shape[1:]))
    values = values.index_add(0, from_host(inverse.reshape(-1), device=device), self._held)
    places = np.stack(np.unravel_index(found, dims)).astype(np.int64)
    return _made(from_host(places, device=device), values, self.shape, True)


@rule("to_dense")
def to_dense(self, dtype=None, **kwargs):
    """All numbers."""
    out = call("sparse_to_dense", *self.raw, tuple(aval(self).shape))
    return out if dtype is None else out.to(dtype)


def _merged_alone(name, part):
    def read(self):
        if not self._merged:
            raise RuntimeError(f"Cannot get {name} on an uncoalesced tensor, please call .coalesce() first")
        return part(self)

    RULES[name] = read


_merged_alone("indices", lambda self: self._places)
_merged_alone("values", lambda self: self._held)
RULES["is_coalesced"] = lambda self: self._merged
RULES["sparse_dim"] = lambda self: self._places.shape[0]
RULES["dense_dim"] = lambda self: self._held.dim() - 1
SparseTensor._indices = lambda self: self._places
SparseTensor._values = lambda self: self._held
SparseTensor._nnz = lambda self: self._places.shape[1]


def _coalesced_(self, coalesced):
    """Say of a sparse tensor whether each place is there once; the tensor itself."""
    self._merged = coalesced
    return self


SparseTensor._coalesced_ = _coalesced_


def like(x, values):
    """Other values at the places of a sparse tensor: as many as x.raw has."""
    return _made(x.raw[0], values, aval(x).shape, x._merged, x._loose)
