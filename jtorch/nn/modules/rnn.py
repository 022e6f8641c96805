"""Recurrent layers over whole sequences (RNN, LSTM, GRU) and their single steps (RNNCell, LSTMCell, GRUCell)."""

import math
import numbers
import warnings

from jtorch._tensor import aval, host
from jtorch.api import recurrent
from jtorch.api.creation import empty, zeros
from jtorch.api.packed import PackedSequence
from jtorch.nn import init
from jtorch.nn.modules.module import Module
from jtorch.nn.parameter import Parameter

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNBase", "RNNCell", "RNNCellBase"]

_CHUNKS = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


def apply_permutation(tensor, permutation, dim=1):
    """Deprecated: tensor.index_select(dim, permutation)."""
    warnings.warn(
        "`apply_permutation` is deprecated, please use `tensor.index_select(dim, permutation)` instead",
        category=FutureWarning,
        stacklevel=2,
    )
    return tensor.index_select(dim, permutation)


def _draw(module):
    """Every parameter from U(-k, k), k = 1/√hidden_size, in their order."""
    bound = 1.0 / math.sqrt(module.hidden_size) if module.hidden_size > 0 else 0
    for weight in module.parameters():
        init.uniform_(weight, -bound, bound)


def _check_kinds(input_size, bias, batch_first, dropout, num_layers):
    """torch's errors for arguments of the wrong type, and its warning of a dropout that does nothing."""
    if not isinstance(dropout, numbers.Number) or isinstance(dropout, bool) or not 0 <= dropout <= 1:
        raise ValueError("dropout should be a number in range [0, 1] representing the probability of an element being "
                         "zeroed")  # fmt: skip
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
            f"greater than 1, but got dropout={dropout} and num_layers={num_layers}",
            stacklevel=4,
        )
    for name, value in (("bias", bias), ("batch_first", batch_first)):
        if not isinstance(value, bool):
            raise TypeError(f"{name} should be of type bool, got: {type(value).__name__}")


def _check_sizes(input_size, hidden_size, num_layers, proj_size):
    for name, value in (("input_size", input_size), ("hidden_size", hidden_size)):
        if not isinstance(value, int):
            raise TypeError(f"{name} should be of type int, got: {type(value).__name__}")
        if value <= 0:
            raise ValueError(f"{name} must be greater than zero")
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")


