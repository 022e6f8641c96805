"""Layers that run along a sequence, and single steps of them: Elman, LSTM and GRU, each a scan over time.

A scan can't share work with the forward that jax.vjp would repeat, and would sum weight gradients step by step: the
gradients stand here by hand, read what the forward kept, and take each weight's gradient in one product at the end.
"""

import functools

import jax
import jax.numpy as jnp
from jax import lax

from jtorch.dtypes import from_numpy
from jtorch.ops.op import Array, op, widened


def _rows(x):
    """All dims but the last made one. Shape: (*, n) -> (m, n)."""
    return x.reshape(-1, x.shape[-1])


def _projected(x, weight, *biases):
    """x weightᵀ + biases. Shape: (*, a), (b, a) -> (*, b)."""
    if x.dtype != weight.dtype:
        names = " and ".join(from_numpy(a.dtype).label for a in (x, weight))
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {names}")
    if x.shape[-1] != weight.shape[1]:
        (rows, found), (wide, wanted) = _rows(x).shape, weight.shape
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({rows}x{found} and {wanted}x{wide})")
    out = lax.dot(_rows(x), weight.T).reshape(*x.shape[:-1], weight.shape[0])
    for bias in biases:
        out = out if bias is None else out + bias
    return out


def _running(batch_sizes, batch):
    """Which sequences of a batch, longest first, have not ended. Shape: (T,) -> (T, batch, 1), None for None."""
    return None if batch_sizes is None else (jnp.arange(batch) < batch_sizes[:, None])[:, :, None]


def _where(on, new, old):
    """new where sequences run, else old; of each pair."""
    return new if on is None else tuple(jnp.where(on, n, o) for n, o in zip(new, old, strict=True))


def _before(states, first, reverse):
    """The state that each step began with. Shape: (T, B, H), (B, H) -> (T, B, H)."""
    parts = (states[1:], first[None]) if reverse else (first[None], states[:-1])
    return jnp.concatenate(parts)


def _to_weights(of_x, of_h, input, before, w_ih, b_ih, b_hh):
    """Gradients of (input, w_ih, w_hh, b_ih, b_hh) from those of the sums that x and h were projected to."""
    rows_x, rows_h = _rows(of_x), _rows(of_h)
    to_input = lax.dot(rows_x, w_ih).reshape(input.shape)
    to_ih, to_hh = lax.dot(rows_x.T, _rows(input)), lax.dot(rows_h.T, _rows(before))
    to_b_ih = None if b_ih is None else rows_x.sum(0)
    to_b_hh = None if b_hh is None else to_b_ih if of_h is of_x and b_ih is not None else rows_h.sum(0)
    return to_input, to_ih, to_hh, to_b_ih, to_b_hh


def _cast(arrays, like):
    """Cotangents and results in the dtype that operands are widened to."""
    return [x.astype(like.dtype) for x in arrays]


# Elman: h' = tanh or relu of (W_ih x + b_ih + W_hh h + b_hh).


@op(
    "rnn_layer", door=None, grad_name="StackBackward0",
    saves=("input", "h0", "w_ih", "w_hh", "batch_sizes", "result"),
)  # fmt: skip
@widened
def rnn_layer(
    input: Array, h0: Array, w_ih: Array, w_hh: Array, b_ih: Array | None, b_hh: Array | None,
    batch_sizes: Array | None, relu, reverse,
):  # fmt: skip
    """(states, last state) of an Elman layer. Shape: (T, B, F), (B, H) -> (T, B, H), (B, H)."""
    act = jax.nn.relu if relu else jnp.tanh

    def step(h, given):
        on, z = given
        (h,) = _where(on, (act(z + lax.dot(h, w_hh.T)),), (h,))
        return h, h

    given = _running(batch_sizes, input.shape[1]), _projected(input, w_ih, b_ih, b_hh)
    last, states = lax.scan(step, h0, given, reverse=reverse)
    return states, last


@rnn_layer.gradient
@widened
def _(grad, result, input, h0, w_ih, w_hh, b_ih, b_hh, batch_sizes, relu, reverse):
    of_states, of_last = _cast(grad, input)
    states, _ = _cast(result, input)

    def step(dh, given):
        on, d, h = given
        dh = dh + d
        dz = jnp.where(h > 0, dh, 0) if relu else dh * (1 - h * h)
        (dz,) = _where(on, (dz,), (jnp.zeros_like(dz),))
        return _where(on, (lax.dot(dz, w_hh),), (dh,))[0], dz

    given = _running(batch_sizes, input.shape[1]), of_states, states
    to_h0, dz = lax.scan(step, of_last, given, reverse=not reverse)
    grads = _to_weights(dz, dz, input, _before(states, h0, reverse), w_ih, b_ih, b_hh)
    return (grads[0], to_h0, *grads[1:], None)


