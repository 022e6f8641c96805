"""Calls on DTensors that need more than a rule: what a tensor says of itself, new sizes, reading, lookups."""

import math

from jtorch import devices
from jtorch._tensor import Tensor, aval, wrap
from jtorch.autograd.apply import create
from jtorch.engine.ref import Ref
from jtorch.engine.ref import aval as known
from jtorch.ops.op import TABLE
from jtorch.shards.calls import general, handler, rule, title
from jtorch.shards.dtensor import DTensor, dressed, plain, shape_of, strides_of
from jtorch.shards.layout import Layout, moved, replicated
from jtorch.shards.placements import REPLICATE, SUM, Partial, Shard


@handler("shape")
def _shape(func, args, kwargs):
    return shape_of(args[0])


@handler("size")
def _size(func, args, kwargs):
    dim = args[1] if len(args) > 1 else kwargs.get("dim")
    return shape_of(args[0]) if dim is None else shape_of(args[0])[dim]


@handler("stride")
def _stride(func, args, kwargs):
    dim = args[1] if len(args) > 1 else kwargs.get("dim")
    return strides_of(args[0]) if dim is None else strides_of(args[0])[dim]


@handler("numel", "nelement")
def _numel(func, args, kwargs):
    return math.prod(shape_of(args[0]))


@handler("__len__")
def _len(func, args, kwargs):
    return len(func(args[0])) if not shape_of(args[0]) else shape_of(args[0])[0]


def _as_it_is(func, args, kwargs):
    return func(*args, **kwargs)


_SAID = (
    "dim ndim ndimension dtype device is_leaf requires_grad requires_grad.__set__ grad_fn is_floating_point is_complex "
    "is_cuda is_cpu is_meta is_contiguous element_size itemsize layout is_sparse is_quantized retain_grad retains_grad "
    "_version name output_nr register_hook register_post_accumulate_grad_hook is_signed get_device is_inference "
    "grad_dtype data_ptr is_same_size is_nested is_shared __hash__ requires_grad_ is_pinned untyped_storage _is_view "
    "storage_offset backward _backward_hooks is_mkldnn is_conj is_neg names has_names grad.__set__"
).split()
handler(*_SAID)(_as_it_is)


@handler("grad")
def _grad(func, args, kwargs):
    owner = args[0]
    found = func(owner)
    if isinstance(found, Tensor) and not isinstance(found, DTensor):
        own = owner._layout
        placements = [REPLICATE if isinstance(p, Partial) else p for p in own.placements]
        found = dressed(found, own.with_placements(placements))
    return found


@handler("data.__set__")
def _set_data(func, args, kwargs):
    owner, value = args
    func(owner, plain(value))
    if isinstance(value, DTensor):
        owner._layout = value._layout


def whole(x):
    """The whole of a DTensor as a plain tensor, on the tape."""
    return moved(x, x._layout, replicated(x._layout.mesh)) if isinstance(x, DTensor) else x


@handler("item", "__bool__", "__float__", "__int__", "__index__", "__complex__", "is_nonzero", "__format__",
         "__contains__", "equal", "allclose")  # fmt: skip
def _read(func, args, kwargs):
    return func(*map(whole, args), **kwargs)


@handler("numpy", "tolist", "__array__")
def _not_as_array(func, args, kwargs):
    name = title(func)
    tail = f", got {DTensor.__name__}" if name == "tolist" else "."
    raise RuntimeError(f".{name}() is not supported for tensor subclasses{tail}")


@handler("copy_")
def _copy(func, args, kwargs):
    target, source = args[:2]
    if isinstance(target, DTensor) and isinstance(source, DTensor):
        layout = source._layout
        if layout.mesh == target._layout.mesh and layout.shape == target._layout.shape:
            func(target, moved(source, layout, target._layout.placements))
            return target
    return general(func, "copy_", args, kwargs)


@handler("view", "reshape", "flatten", "unflatten", "view_as", "reshape_as")
def _view(func, args, kwargs):
    """New sizes of which the cut dims are the first of their part of the old ones; else each rank has the whole."""
    x = args[0]
    if not isinstance(x, DTensor):
        return general(func, title(func), args, kwargs)
    layout = x._layout
    new = aval(_sized(func, args, kwargs)).shape
    placements = [_at_new_place(p, layout.shape, new, n) for p, n in
                  zip(layout.placements, layout.mesh.shape, strict=True)]  # fmt: skip
    before = [p if isinstance(q, Shard) or p == q else REPLICATE
              for p, q in zip(layout.placements, placements, strict=True)]  # fmt: skip
    target = Layout(layout.mesh, placements, new)
    return dressed(moved(x, layout, before).reshape(target.part()), target)


def _sized(func, args, kwargs):
    """What a call makes of a tensor of the whole's shape without values."""
    return func(*(_empty(a) if isinstance(a, DTensor) else a for a in args), **kwargs)


def _empty(x):
    """A plain tensor of the whole's shape without values."""
    return wrap(Ref(known(x._layout.shape, aval(x).dtype, devices.META)))


