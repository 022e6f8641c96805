"""FlopCounterMode: how many floating point operations the products of a program take, by module and operator."""

import functools
import math
import warnings
from collections import defaultdict

from jtorch._ops import OpOverloadPacket, namespace
from jtorch._tensor import Tensor
from jtorch.engine import trace
from jtorch.utils._products import products
from jtorch.utils._pytree import tree_leaves, tree_map
from jtorch.utils.module_tracker import ModuleTracker

__all__ = ["FlopCounterMode", "register_flop_formula"]

flop_registry = {}
_SUFFIXES = ["", "K", "M", "B", "T"]
_HEADER = ("Module", "FLOP", "% Total")


def _of_shapes(formula):
    """A formula of shapes as one of tensors and their result."""

    @functools.wraps(formula)
    def of_values(*args, out_val=None, **kwargs):
        args, kwargs, out = tree_map(lambda x: x.shape if isinstance(x, Tensor) else x, (args, kwargs, out_val))
        return formula(*args, out_shape=out, **kwargs)

    return of_values


def register_flop_formula(targets, get_raw=False):
    """A decorator: a function of the shapes of an operator's arguments, and out_shape, counts what it takes.

    targets: `torch.ops.library.name`, or several. get_raw: it gets the arguments themselves, and out_val.
    Raises: ValueError for what is no operator, RuntimeError for one that has a formula.
    """

    def register(formula):
        counted = formula if get_raw else _of_shapes(formula)
        for target in tree_leaves(targets):
            if not isinstance(target, OpOverloadPacket):
                raise ValueError(
                    "register_flop_formula(targets): expected each target to be OpOverloadPacket (i.e. "
                    f"torch.ops.mylib.foo), JitFunction, or HigherOrderOperator, got {target} which is of type "
                    f"{type(target)}"
                )
            if target in flop_registry:
                raise RuntimeError(f"duplicate registrations for {target}")
            flop_registry[target] = counted
        return counted

    return register


def _aten(*names):
    return register_flop_formula([getattr(namespace("aten"), name) for name in names])


@_aten("mm")
def mm_flop(a_shape, b_shape, *args, out_shape=None, **kwargs):
    """Of a product of matrices."""
    return 2 * math.prod(a_shape) * b_shape[-1]


@_aten("addmm")
def addmm_flop(self_shape, a_shape, b_shape, out_shape=None, **kwargs):
    """Of a product of matrices, without the sum."""
    return mm_flop(a_shape, b_shape)


@_aten("bmm")
def bmm_flop(a_shape, b_shape, out_shape=None, **kwargs):
    """Of products of a batch of matrices."""
    return mm_flop(a_shape, b_shape)


@_aten("baddbmm")
def baddbmm_flop(self_shape, a_shape, b_shape, out_shape=None, **kwargs):
    """Of products of a batch of matrices, without the sum."""
    return mm_flop(a_shape, b_shape)


def conv_flop_count(x_shape, w_shape, out_shape, transposed=False):
    """Of a convolution: each element of the kernel at each place of the result (of the input, where transposed)."""
    places = (x_shape if transposed else out_shape)[2:]
    return 2 * x_shape[0] * math.prod(places) * math.prod(w_shape)


@_aten("convolution", "_convolution", "cudnn_convolution", "_slow_conv2d_forward", "convolution_overrideable")
def conv_flop(x_shape, w_shape, _bias, _stride, _padding, _dilation, transposed, *args, out_shape=None, **kwargs):
    """Of a convolution, without the bias."""
    return conv_flop_count(x_shape, w_shape, out_shape, transposed=transposed)


@_aten("convolution_backward")
def conv_backward_flop(
    grad_out_shape, x_shape, w_shape, _bias, _stride, _padding, _dilation, transposed, _output_padding, _groups,
    output_mask, out_shape,
):  # fmt: skip
    """Of the gradients of a convolution: that of the input and that of the kernel are convolutions too."""

    def turned(shape):
        return [shape[1], shape[0], *shape[2:]]

    count = 0
    if output_mask[0]:
        count += conv_flop_count(grad_out_shape, w_shape, out_shape[0], not transposed)
    if output_mask[1]:
        x, kernel = (grad_out_shape, x_shape) if transposed else (x_shape, grad_out_shape)
        count += conv_flop_count(turned(x), turned(kernel), turned(out_shape[1]))
    return count


def sdpa_flop_count(query_shape, key_shape, value_shape):
    """Of attention: scores, then the values they mix. Shape: (b, heads, t, d), (b, heads, s, d), (b, heads, s, e)."""
    batch, heads, rows, width = query_shape
    return 2 * batch * heads * rows * key_shape[2] * (width + value_shape[-1])


def sdpa_backward_flop_count(grad_out_shape, query_shape, key_shape, value_shape):
    """Of the gradients of attention: the scores again, then two products for each of the two."""
    batch, heads, rows, width = query_shape
    return 2 * batch * heads * rows * key_shape[2] * (3 * width + 2 * value_shape[-1])