# LSTM (Hochreiter & Schmidhuber 1997): c' = σ(f) c + σ(i) tanh(g), h' = σ(o) tanh(c'), projected by W_hr if given.


def _lstm_gates(z):
    """Input, forget, cell and output gate. Shape: (B, 4 H) -> four (B, H)."""
    i, f, g, o = jnp.split(z, 4, -1)
    return jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)


def _lstm_name(operands, attrs):
    # torch: oneDNN's layer where nothing is packed or projected.
    fast = operands[0][0].name in ("float32", "bfloat16") and operands[7] is None and operands[8] is None
    return "MkldnnRnnLayerBackward0" if fast else "StackBackward0"


@op(
    "lstm_layer", door=None, grad_name=_lstm_name,
    saves=("input", "h0", "c0", "w_ih", "w_hh", "w_hr", "batch_sizes", "result"),
)  # fmt: skip
@widened
def lstm_layer(
    input: Array, h0: Array, c0: Array, w_ih: Array, w_hh: Array, b_ih: Array | None, b_hh: Array | None,
    w_hr: Array | None, batch_sizes: Array | None, reverse,
):  # fmt: skip
    """(states, last state, last cell, cells, gates) of an LSTM layer; the last two are for the gradient.

    Shape: (T, B, F), (B, P), (B, H) -> (T, B, P), (B, P), (B, H), (T, B, H), (T, B, 4 H); P is H without w_hr.
    """

    def step(state, given):
        (h, c), (on, z) = state, given
        i, f, g, o = _lstm_gates(z + lax.dot(h, w_hh.T))
        cell = f * c + i * g
        hidden = o * jnp.tanh(cell)
        hidden = hidden if w_hr is None else lax.dot(hidden, w_hr.T)
        state = _where(on, (hidden, cell), (h, c))
        return state, (*state, jnp.concatenate([i, f, g, o], -1))

    given = _running(batch_sizes, input.shape[1]), _projected(input, w_ih, b_ih, b_hh)
    last, (states, cells, gates) = lax.scan(step, (h0, c0), given, reverse=reverse)
    return states, *last, cells, gates


def _lstm_step_back(w_hh, w_hr, state, given):
    """One step of the LSTM's gradient: from gradients of (h', c') to those of (h, c), and of the gates' sums."""
    (dh, dc), (on, of_state, of_cell, of_gates, gates, cell, before) = state, given
    dh, dc = dh + of_state, dc + of_cell
    i, f, g, o = jnp.split(gates, 4, -1)
    di, df, dg, do = jnp.split(of_gates, 4, -1)
    t = jnp.tanh(cell)
    dm = dh if w_hr is None else lax.dot(dh, w_hr)
    inner = dc + dm * o * (1 - t * t)
    di, df, dg, do = di + inner * g, df + inner * before, dg + inner * i, do + dm * t
    dz = jnp.concatenate([di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)], -1)
    (dz,) = _where(on, (dz,), (jnp.zeros_like(dz),))
    to_hr = None if w_hr is None else _where(on, (dh,), (jnp.zeros_like(dh),))[0]
    return _where(on, (lax.dot(dz, w_hh), inner * f), (dh, dc)), (dz, to_hr)


@lstm_layer.gradient
@widened
def _(grad, result, input, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, batch_sizes, reverse):
    of_states, of_h, of_c, of_cells, of_gates = _cast(grad, input)
    states, _, _, cells, gates = _cast(result, input)
    given = _running(batch_sizes, input.shape[1]), of_states, of_cells, of_gates, gates, cells
    step = functools.partial(_lstm_step_back, w_hh, w_hr)
    (to_h0, to_c0), (dz, dh) = lax.scan(step, (of_h, of_c), (*given, _before(cells, c0, reverse)), reverse=not reverse)
    to_input, *to_weights = _to_weights(dz, dz, input, _before(states, h0, reverse), w_ih, b_ih, b_hh)
    to_hr = None
    if w_hr is not None:
        hidden = gates[..., -c0.shape[-1] :] * jnp.tanh(cells)
        to_hr = lax.dot(_rows(dh).T, _rows(hidden))
    return (to_input, to_h0, to_c0, *to_weights, to_hr, None)


# GRU (Cho et al. 2014): h' = (h - n) z + n, n = tanh(W_in x + b_in + r (W_hn h + b_hn)).


def _gru_gates(of_x, of_h):
    """Reset, update and new gate, and what h alone puts into the new one. Shape: (B, 3 H) twice -> four (B, H)."""
    (rx, zx, nx), (rh, zh, q) = jnp.split(of_x, 3, -1), jnp.split(of_h, 3, -1)
    r, z = jax.nn.sigmoid(rx + rh), jax.nn.sigmoid(zx + zh)
    return r, z, jnp.tanh(nx + r * q), q


