"""Recurrent layers and cells against torch's: weights of the same seed, values, gradients, text, errors."""

import copy
import pickle

import numpy as np
import pytest
import torch as real
from torch.testing._internal.common_modules import module_db

import jtorch
from tests.nn.paths import raises
from tests.oracle import same, same_print, same_warnings

draw = np.random.default_rng(0)
CLASSES = ("RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell")


def normal(*shape):
    return draw.standard_normal(shape)


def entries(name):
    """(args, kwargs of the constructor, inputs as NumPy arrays) of torch's own test inputs of a class."""
    info = next(i for i in module_db if i.name == f"nn.{name}")
    for given in info.module_inputs_func(info, device="cpu", dtype=real.float64, requires_grad=True, training=True):
        yield given.constructor_input.args, given.constructor_input.kwargs, to_arrays(given.forward_input.args)


def to_arrays(value):
    """Tensors, nested or not, as NumPy arrays."""
    return tuple(map(to_arrays, value)) if isinstance(value, tuple) else value.detach().numpy()


def to_leaves(torch, value):
    """NumPy arrays as leaves that require gradients."""
    if isinstance(value, tuple):
        return tuple(to_leaves(torch, x) for x in value)
    return torch.tensor(value, requires_grad=value.dtype.kind == "f")


def tensors(value):
    """All tensors in a nested result."""
    return [value] if not isinstance(value, tuple) else [x for part in value for x in tensors(part)]


def run(torch, make, inputs, call=None):
    """Everything that a layer of torch's seed makes of inputs: results, strides, gradients of inputs and weights."""
    torch.manual_seed(5)
    m = make(torch.nn).double()
    given = to_leaves(torch, inputs)
    result = m(*given) if call is None else call(torch, m, *given)
    outs = tensors(result)
    sum((out * out * (i + 1)).sum() for i, out in enumerate(outs)).backward()
    grads = [x.grad for x in tensors(given)] + [p.grad for p in m.parameters()]
    return result, [out.stride() for out in outs], grads, list(m.state_dict())


@pytest.mark.parametrize("name", CLASSES)
def test_inputs_of_module_db(name):
    # Compiling all of them takes 40 s, and what they do not share is few options: every eleventh.
    cases = list(entries(name))[:: 1 if name.endswith("Cell") else 11]

    def made(torch, args, options, inputs):
        return run(torch, lambda nn: getattr(nn, name)(*args, **options), inputs)

    same(lambda torch: [made(torch, *case) for case in cases])


LAYERS = {
    "LSTM with projections": (
        lambda nn: nn.LSTM(3, 4, proj_size=2, bidirectional=True, bias=False),
        (normal(3, 2, 3), (normal(2, 2, 2), normal(2, 2, 4))),
    ),
    "GRU of one step": (lambda nn: nn.GRU(3, 4, batch_first=True), (normal(1, 1, 3), normal(1, 1, 4))),
    "RNN of transposed rows": (lambda nn: nn.RNN(3, 4, nonlinearity="relu"), (normal(3, 2, 4).T, normal(1, 2, 4))),
    "GRU of an empty batch": (lambda nn: nn.GRU(3, 4), (normal(2, 0, 3),)),
    "LSTM dropping between layers": (lambda nn: nn.LSTM(3, 4, 2, dropout=0.4), (normal(3, 2, 3),)),
    "GRU dropping, both ways": (
        lambda nn: nn.GRU(3, 4, 2, batch_first=True, dropout=0.5, bidirectional=True), (normal(3, 2, 3),)
    ),
}  # fmt: skip


def test_edges_and_dropout():
    def evaluated(torch):
        torch.manual_seed(2)
        return torch.nn.LSTM(3, 4, dropout=0.5, num_layers=2).eval()(torch.ones(3, 2, 3))

    same(lambda torch: [*(run(torch, *case) for case in LAYERS.values()), evaluated(torch)])


PACKED = {
    "LSTM both ways": (lambda nn: nn.LSTM(3, 4, bidirectional=True, proj_size=2), [1, 4, 2], False),
    "GRU dropping": (lambda nn: nn.GRU(3, 4, 2, dropout=0.5), [4, 1, 4], False),
    "RNN both ways": (lambda nn: nn.RNN(3, 4, bidirectional=True, nonlinearity="relu", bias=False), [3, 2, 2], True),
}


