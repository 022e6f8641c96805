"""Recurrent networks as functions: lstm, gru, rnn_tanh and rnn_relu over whole sequences, and their single steps."""

from jtorch._tensor import Tensor, aval, host
from jtorch.api.dropping import dropped
from jtorch.api.guard import Refused
from jtorch.api.packing import check_packed
from jtorch.api.put import function
from jtorch.autograd.apply import apply
from jtorch.ops.op import TABLE
from jtorch.shapes import broadcast_shapes

_PADDED = "input hx params has_biases num_layers dropout train bidirectional batch_first".split()
_PACKED = "data batch_sizes hx params has_biases num_layers dropout train bidirectional".split()
_ONEDNN = ("float32", "bfloat16")


def _layer(mode, x, state, weights, batch_sizes, reverse):
    """One layer in one direction: (states, (last state,) or (last state, last cell)). weights: with w_hr, or None."""
    *usual, w_hr = weights
    if mode == "LSTM":
        states, h, c, *_ = apply(TABLE["lstm_layer"], (x, *state, *usual, w_hr, batch_sizes), (reverse,))
        return states, (h, c)
    if mode == "GRU":
        states, h, _ = apply(TABLE["gru_layer"], (x, *state, *usual, batch_sizes), (reverse,))
    else:
        states, h = apply(TABLE["rnn_layer"], (x, *state, *usual, batch_sizes), (mode == "RNN_RELU", reverse))
    return states, (h,)


def _unbound(x):
    found = apply(TABLE["unbind"], (x,), (0,)) if aval(x).shape[0] else ()
    return found if isinstance(found, tuple) else (found,)


def _firsts(hx, count, batch):
    """The first state of each layer and direction, a tuple each. Raises RuntimeError when they are not as many."""
    broadcast_shapes((batch, 1), (aval(hx[0]).shape[1], 1))
    states = list(zip(*map(_unbound, hx), strict=False))
    if len(states) != count or any(aval(x).shape[0] != count for x in hx):
        raise RuntimeError("Expected more hidden states in stacked_rnn")
    return states


def _grouped(params, count, has_biases, projected):
    """(w_ih, w_hh, b_ih, b_hh, w_hr) of each layer and direction, None where there is none."""
    each = 2 + 2 * bool(has_biases) + projected
    if len(params) != each * count:
        raise RuntimeError("got an incorrect number of RNN parameters")
    for at in range(0, len(params), each):
        given = list(params[at : at + each])
        w_hr = given.pop() if projected else None
        yield (*given, *(() if has_biases else (None, None)), w_hr)


def _stacked(tensors):
    return apply(TABLE["stack"], tuple(tensors), (len(tensors), 0))


class _Packing:
    """How the layers' blocks (T, B, *) and packed rows become each other."""

    def __init__(self, data, batch_sizes, batch):
        self.sizes, self.batch = batch_sizes, batch
        self.steps, self.total = aval(batch_sizes).shape[0], aval(data).shape[0]
        counts = host(batch_sizes)
        check_packed(counts)
        if counts.sum() > self.total:
            start = int(counts[:-1].sum())
            raise RuntimeError(f"start ({start}) + length ({counts[-1]}) exceeds dimension size ({self.total}).")

    def padded(self, data):
        return apply(TABLE["pad_packed"], (data, self.sizes, 0.0), (self.batch, self.steps))

    def packed(self, block):
        total = int(host(self.sizes).sum())
        return apply(TABLE["pack_padded"], (block, self.sizes), (total, "CatBackward0"))


def _dropped(x, p, packing):
    if packing is None:
        return dropped(x, p)
    # torch: what is dropped of packed sequences is drawn row by row.
    return packing.padded(dropped(packing.packed(x), p))


def run(mode, input, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional):
    """(output, (last states,) or (last states, last cells)) of a stack of layers. mode: LSTM, GRU, RNN_TANH, RNN_RELU.

    Shape: input (T, B, F), or packed rows (N, F) with batch_sizes (T,); hx: (layers · directions, B, H) each.
    """
    directions = 2 if bidirectional else 1
    count = num_layers * directions
    projected = mode == "LSTM" and aval(hx[0]).shape[2] != aval(hx[1]).shape[2]
    packing = None if batch_sizes is None else _Packing(input, batch_sizes, aval(hx[0]).shape[1])
    if not (aval(input).shape[0] if packing is None else packing.steps):
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    weights = _grouped(params, count, has_biases, projected)
    firsts = iter(_firsts(hx, count, aval(input).shape[1] if packing is None else packing.batch))
    x, lasts = input if packing is None else packing.padded(input), []
    for layer in range(num_layers):
        ways = []
        for reverse in (False, True)[:directions]:
            states, last = _layer(mode, x, next(firsts), next(weights), batch_sizes, reverse)
            ways.append(states)
            lasts.append(last)
        x = ways[0] if directions == 1 else apply(TABLE["cat"], tuple(ways), (2, 2))
        if dropout and train and layer < num_layers - 1:
            x = _dropped(x, dropout, packing)
    if packing is not None:
        x = packing.packed(x)
    elif directions == 1:
        fast = mode == "LSTM" and not projected and aval(input).dtype.name in _ONEDNN
        x = apply(TABLE["rnn_output"], (x,), ("MkldnnRnnLayerBackward0" if fast else "StackBackward0",))
    return x, tuple(_stacked(each) for each in zip(*lasts, strict=True))


