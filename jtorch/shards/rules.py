"""Rules of calls on DTensors: elementwise ones, products, sums over dims, normalisations, and lookups."""

from jtorch.ops.op import TABLE
from jtorch.shards.calls import ELEMENTWISE, rule
from jtorch.shards.placements import REPLICATE, SUM, Partial, Shard

_FILES = ("arithmetic", "bitwise", "choose", "compare", "pairs", "pointwise", "special", "trigonometry")
_BY_TABLE = tuple(
    name for op in TABLE.values() if op.rule and getattr(op.fn, "__module__", "").rpartition(".")[2] in _FILES
    for name in (op.name, *op.aliases)
)  # fmt: skip
_ELEMENTWISE = (
    "abs absolute neg negative sign sgn clone contiguous to type type_as float double half bfloat16 int long short "
    "bool positive detach logical_not logical_and logical_or logical_xor isnan isinf isfinite nan_to_num pow where "
    "relu relu6 gelu silu tanh leaky_relu elu selu celu hardtanh hardswish hardsigmoid mish softplus softsign "
    "logsigmoid threshold dropout alpha_dropout zeros_like ones_like full_like empty_like rand_like randn_like "
    "masked_fill fill zero requires_grad copy bernoulli cpu cuda float_power sub subtract multiply divide square "
    "real __rsub__ __rtruediv__ __rpow__ __rfloordiv__ __rmod__ __and__ __or__ __xor__ __invert__ alias data "
    "__iadd__ __isub__ __imul__ __itruediv__ __ipow__ __iand__ __ior__ __ixor__"
).split()
_LINEAR = set(
    "neg negative clone contiguous detach alias data mul div true_divide multiply divide requires_grad to float double "
    "__imul__ __itruediv__".split()
)


def elementwise(call, i):
    """The operands are cut as the first one that is; whole ones go along."""
    at, shapes = call.at(i), call.shapes
    name = call.name.removesuffix("_") if not call.name.endswith("__") else call.name
    if any(isinstance(p, Partial) for p in at):
        if _stays_partial(call, name, at):
            return at, at[0]
        at = [REPLICATE if isinstance(p, Partial) else p for p in at]
    ndim = max(map(len, shapes))
    size = [max(s[dim + len(s) - ndim] if dim + len(s) >= ndim else 1 for s in shapes) for dim in range(ndim)]
    for placement, shape in zip(at, shapes, strict=True):
        if isinstance(placement, Shard):
            dim = placement.dim + ndim - len(shape)
            if shape[placement.dim] == size[dim] and (size[dim] > 1 or len(shapes) == 1):
                return [_cut_at(dim + len(s) - ndim, s) for s in shapes], Shard(dim)
    return [REPLICATE] * len(shapes), REPLICATE


def _cut_at(dim, shape):
    return REPLICATE if dim < 0 or shape[dim] == 1 else Shard(dim)


def _stays_partial(call, name, at):
    """Whether a call on sums that are not added up gives such a sum."""
    if len(at) == 1:
        return name in _LINEAR
    numbers = [x for x in call.args if isinstance(x, (int, float))]
    return name in ("add", "sub", "subtract", "__iadd__", "__isub__") and not numbers and set(at) == {at[0]}


rule(*_BY_TABLE, *(f"{name}_" for name in _BY_TABLE), *_ELEMENTWISE,
     *(f"{name}_" for name in _ELEMENTWISE if not name.startswith("_")))(elementwise)  # fmt: skip
ELEMENTWISE.add(elementwise)


def _product(call, i, rows, columns, depth, out):
    """A product of two operands. rows, columns: {dim of the first / second: dim of the result}; depth: the dims of each
    that are summed over. out: how many operands the call has; a third is added to the result."""
    a, b = call.at(i)[:2]
    sizes = call.shapes[0][depth[0]]
    rest = [REPLICATE] * (out - 2)
    cut = a.is_shard(depth[0]) or b.is_shard(depth[1])
    if cut and not (a.is_shard() and b.is_shard() and not (a.is_shard(depth[0]) and b.is_shard(depth[1]))):
        if call.divides(sizes, i):
            return [Shard(depth[0]), Shard(depth[1]), *[SUM] * (out - 2)], SUM
    if a.is_shard() and a.dim in rows and call.divides(call.shapes[0][a.dim], i):
        other = b if b.is_shard() and columns.get(b.dim) == rows[a.dim] else REPLICATE
        return [a, other, *rest], Shard(rows[a.dim])
    if b.is_shard() and b.dim in columns and call.divides(call.shapes[1][b.dim], i):
        added = [_cut_at(len(call.shapes[k]) - 1, call.shapes[k]) for k in range(2, out)]
        return [REPLICATE, b, *added], Shard(columns[b.dim])
    return [REPLICATE] * out, REPLICATE