def test_packed_sequences():
    inputs = {name: normal(max(lengths), len(lengths), 3) for name, (_, lengths, _) in PACKED.items()}

    def packed(torch, name, given):
        make, lengths, ordered = PACKED[name]

        def call(torch, m, x, *hx):
            rnn = torch.nn.utils.rnn
            rows = rnn.pack_padded_sequence(x, lengths, enforce_sorted=ordered)
            out, last = m(rows, *hx)
            return rnn.pad_packed_sequence(out, padding_value=0.5, total_length=5)[0], out.data, last

        return run(torch, make, given, call)

    def all_of(torch):
        states = {"LSTM both ways": ((h, c),)}
        return [packed(torch, name, (x, *states.get(name, ()))) for name, x in inputs.items()]

    h, c = normal(2, 3, 2), normal(2, 3, 4)
    same(all_of)


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_bfloat16_is_no_further_from_the_truth_than_torchs(name):
    x = normal(3, 2, 3)

    def made(torch, dtype):
        torch.manual_seed(2)
        m = getattr(torch.nn, name)(3, 4, dtype=torch.bfloat16).to(dtype)
        out = m(torch.tensor(x).to(torch.bfloat16).to(dtype))[0]
        return str(out.dtype), out.detach().double().numpy()

    exact = made(real, real.float64)[1]
    (kind, ours), (wanted, theirs) = made(jtorch, jtorch.bfloat16), made(real, real.bfloat16)
    assert kind == wanted
    assert np.abs(ours - exact).max() <= np.abs(theirs - exact).max()


def test_gradients_of_gradients():
    x = normal(3, 2, 2)

    def each(torch):
        found = []
        for name, options in (("LSTM", {}), ("GRU", {})):
            torch.manual_seed(1)
            m = getattr(torch.nn, name)(2, 3, **options).double()
            given = torch.tensor(x, requires_grad=True)
            first = torch.autograd.grad(m(given)[0].pow(2).sum(), [given, *m.parameters()], create_graph=True)
            sum(g.pow(2).sum() for g in first).backward()
            found.append((first, given.grad, [p.grad for p in m.parameters()]))
        return found

    same(each, grad_fn=False)


@pytest.mark.parametrize("name", CLASSES)
def test_weights_of_the_same_seed_and_text(name):
    args = (3, 4) if name.endswith("Cell") else (3, 4, 2)
    options = {"bias": False} if name.endswith("Cell") else {"bidirectional": True, "batch_first": True, "dropout": 0.1}

    def made(torch):
        torch.manual_seed(3)
        ms = [getattr(torch.nn, name)(*args), getattr(torch.nn, name)(*args, **options)]
        return [m.state_dict() for m in ms], [type(m).__module__.split(".", 1)[1] for m in ms], torch.rand(1)

    same(made)
    same_print(lambda torch: [getattr(torch.nn, name)(*args), getattr(torch.nn, name)(*args, **options)])


def test_text_of_rarer_options():
    same_print(lambda torch: torch.nn.LSTM(5, 4, bias=False, proj_size=2, num_layers=3))
    same_print(lambda torch: torch.nn.RNNCell(5, 4, nonlinearity="relu"))


def test_weights_by_layer():
    def names(torch):
        m = torch.nn.LSTM(3, 4, 2, bidirectional=True, proj_size=2)
        m.flatten_parameters()
        new = torch.nn.Parameter(torch.zeros(16, 3))
        m.weight_ih_l0 = new
        other = copy.deepcopy(m)
        other.load_state_dict(m.state_dict())
        return (
            m._flat_weights_names, [[tuple(w.shape) for w in ws] for ws in m.all_weights], m._flat_weights[0] is new,
            m.mode, other.all_weights[0][0] is new, other(torch.ones(2, 3))[0].shape,
        )  # fmt: skip

    same(names)


@pytest.mark.parametrize("name", CLASSES)
def test_pickle_and_deepcopy(name):
    m = getattr(jtorch.nn, name)(3, 4)
    x = jtorch.ones(2, 3)
    for other in (pickle.loads(pickle.dumps(m)), copy.deepcopy(m)):
        one, two = (tensors(n(x)) for n in (m, other))
        assert all(jtorch.equal(a, b) for a, b in zip(one, two, strict=True))
        assert all(a is not b for a, b in zip(m.parameters(), other.parameters(), strict=True))


def test_hooks_and_writing_to_the_output():
    def hooked(torch):
        m, seen = torch.nn.GRU(2, 3), []
        m.register_forward_hook(lambda m, args, out: seen.append((tuple(args[0].shape), tuple(out[0].shape))))
        out, last = m(torch.ones(4, 1, 2))
        out.mul_(2)
        last.zero_()
        out.sum().backward()
        return seen, [tuple(p.grad.shape) for p in m.parameters()]

    same(hooked)


def test_functions():
    x, h, c = normal(3, 2, 3), normal(1, 2, 4), normal(1, 2, 4)

    def each(torch):
        torch.manual_seed(4)
        sizes = torch.tensor([2, 1])
        given, h0, c0 = (torch.tensor(a) for a in (x, h, c))
        rows = given.reshape(6, 3)[:3]
        found = []
        for name, mode, states in (("lstm", "LSTM", (h0, c0)), ("gru", "GRU", h0), ("rnn_tanh", "RNN", h0),
                                   ("rnn_relu", "RNN", h0)):  # fmt: skip
            m, fn = getattr(torch.nn, mode)(3, 4).double(), getattr(torch, name)
            ws = [p.detach() for p in m.parameters()]
            found.append(fn(given, states, ws, True, 1, 0.0, False, False, False))
            found.append(fn(rows, sizes, states, ws, has_biases=True, num_layers=1, dropout=0.0, train=True,
                            bidirectional=False))  # fmt: skip
            cell = getattr(torch, f"{name}_cell")
            state = (h0[0], c0[0]) if name == "lstm" else h0[0]
            found += [cell(given[0], state, *ws), cell(given[0], state, *ws[:2])]
        return found

    same(each)


