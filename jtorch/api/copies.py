"""The `*_copy` functions: what a view function shows, as a copy in memory of its own."""

from jtorch.api import memory, viewing
from jtorch.api.put import FUNCTIONS, function, method
from jtorch.api.splitting import of_one_size, of_sizes
from jtorch.autograd.apply import apply, call
from jtorch.autograd.apply import view as view_of
from jtorch.autograd.inplace import write_out
from jtorch.ops.op import TABLE


def _copied(op, tensor, attrs, numbers=()):
    """The result of a view op as a copy, whose grad_fn bears torch's name of such."""
    return apply(op.under(f"{op.graph((), attrs)}_copy", view=False), (tensor, *numbers), attrs)


def _copy(name, show):
    """Make torch.<name>_copy. show: the function that gives the view."""

    def make(input, *args, **kwargs):
        out = kwargs.pop("out", None)
        op, numbers, attrs = show(input, *args, **kwargs)._view.steps[-1]
        made = _copied(op, memory.whole(input) if name == "as_strided" else input, attrs, numbers)
        return made if out is None else out.copy_(made)

    make.__name__ = make.__qualname__ = f"{name}_copy"
    make.__doc__ = f"A copy of what `{name}` shows."
    function(make)


def _of(name):
    return lambda input, *args, **kwargs: call(name, input, *args, **kwargs)


def _view(input, size=None, dtype=None):
    return input.view(dtype if size is None else size)


def _slice(input, dim=0, start=None, end=None, step=1):
    start, stop, step = slice(start, end, step).indices(input.size(dim))
    length = max(-(-(stop - start) // step), 0)
    return view_of(TABLE["slice"], input, (dim % input.dim(), length, step), (start,))


for _name, _show in {
    "alias": _of("alias"), "as_strided": memory.as_strided, "diagonal": _of("diagonal"),
    "expand": lambda input, size, *, implicit=False: input.expand(size), "permute": _of("permute"),
    "select": _of("select"), "slice": _slice, "squeeze": viewing.squeeze, "t": _of("t"), "transpose": _of("transpose"),
    "unfold": _of("unfold"), "unsqueeze": _of("unsqueeze"), "view": _view, "view_as_complex": _of("view_as_complex"),
    "view_as_real": _of("view_as_real"),
}.items():  # fmt: skip
    _copy(_name, _show)


@function
def detach_copy(input):
    """A copy outside the graph."""
    return call("clone", input.detach())


@method
def narrow_copy(self, dim, start, length):
    """A copy of what `narrow` shows. Raises RuntimeError out of range."""
    if not self.dim():
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if dim >= self.dim():
        raise RuntimeError(
            "Expected dim < static_cast<int64_t>(self_sizes.size()) to be true, but got false.  (Could this error "
            "message be improved?  If so, please report an enhancement request to PyTorch.)"
        )
    if length < 0:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({self.size(dim)}).")
    op, numbers, attrs = viewing.narrow(self, dim, start, length)._view.steps[-1]
    return apply(op.under("NarrowCopyBackward0", view=False), (self, *numbers), attrs)


def _narrow_copy(input, dim, start, length, *, out=None):
    """A copy of what `narrow` shows. Raises RuntimeError out of range."""
    made = input.narrow_copy(dim, start, length)
    return made if out is None else write_out(out, made)


_narrow_copy.__name__ = "narrow_copy"
function(_narrow_copy)


@function
def split_copy(tensor, split_size, dim=0):
    """Copies of the pieces that `split` shows."""
    return _pieces("split", tensor, *of_one_size(tensor, split_size, dim))


@function
def split_with_sizes_copy(input, split_sizes, dim=0, *, out=None):
    """Copies of the pieces that `split_with_sizes` shows; None where they go into the tensors of out."""
    return _into(out, _pieces("split_with_sizes", input, *of_sizes(input, split_sizes, dim)))


@function
def unbind_copy(input, dim=0, *, out=None):
    """Copies of the slices that `unbind` shows; None where they go into the tensors of out."""
    FUNCTIONS["unbind"](input, dim)  # raises where that does
    return _into(out, _listed(_copied(TABLE["unbind"], input, (dim % input.dim(),))))


def _into(out, pieces):
    if out is None:
        return pieces
    for place, piece in zip(out, pieces, strict=True):
        write_out(place, piece)
    return None


def _pieces(op, tensor, sections, dim):
    return _listed(_copied(TABLE[op], tensor, (sections, dim)))


def _listed(pieces):
    return pieces if isinstance(pieces, tuple) else (pieces,)