_ATTENTION = [f"_scaled_dot_product_{kind}_attention" for kind in ("efficient", "flash", "cudnn")]


@_aten(*_ATTENTION)
def sdpa_flop(query_shape, key_shape, value_shape, *args, out_shape=None, **kwargs):
    """Of attention, causal or not."""
    return sdpa_flop_count(query_shape, key_shape, value_shape)


@_aten(*(f"{name}_backward" for name in _ATTENTION))
def sdpa_backward_flop(grad_out_shape, query_shape, key_shape, value_shape, *args, out_shape=None, **kwargs):
    """Of the gradients of attention."""
    return sdpa_backward_flop_count(grad_out_shape, query_shape, key_shape, value_shape)


def _suffix_of(number):
    return _SUFFIXES[max(0, min(len(_SUFFIXES) - 1, (len(str(number)) - 2) // 3))]


def _scaled(number, suffix):
    if not suffix:
        return f"{number:g}"
    return f"{number / 1000 ** _SUFFIXES.index(suffix):.3f}{suffix}"


class FlopCounterMode:
    """Context manager: count what the products inside take, forward and backward; `display` prints a table at its end.

    depth: how deep the table goes into modules. custom_mapping: operator -> a formula of shapes. Counted are the calls
    as torch would make them on the device at hand, when they are recorded; a step that torch.compile replays is not.
    """

    def __init__(self, mods=None, depth=2, display=True, custom_mapping=None):
        self.flop_counts = defaultdict(lambda: defaultdict(int))
        self.depth = depth
        self.display = display
        if mods is not None:
            warnings.warn("mods argument is not needed anymore, you can stop passing it", stacklevel=2)
        custom = (custom_mapping or {}).items()
        self.flop_registry = {
            **flop_registry,
            **{k: v if getattr(v, "_get_raw", False) else _of_shapes(v) for k, v in custom},
        }
        self.mod_tracker = ModuleTracker()
        self._counting = False

    def get_total_flops(self):
        """All that was counted."""
        return sum(self.flop_counts["Global"].values())

    def get_flop_counts(self):
        """{name of a module, or "Global": {operator: count}}."""
        return {name: dict(counts) for name, counts in self.flop_counts.items()}

    def get_table(self, depth=None):
        """The counts as a table, modules down to a depth."""
        depth = self.depth if depth is None else depth
        total = self.get_total_flops()
        suffix = _suffix_of(total)

        def row(title, count):
            return title, _scaled(count, suffix), f"{count / total:.2%}" if total else "0%"

        def rows(name, indent):
            counts = self.flop_counts[name]
            return [
                row(indent + name, sum(counts.values())),
                *(row(f"{indent} - {packet}", count) for packet, count in counts.items()),
            ]

        names = sorted(n for n in self.flop_counts if n != "Global" and (depth is None or n.count(".") < depth))
        lines = [line for name in names for line in rows(name, " " * name.count("."))]
        if "Global" in self.flop_counts and all(sum(self.flop_counts[name].values()) < total for name in names):
            lines = [*rows("Global", ""), *((" " + title, *rest) for title, *rest in lines)]
        return _table(lines or [("Global", "0", "0%")])

    def __enter__(self):
        self.flop_counts.clear()
        self.mod_tracker.__enter__()
        self._plain, trace.record = trace.record, self._record
        self._called = [(op, op._call) for op in self.flop_registry if op._namespace != "aten"]
        for op, call in self._called:
            self._put(op, functools.partial(self._count_call, op, call))
        return self

    def __exit__(self, *args):
        trace.record = self._plain
        for op, call in self._called:
            self._put(op, call)
        self.mod_tracker.__exit__()
        if self.display:
            print(self.get_table(self.depth))  # noqa: T201  (torch: the counter prints)

    @staticmethod
    def _put(op, call):
        op._call = op.default._call = call

    def _count_call(self, op, call, *args, **kwargs):
        """Count a user's operator as a whole, not what it calls."""
        inside, self._counting = self._counting, True
        try:
            out = call(*args, **kwargs)
        finally:
            self._counting = inside
        if not inside:
            self._add(op, self.flop_registry[op](*args, **kwargs, out_val=out))
        return out

    def _record(self, op, attrs, ins, device):
        outs, sig = self._plain(op, attrs, ins, device)
        if not self._counting:
            for name, args, out in products(op, attrs, ins, outs):
                packet = getattr(namespace("aten"), name, None)
                if packet in self.flop_registry:
                    self._add(packet, self.flop_registry[packet](*args, out_val=out))
        return outs, sig

    def _add(self, packet, count):
        for name in self.mod_tracker.parents:
            self.flop_counts[name][packet] += count


def _table(rows):
    widths = [max(len(title) + 2, *(len(row[i]) for row in rows)) for i, title in enumerate(_HEADER)]

    def line(row):
        return "  ".join(
            cell.rjust(w) if i else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )

    return "\n".join([line(_HEADER), "  ".join("-" * w for w in widths), *map(line, rows)])