@op(
    "gru_layer", door=None, grad_name="StackBackward0",
    saves=("input", "h0", "w_ih", "w_hh", "batch_sizes", "result"),
)  # fmt: skip
@widened
def gru_layer(
    input: Array, h0: Array, w_ih: Array, w_hh: Array, b_ih: Array | None, b_hh: Array | None,
    batch_sizes: Array | None, reverse,
):  # fmt: skip
    """(states, last state, gates) of a GRU layer; gates are for the gradient.

    Shape: (T, B, F), (B, H) -> (T, B, H), (B, H), (T, B, 4 H).
    """

    def step(h, given):
        on, of_x = given
        r, z, n, q = _gru_gates(of_x, _projected(h, w_hh, b_hh))
        (h,) = _where(on, ((h - n) * z + n,), (h,))
        return h, (h, jnp.concatenate([r, z, n, q], -1))

    given = _running(batch_sizes, input.shape[1]), _projected(input, w_ih, b_ih)
    last, (states, gates) = lax.scan(step, h0, given, reverse=reverse)
    return states, last, gates


def _gru_step_back(w_hh, dh, given):
    """One step of the GRU's gradient: from that of h' to that of h, and those of the gates' sums (of x and of h)."""
    on, of_state, of_gates, gates, before = given
    dh = dh + of_state
    r, z, n, q = jnp.split(gates, 4, -1)
    dr, dz, dn, dq = jnp.split(of_gates, 4, -1)
    dz, dn = dz + dh * (before - n), dn + dh * (1 - z)
    dn = dn * (1 - n * n)
    dr, dq = dr + dn * q, dq + dn * r
    dr, dz = dr * r * (1 - r), dz * z * (1 - z)
    of_x, of_h = jnp.concatenate([dr, dz, dn], -1), jnp.concatenate([dr, dz, dq], -1)
    nothing = jnp.zeros_like(of_x)
    kept = _where(on, (of_x, of_h), (nothing, nothing))
    return _where(on, (dh * z + lax.dot(kept[1], w_hh),), (dh,))[0], kept


@gru_layer.gradient
@widened
def _(grad, result, input, h0, w_ih, w_hh, b_ih, b_hh, batch_sizes, reverse):
    of_states, of_last, of_gates = _cast(grad, input)
    states, _, gates = _cast(result, input)
    before = _before(states, h0, reverse)
    given = _running(batch_sizes, input.shape[1]), of_states, of_gates, gates, before
    to_h0, (of_x, of_h) = lax.scan(functools.partial(_gru_step_back, w_hh), of_last, given, reverse=not reverse)
    to_input, *to_weights = _to_weights(of_x, of_h, input, before, w_ih, b_ih, b_hh)
    return (to_input, to_h0, *to_weights, None)


@op("rnn_output", door=None, grad_name=lambda operands, attrs: attrs[0])
def rnn_output(states: Array, shown):
    """A layer's states as the user's own, to be written to while the gradient keeps the layer's. Shape: any."""
    return states


# One step.


@op("rnn_step", door=None, grad_name=lambda operands, attrs: "ReluBackward0" if attrs[0] else "TanhBackward0")
def rnn_step(
    input: Array, hx: Array, w_ih: Array, w_hh: Array, b_ih: Array | None, b_hh: Array | None, relu
):  # fmt: skip
    """The next state of an Elman cell. Shape: (B, F), (B, H) -> (B, H)."""
    z = _projected(input, w_ih, b_ih) + _projected(hx, w_hh, b_hh)
    return jax.nn.relu(z) if relu else jnp.tanh(z)


@op("lstm_sums", door=None, grad_name="AddBackward0")
def lstm_sums(input: Array, hx: Array, w_ih: Array, w_hh: Array, b_ih: Array | None, b_hh: Array | None):
    """What goes into the gates of an LSTM cell. Shape: (B, F), (B, H) -> (B, 4 H)."""
    return _projected(input, w_ih, b_ih) + _projected(hx, w_hh, b_hh)


@op("lstm_next_cell", door=None, grad_name="AddBackward0")
@widened
def lstm_next_cell(sums: Array, cx: Array):
    """Shape: (B, 4 H), (B, H) -> (B, H)."""
    i, f, g, _ = _lstm_gates(sums)
    return f * cx + i * g


@op("lstm_next_hidden", door=None, grad_name="MulBackward0")
@widened
def lstm_next_hidden(sums: Array, cell: Array):
    """Shape: (B, 4 H), (B, H) -> (B, H)."""
    return jax.nn.sigmoid(jnp.split(sums, 4, -1)[3]) * jnp.tanh(cell)


@op("gru_step", door=None, grad_name="AddBackward0")
@widened
def gru_step(input: Array, hx: Array, w_ih: Array, w_hh: Array, b_ih: Array | None, b_hh: Array | None):
    """The next state of a GRU cell. Shape: (B, F), (B, H) -> (B, H)."""
    _, z, n, _ = _gru_gates(_projected(input, w_ih, b_ih), _projected(hx, w_hh, b_hh))
    return (hx - n) * z + n