def whole(mode, input, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
    """As `run`, where batch_first means that input and output are (B, T, *)."""
    first = batch_first and batch_sizes is None
    x = input.transpose(0, 1) if first else input
    x, lasts = run(mode, x, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional)
    if first:
        # torch: only the LSTM's output is a new view.
        x = x.transpose(0, 1) if mode == "LSTM" else x.transpose_(0, 1)
    return x, *lasts


def _family(mode, name):
    lstm = mode == "LSTM"

    def fn(*args, **kwargs):
        at = 1 if lstm else 2
        packed = "data" in kwargs or "batch_sizes" in kwargs or (len(args) > at and isinstance(args[at], Tensor))
        names = _PACKED if packed else _PADDED
        given = dict(zip(names, args, strict=False)) | kwargs
        if len(args) + len(kwargs) != len(names) or set(given) != set(names):
            raise Refused
        x = given.pop("data" if packed else "input")
        hx = given.pop("hx")
        if lstm and len(hx) != 2:
            raise RuntimeError("lstm expects two hidden states")
        sizes, first = given.pop("batch_sizes", None), given.pop("batch_first", False)
        return whole(mode, x, sizes, tuple(hx) if lstm else (hx,), **given, batch_first=first)

    states = "last states, last cells" if lstm else "last states"
    fn.__name__ = fn.__qualname__ = name
    fn.__doc__ = f"(output, {states}) of layers over padded, or packed, sequences; see nn.{mode.split('_')[0]}."
    function(fn)


for _mode, _name in (("LSTM", "lstm"), ("GRU", "gru"), ("RNN_TANH", "rnn_tanh"), ("RNN_RELU", "rnn_relu")):
    _family(_mode, _name)


def _check_step(input, states, w_ih, w_hh):
    x = aval(input).shape
    if len(x) < 2:
        raise IndexError("Dimension out of range (expected to be in range of [-1, 0], but got 1)")
    if x[1] != aval(w_ih).shape[1]:
        raise RuntimeError(f"input has inconsistent input_size: got {x[1]} expected {aval(w_ih).shape[1]}")
    wanted = aval(w_hh).shape[1]
    for i, state in enumerate(states):
        batch, size = aval(state).shape[:2]
        if batch != x[0]:
            raise RuntimeError(f"Input batch size {x[0]} doesn't match hidden{i} batch size {batch}")
        if size != wanted:
            raise RuntimeError(f"hidden{i} has inconsistent hidden_size: got {size}, expected {wanted}")


@function
def lstm_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """(next state, next cell) of an LSTM. Shape: (B, F), two (B, H) -> two (B, H). Raises RuntimeError for sizes."""
    if len(hx) != 2:
        raise RuntimeError("lstm_cell expects two hidden states")
    _check_step(input, hx, w_ih, w_hh)
    sums = apply(TABLE["lstm_sums"], (input, hx[0], w_ih, w_hh, b_ih, b_hh), ())
    cell = apply(TABLE["lstm_next_cell"], (sums, hx[1]), ())
    return apply(TABLE["lstm_next_hidden"], (sums, cell), ()), cell


@function
def gru_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """The next state of a GRU. Shape: (B, F), (B, H) -> (B, H). Raises RuntimeError for sizes that do not fit."""
    _check_step(input, (hx,), w_ih, w_hh)
    return apply(TABLE["gru_step"], (input, hx, w_ih, w_hh, b_ih, b_hh), ())


@function
def rnn_tanh_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """The next state of an Elman cell. Shape: (B, F), (B, H) -> (B, H). Raises RuntimeError for sizes."""
    _check_step(input, (hx,), w_ih, w_hh)
    return apply(TABLE["rnn_step"], (input, hx, w_ih, w_hh, b_ih, b_hh), (False,))


@function
def rnn_relu_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """The next state of an Elman cell with relu. Shape: (B, F), (B, H) -> (B, H). Raises RuntimeError for sizes."""
    _check_step(input, (hx,), w_ih, w_hh)
    return apply(TABLE["rnn_step"], (input, hx, w_ih, w_hh, b_ih, b_hh), (True,))