@rule("linear")
def linear(call, i):
    """x · wᵀ + b."""
    n = len(call.shapes[0])
    return _product(call, i, {d: d for d in range(n - 1)}, {0: n - 1}, (n - 1, 1), len(call.shapes))


@rule("matmul", "mm", "bmm", "__matmul__", "__rmatmul__")
def matmul(call, i):
    """a · b, over the last dim of a and the last but one of b; a batch dim of both is cut in both."""
    a, b = call.shapes
    if len(a) < 2 or len(b) < 2 or (len(b) > 2 and len(a) != len(b)) or call.name == "__rmatmul__":
        return [REPLICATE] * 2, REPLICATE
    rows = {d: d for d in range(len(a) - 1) if d >= len(a) - 2 or len(b) == 2 or a[d] == b[d]}
    columns = {len(b) - 1: len(a) - 1} | {d: d for d in range(len(b) - 2) if a[d] == b[d]}
    at = call.at(i)
    for k in (0, 1):  # a batch dim is cut in both
        if at[k].is_shard() and len(b) > 2 and at[k].dim < len(a) - 2:
            d = at[k].dim
            fits = a[d] == b[d] and call.divides(a[d], i)
            return ([Shard(d)] * 2, Shard(d)) if fits else ([REPLICATE] * 2, REPLICATE)
    return _product(call, i, rows, columns, (len(a) - 1, len(b) - 2), 2)


@rule("addmm")
def addmm(call, i):
    """input + a · b."""
    layouts, shapes = call.layouts, call.shapes
    call.layouts, call.shapes = [*layouts[1:], layouts[0]], [*shapes[1:], shapes[0]]
    (a, b, c), out = _product(call, i, {0: 0}, {1: 1}, (1, 0), 3)
    call.layouts, call.shapes = layouts, shapes
    if out == Shard(0) and len(shapes[0]) == 2 and shapes[0][0] > 1:
        c = Shard(0)
    return [c, a, b], out


def dims_of(call, dim, shape):
    """The dims that an argument names, counted from the front; all for None."""
    if dim is None or dim == () or dim == []:
        return tuple(range(len(shape)))
    dims = dim if isinstance(dim, (tuple, list)) else (dim,)
    return tuple(d % len(shape) for d in dims) if shape else ()


_HOW = {"sum": "sum", "mean": "avg", "amax": "max", "amin": "min", "max": "max", "min": "min", "nansum": "sum"}


@rule("sum", "mean", "nansum", "amax", "amin", "max", "min", "prod", "all", "any", "var", "std", "logsumexp", "argmax",
      "argmin", "norm")  # fmt: skip
def reduced(call, i):
    """Over cut dims each rank does its part, where that can be put together; dims that stay stay cut."""
    at, shape = call.at(i)[0], call.shapes[0]
    place = 2 if call.name == "norm" else 1
    dim, keep = call.given(place, "dim"), call.given(place + 1, "keepdim", False)
    if len(call.shapes) > 1 or isinstance(dim, bool):
        return [REPLICATE] * len(call.shapes), REPLICATE
    dims = dims_of(call, dim, shape)
    if isinstance(at, Partial) and at.reduce_op in ("sum", "avg") and call.name in ("sum", "mean"):
        return [at], at
    if not isinstance(at, Shard) or not call.divides(shape[at.dim], i) or call.name == "norm":
        return [REPLICATE], REPLICATE
    if at.dim not in dims:
        return [at], Shard(at.dim if keep else at.dim - sum(d < at.dim for d in dims))
    how = _HOW.get(call.name) if dim is None or call.name not in ("max", "min") else None
    return ([at], Partial(how)) if how else ([REPLICATE], REPLICATE)


def along(blocked):
    """The rule of calls that mix values along some dims only. blocked(call): those dims of the first operand."""

    def found(call, i):
        at = call.at(i)[0]
        free = isinstance(at, Shard) and at.dim not in blocked(call) and call.divides(call.shapes[0][at.dim], i)
        at = at if free else REPLICATE
        return [at, *[REPLICATE] * (len(call.shapes) - 1)], at

    return found


def _last(call):
    ndim, count = len(call.shapes[0]), len(tuple(call.given(1, "normalized_shape")))
    return range(ndim - count, ndim)


def _dim(call):
    return dims_of(call, call.given(1, "dim", -1), call.shapes[0])


rule("layer_norm", "rms_norm")(along(_last))
rule("softmax", "log_softmax", "softmin", "cumsum", "cumprod", "sort", "argsort", "flip")(along(_dim))


@rule("embedding")
def embedding(call, i):
    """Rows of a table that is cut by columns, or indices that are cut. One cut by rows: handlers.py."""
    index, table = call.at(i)
    if table == Shard(1) and call.divides(call.shapes[1][1], i):
        return [REPLICATE, table], Shard(len(call.shapes[0]))
    if index.is_shard() and call.divides(call.shapes[0][index.dim], i):
        return [index, REPLICATE], index
    return [REPLICATE, REPLICATE], REPLICATE