def _at_new_place(placement, old, new, count):
    """Where a cut dim is in new sizes; Replicate where it can't stay cut."""
    if not isinstance(placement, Shard):
        return placement
    dim = placement.dim
    before = math.prod(old[:dim])
    at = next((d for d in range(len(new)) if math.prod(new[:d]) == before and new[d] != 1), None)
    if at is None or old[dim] % count or new[at] % count or old[dim] == 1:
        return REPLICATE
    return Shard(at)


@rule("t", "T", "mT", "transpose", "swapaxes", "permute", "unsqueeze", "squeeze", "movedim")
def _rearranged(call, i):
    at, shape = call.at(i)[0], call.shapes[0]
    if not isinstance(at, Shard):
        return [at], at
    new = _new_dim(call, at.dim, len(shape))
    even = call.divides(shape[at.dim], i)
    return ([at], Shard(new)) if new is not None and even else ([REPLICATE], REPLICATE)


def _new_dim(call, dim, ndim):
    """Where a dim is afterwards; None where that is not known."""
    name = call.name
    if name in ("t", "T", "mT") and (ndim == 2 or name == "mT"):
        return {ndim - 1: ndim - 2, ndim - 2: ndim - 1}.get(dim, dim)
    if name in ("transpose", "swapaxes"):
        a, b = (call.given(n, f"dim{n - 1}") % ndim for n in (1, 2))
        return {a: b, b: a}.get(dim, dim)
    if name == "permute":
        dims = call.given(1, "dims")
        dims = dims if isinstance(dims, (tuple, list)) else call.args[1:]
        return [d % ndim for d in dims].index(dim)
    if name == "unsqueeze":
        return dim + (call.given(1, "dim") % (ndim + 1) <= dim)
    if name == "squeeze" and isinstance(call.given(1, "dim"), int):
        gone = call.given(1, "dim") % ndim
        return dim - (gone < dim and call.shapes[0][gone] == 1) if gone != dim else None
    return None


@rule("cat", "concat", "concatenate", "stack")
def _joined(call, i):
    dim = call.given(1, "dim", 0)
    first = call.at(i)[0]
    ndim = len(call.shapes[0])
    new = call.name == "stack"
    dim %= ndim + new
    if not isinstance(first, Shard) or (first.dim == dim and not new) or not call.divides(call.shapes[0][first.dim], i):
        return [REPLICATE] * len(call.shapes), REPLICATE
    return [first] * len(call.shapes), Shard(first.dim + (new and dim <= first.dim))


@rule("split", "chunk", "unbind", "select", "narrow", "__getitem__")
def _taken(call, i):
    at, shape = call.at(i)[0], call.shapes[0]
    whole_ones = [REPLICATE] * len(call.shapes), REPLICATE
    if len(call.shapes) > 1 or not isinstance(at, Shard) or not call.divides(shape[at.dim], i):
        return whole_ones
    if call.name == "__getitem__":
        keys = call.args[1] if isinstance(call.args[1], tuple) else (call.args[1],)
        if not all(isinstance(key, (int, slice)) for key in keys):
            return whole_ones
        if at.dim < len(keys) and keys[at.dim] != slice(None):
            return whole_ones
        return [at], Shard(at.dim - sum(isinstance(key, int) for key in keys[: at.dim]))
    place = {"split": 2, "chunk": 2}.get(call.name, 1)
    dim = call.given(place, "dim", 0) % len(shape)
    if dim == at.dim:
        return whole_ones
    return [at], Shard(at.dim - (call.name in ("unbind", "select") and dim < at.dim))


@handler("embedding")
def _embedding(func, args, kwargs):
    """A table that is cut by rows: each rank looks up the rows that it has, and zeros else."""
    index, table, padding, longest = _named(args, kwargs)
    if padding is not None or longest is not None:
        return general(func, "embedding", args, kwargs)
    if not isinstance(table, DTensor) or not isinstance(index, DTensor):
        return general(func, "embedding", args, kwargs)
    layout = table._layout
    cut = [i for i, p in enumerate(layout.placements) if p == Shard(0)]
    plain_rest = all(p in (REPLICATE, Shard(0)) for p in layout.placements)
    if len(cut) != 1 or not plain_rest or any(index._layout.placements[i] != REPLICATE for i in cut):
        return general(func, "embedding", args, kwargs)
    here = cut[0]
    each = layout.part()[0]
    device = aval(table).device
    start = create(TABLE["rank_start"], (layout.mesh.get_group(here).across(device), each), device)
    local = plain(index) - start
    inside = (local >= 0) & (local < each)
    rows = func(local.clamp(0, each - 1), table)
    out = rows * inside.unsqueeze(-1).to(rows.dtype)
    placements = [SUM if i == here else p for i, p in enumerate(index._layout.placements)]
    return dressed(out, Layout(layout.mesh, placements, (*index._layout.shape, layout.shape[1])))


def _named(args, kwargs):
    given = dict(zip(("input", "weight", "padding_idx", "max_norm"), args, strict=False)) | kwargs
    return given["input"], given["weight"], given.get("padding_idx"), given.get("max_norm")