def test_refused_constructions():
    for make in (
        lambda nn: nn.LSTM(3, 4, dropout=2), lambda nn: nn.LSTM(3, 4, dropout=True), lambda nn: nn.LSTM(3, 4, bias=1),
        lambda nn: nn.LSTM(3, 4, batch_first=0), lambda nn: nn.GRU(3.5, 4), lambda nn: nn.GRU(0, 4),
        lambda nn: nn.GRU(3, 4.5), lambda nn: nn.GRU(3, 0), lambda nn: nn.GRU(3, 4, 0),
        lambda nn: nn.GRU(3, 4, proj_size=2),
        lambda nn: nn.RNN(3, 4, proj_size=2), lambda nn: nn.LSTM(3, 4, proj_size=-1),
        lambda nn: nn.LSTM(3, 4, proj_size=4),
        lambda nn: nn.RNN(3, 4, nonlinearity="x"), lambda nn: nn.RNN(3, 4, 1, "x"), lambda nn: nn.RNNBase("x", 3, 4),
    ):  # fmt: skip
        raises(lambda torch, make=make: make(torch.nn))
    same_warnings(lambda torch: torch.nn.LSTM(3, 4, dropout=0.5))
    same_warnings(lambda torch: torch.nn.modules.rnn.apply_permutation(torch.ones(1, 2, 3), torch.tensor([1, 0])))


def test_refused_calls():
    def wrong(name, *shapes, **options):
        def call(torch):
            states = [torch.ones(*s) for s in shapes[1:]]
            hx = () if not states else (tuple(states) if name == "LSTM" else states[0],)
            return getattr(torch.nn, name)(3, 4, **options)(torch.ones(*shapes[0]), *hx)

        raises(call)

    for name in ("RNN", "LSTM", "GRU"):
        for options in ({}, {"batch_first": True}):
            wrong(name, (3,), **options)
            wrong(name, (2, 2, 2, 3), **options)
            wrong(name, (2, 2, 5), **options)
            wrong(name, (2, 2, 3), (1, 2, 5), (1, 2, 4), **options)
            wrong(name, (2, 3), (1, 1, 4), (1, 4), **options)
            wrong(name, (2, 2, 3), (2, 4), (1, 2, 4), **options)
        wrong(name, (0, 2, 3))
        raises(lambda torch, name=name: getattr(torch.nn, name)(3, 4)(torch.ones(2, 2, 3).double()))
    wrong("LSTM", (2, 2, 3), (1, 2, 4), (1, 2, 5))
    raises(lambda torch: torch.nn.LSTM(3, 4)(torch.ones(2, 2, 3), torch.ones(2, 2, 4)))


def test_refused_steps():
    def wrong(name, x, h, c=None):
        def call(torch):
            hx = torch.ones(*h)
            return getattr(torch.nn, name)(3, 4)(
                torch.ones(*x), (hx, torch.ones(*(c or h))) if name == "LSTMCell" else hx
            )

        raises(call)

    for name in ("RNNCell", "LSTMCell", "GRUCell"):
        for x, h in (((2, 2, 3), (2, 4)), ((2, 3), (1, 2, 4)), ((2, 5), (2, 4)), ((2, 3), (3, 4)), ((2, 3), (2, 5)),
                     ((3,), (2, 4))):  # fmt: skip
            wrong(name, x, h)
        raises(lambda torch, name=name: getattr(torch.nn, name)(3, 4)(torch.ones(2, 3).double()))
    wrong("LSTMCell", (2, 3), (2, 4), (2, 5))
    raises(lambda torch: torch.nn.RNNCell(3, 4, nonlinearity="x")(torch.ones(2, 3)))
    raises(lambda torch: torch.lstm_cell(torch.ones(2, 3), (torch.ones(2, 4),), torch.ones(16, 3), torch.ones(16, 4)))
    rest = (True, 1, 0.0, True, False, False)
    for call in (
        lambda torch, x, h: torch.lstm(x, [h], [], *rest),
        lambda torch, x, h: torch.gru(x, h, [torch.ones(12, 3)], *rest),
        lambda torch, x, h: torch.gru(x, 5, [], *rest),
        lambda torch, x, h: torch.gru(x),
    ):
        raises(lambda torch, call=call: call(torch, torch.ones(3, 2, 3), torch.ones(1, 2, 4)))