class RNNBase(Module):
    """What RNN, LSTM and GRU share: parameters, their checks, and the run over padded or packed sequences.

    Shape: x (T, N, F), (N, T, F) with batch_first, (T, F), or a PackedSequence -> y likewise, with D · H_out features,
    and the last states (L · D, N, H_out) or (L · D, H_out); D is 2 if bidirectional, L is num_layers.
    Attributes: of layer k, and with the suffix _reverse: weight_ih_lk (G · H, F or D · H_out), weight_hh_lk
    (G · H, H_out), bias_ih_lk and bias_hh_lk (G · H,), with proj_size weight_hr_lk (proj_size, H); G is 4 for an LSTM,
    3 for a GRU, else 1. All drawn from U(-k, k), k = 1/√hidden_size.
    Raises: ValueError and TypeError for arguments that are out of range; at call ValueError and RuntimeError for
    dims, sizes and dtypes that do not fit.
    """

    __constants__ = [
        "mode", "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional",
        "proj_size",
    ]  # fmt: skip
    _noun = ""  # how torch's error for a wrong number of dims ends

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
        device=None, dtype=None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        _check_kinds(input_size, bias, batch_first, dropout, num_layers)
        _check_sizes(input_size, hidden_size, num_layers, proj_size)
        if mode not in _CHUNKS:
            raise ValueError("Unrecognized RNN mode: " + mode)
        self._all_weights = []
        for layer in range(num_layers):
            for suffix in ("", "_reverse")[: self._directions]:
                named = self._shapes(layer, suffix)
                for name, shape in named.items():
                    setattr(self, name, Parameter(empty(shape, device=device, dtype=dtype)))
                self._all_weights.append(list(named))
        self.reset_parameters()

    @property
    def _directions(self):
        return 2 if self.bidirectional else 1

    def _shapes(self, layer, suffix):
        """{name: shape} of the parameters of one layer and direction."""
        gates, out = _CHUNKS[self.mode] * self.hidden_size, self.proj_size or self.hidden_size
        width = out * self._directions if layer else self.input_size
        end = f"l{layer}{suffix}"
        shapes = {f"weight_ih_{end}": (gates, width), f"weight_hh_{end}": (gates, out)}
        if self.bias:
            shapes |= {f"bias_ih_{end}": (gates,), f"bias_hh_{end}": (gates,)}
        return shapes | ({f"weight_hr_{end}": (self.proj_size, self.hidden_size)} if self.proj_size else {})

    def reset_parameters(self) -> None:
        """Draw every parameter again."""
        _draw(self)

    def flatten_parameters(self) -> None:
        """Nothing: XLA lays weights out as it likes."""

    @property
    def all_weights(self):
        """The parameters of each layer and direction, as a list each."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights_names(self):
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self):
        return [getattr(self, name, None) for name in self._flat_weights_names]

    @_flat_weights.setter
    def _flat_weights(self, weights):
        for name, weight in zip(self._flat_weights_names, weights, strict=True):
            if getattr(self, name, None) is not weight:
                setattr(self, name, weight)

    def __getstate__(self):
        # torch keeps these lists, so a module that it unpickles is to have them.
        lists = {"_flat_weights": self._flat_weights, "_flat_weights_names": self._flat_weights_names}
        return {**self.__dict__, **lists}

    def __setstate__(self, state):
        # What torch keeps beside the parameters is worked out here.
        state = {k: v for k, v in state.items() if k not in ("_flat_weights", "_flat_weights_names")}
        super().__setstate__({"proj_size": 0, **state})

    def check_input(self, input, batch_sizes):
        """Raise ValueError for another dtype than the weights', RuntimeError for dims and size that do not fit."""
        dtype = getattr(self, self._all_weights[0][0]).dtype
        if input.dtype != dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). Convert input: "
                f"input.to({dtype}), or convert model: model.to({input.dtype})"
            )
        wanted = 3 if batch_sizes is None else 2
        if input.dim() != wanted:
            raise RuntimeError(f"input must have {wanted} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}"
            )

    def _batch(self, input, batch_sizes):
        return int(host(batch_sizes)[0]) if batch_sizes is not None else input.size(0 if self.batch_first else 1)

    def get_expected_hidden_size(self, input, batch_sizes):
        """The shape of the states."""
        return self.num_layers * self._directions, self._batch(input, batch_sizes), self.proj_size or self.hidden_size

    def check_hidden_size(self, hx, expected_hidden_size, msg="Expected hidden size {}, got {}"):
        """Raise RuntimeError for a state of another shape."""
        if aval(hx).shape != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input, hidden, batch_sizes):
        """Raise ValueError or RuntimeError for an input and states that do not fit."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx, permutation):
        """The state with its sequences in another order."""
        return hx if permutation is None else hx.index_select(1, permutation)

    def _zeros(self, input, batch_sizes):
        """The states of a run that is given none."""
        size = self.get_expected_hidden_size(input, batch_sizes)
        return zeros(size, dtype=input.dtype, device=input.device)

    def _check_dims(self, hx, batched):
        rank, word = (3, "batched") if batched else (2, "unbatched")
        if hx.dim() != rank:
            raise RuntimeError(f"For {word} {rank}-D input, hx should also be {rank}-D but got {hx.dim()}-D tensor")

    def _each(self, hx, fn):
        """hx with fn of each state in it."""
        return fn(hx)

    def _run(self, input, batch_sizes, hx):
        """(output, states as hx has them)."""
        states = hx if isinstance(hx, tuple) else (hx,)
        x, *lasts = recurrent.whole(
            self.mode, input, batch_sizes, states, self._flat_weights, self.bias, self.num_layers, self.dropout,
            self.training, self.bidirectional, self.batch_first,
        )  # fmt: skip
        return x, tuple(lasts) if isinstance(hx, tuple) else lasts[0]

    def _packed(self, given, hx):
        input, batch_sizes, order, back = given
        hx = self._zeros(input, batch_sizes) if hx is None else self.permute_hidden(hx, order)
        self.check_forward_args(input, hx, batch_sizes)
        output, hx = self._run(input, batch_sizes, hx)
        return PackedSequence(output, batch_sizes, order, back), self.permute_hidden(hx, back)

    def forward(self, input, hx=None):
        if isinstance(input, PackedSequence):
            return self._packed(input, hx)
        rank = input.dim()
        if rank not in (2, 3):
            name = self.mode.split("_")[0]
            raise ValueError(f"{name}: Expected input to be 2D or 3D, got {rank}D {self._noun}instead")
        batch_dim = 0 if self.batch_first else 1
        if rank == 2:
            input = input.unsqueeze(batch_dim)
        if hx is None:
            hx = self._zeros(input, None)
        else:
            self._check_dims(hx, rank == 3)
            hx = self._each(hx, lambda state: state.unsqueeze(1)) if rank == 2 else self._each(hx, lambda state: state)
        self.check_forward_args(input, hx, None)
        output, hx = self._run(input, None, hx)
        if rank == 2:
            return output.squeeze(batch_dim), self._each(hx, lambda state: state.squeeze(1))
        return output, hx

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        usual = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0,
                 "bidirectional": False}  # fmt: skip
        return text + "".join(f", {k}={getattr(self, k)}" for k, v in usual.items() if getattr(self, k) != v)


class RNN(RNNBase):
    """Elman's network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu of it. Shape, Attributes: see RNNBase.

    Raises: ValueError for another nonlinearity than tanh or relu; and as RNNBase.
    """

    _noun = "tensor "

    def __init__(self, *args, **kwargs) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if len(args) > 3:
            nonlinearity, args = args[3], args[:3] + args[4:]
        else:
            nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(f"RNN_{nonlinearity.upper()}", *args, **kwargs)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory: c' = σ(f) c + σ(i) tanh(g), h' = σ(o) tanh(c'), projected to proj_size if that is given.

    Shape, Attributes: see RNNBase; states are (h, c), c always of hidden_size. Raises: as RNNBase.
    Paper: Hochreiter & Schmidhuber 1997; projections: https://arxiv.org/abs/1402.1128
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(self, input, batch_sizes):
        """The shape of the cells."""
        return self.num_layers * self._directions, self._batch(input, batch_sizes), self.hidden_size

    def check_forward_args(self, input, hidden, batch_sizes):
        self.check_input(input, batch_sizes)
        sizes = self.get_expected_hidden_size(input, batch_sizes), self.get_expected_cell_size(input, batch_sizes)
        for i, size in enumerate(sizes):
            self.check_hidden_size(hidden[i], size, f"Expected hidden[{i}] size {{}}, got {{}}")

    def permute_hidden(self, hx, permutation):
        return hx if permutation is None else self._each(hx, lambda state: state.index_select(1, permutation))

    def _zeros(self, input, batch_sizes):
        cells = zeros(self.get_expected_cell_size(input, batch_sizes), dtype=input.dtype, device=input.device)
        return super()._zeros(input, batch_sizes), cells

    def _check_dims(self, hx, batched):
        ranks, (rank, word) = (hx[0].dim(), hx[1].dim()), (3, "batched") if batched else (2, "unbatched")
        if ranks != (rank, rank):
            raise RuntimeError(
                f"For {word} {rank}-D input, hx and cx should also be {rank}-D but got "
                f"({ranks[0]}-D, {ranks[1]}-D) tensors"
            )

    def _each(self, hx, fn):
        return fn(hx[0]), fn(hx[1])


class GRU(RNNBase):
    """Gated recurrent unit: h' = (1 - z) n + z h, n = tanh(W_in x + b_in + r (W_hn h + b_hn)).

    Shape, Attributes: see RNNBase. Raises: as RNNBase. Paper: https://arxiv.org/abs/1406.1078
    """

    def __init__(self, *args, **kwargs) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)


class RNNCellBase(Module):
    """What the cells share: weight_ih (G · H, F), weight_hh (G · H, H), bias_ih and bias_hh (G · H,) or None.

    All are drawn from U(-k, k), k = 1/√hidden_size.
    """

    __constants__ = ["input_size", "hidden_size", "bias"]

    def __init__(self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device=None, dtype=None) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        gates = num_chunks * hidden_size
        self.weight_ih = Parameter(empty((gates, input_size), device=device, dtype=dtype))
        self.weight_hh = Parameter(empty((gates, hidden_size), device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            made = Parameter(empty(gates, device=device, dtype=dtype)) if bias else None
            self.register_parameter(name, made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every parameter again."""
        _draw(self)

    def _given(self, input, states, names):
        """(input, states) as rows. Raises ValueError for other dims than 1 or 2. states: None for zeros."""
        batched = input.dim() == 2
        for name, x in zip(("input", *names), (input, *(states or ())), strict=False):
            if x.dim() not in (1, 2):
                raise ValueError(f"{type(self)._named}: Expected {name} to be 1D or 2D, got {x.dim()}D instead")
        input = input if batched else input.unsqueeze(0)
        if states is None:
            zero = zeros((input.size(0), self.hidden_size), dtype=input.dtype, device=input.device)
            return input, (zero,) * len(names)
        return input, states if batched else tuple(state.unsqueeze(0) for state in states)

    def _step(self, run, input, hx):
        return run(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.__dict__.get("bias", True) is not True:
            text += f", bias={self.bias}"
        if self.__dict__.get("nonlinearity", "tanh") != "tanh":
            text += f", nonlinearity={self.nonlinearity}"
        return text


class RNNCell(RNNCellBase):
    """One step of an Elman network. Shape: x (N, F) or (F,), h (N, H) or (H,) -> h' like h. Attributes: RNNCellBase.

    Raises: ValueError for other dims, RuntimeError for sizes that do not fit.
    """

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]
    _named = "RNNCell"

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", device=None,
        dtype=None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input, hx=None):
        x, (h,) = self._given(input, None if hx is None else (hx,), ("hidden",))
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        run = recurrent.rnn_tanh_cell if self.nonlinearity == "tanh" else recurrent.rnn_relu_cell
        result = self._step(run, x, h)
        return result if x is input else result.squeeze(0)


class LSTMCell(RNNCellBase):
    """One step of an LSTM. Shape: x (N, F) or (F,), (h, c) of (N, H) or (H,) -> (h', c'). Attributes: RNNCellBase.

    Raises: ValueError for other dims, RuntimeError for sizes that do not fit.
    """

    _named = "LSTMCell"

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device=None, dtype=None) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input, hx=None):
        x, states = self._given(input, hx, ("hx[0]", "hx[1]"))
        h, c = self._step(recurrent.lstm_cell, x, states)
        return (h, c) if x is input else (h.squeeze(0), c.squeeze(0))


class GRUCell(RNNCellBase):
    """One step of a GRU. Shape: x (N, F) or (F,), h (N, H) or (H,) -> h' like h. Attributes: RNNCellBase.

    Raises: ValueError for other dims, RuntimeError for sizes that do not fit.
    """

    _named = "GRUCell"

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device=None, dtype=None) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input, hx=None):
        x, (h,) = self._given(input, None if hx is None else (hx,), ("hidden",))
        result = self._step(recurrent.gru_cell, x, h)
        return result if x is input else result.squeeze(0)
