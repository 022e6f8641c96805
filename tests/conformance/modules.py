"""torch's own list of modules and samples, torch beside jtorch: what is made, computed, learned and refused.

Kinds: made (draws, state dict, printed form, copies and pickles), train and eval (results, gradients, state
afterwards), refused (class and words of errors), gradgrad, strided (inputs with gaps between their elements), inplace,
moved (to other dtypes and devices, and made there), formats (channels last).
"""

import copy
import fnmatch
import functools
import inspect
import pickle
import types
import warnings
from dataclasses import dataclass

import torch
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db

import jtorch
from jtorch.engine import flush
from tests.conformance import counterpart, sweep
from tests.conformance.calls import seed
from tests.conformance.given import Given
from tests.oracle import Outcome, Rules, compare, differentiate
from tests.sides import both_sides

INFOS = {info.name: info for info in module_db}
QUICK = ("made", "train", "eval", "refused")
KINDS = (*QUICK, "gradgrad", "strided", "inplace", "moved", "formats")
# torch draws for the first two in float64 alone; gradients of the others are differences of almost equal numbers.
FLOAT64 = (
    "nn.FractionalMaxPool2d", "nn.FractionalMaxPool3d", "nn.CTCLoss", "nn.MultiheadAttention",
    "nn.TransformerDecoderLayer",
)  # fmt: skip
AT_ONCE = 40
LONG = 1500  # characters of a failure that are kept


@dataclass(frozen=True)
class Layer:
    """One module of the list, by its name: `nn.Linear`."""

    name: str
    family = "modules"


def chosen(pattern="*"):
    """The modules whose name fits a pattern of the shell, or one of several, with commas."""
    return [Layer(name) for name in INFOS if any(fnmatch.fnmatchcase(name, p) for p in pattern.split(","))]


def samples(info, dtype, training, most=None):
    """torch's samples of a module in a mode; where there are more than `most`, that many spread over them."""
    made = _every_sample(info, dtype, training)
    if most is None or len(made) <= most:
        return made
    return [made[i] for i in sorted({round(i * (len(made) - 1) / max(most - 1, 1)) for i in range(most)})]


@functools.lru_cache(2)
def _every_sample(info, dtype, training):
    seed()
    return info.module_inputs_func(info, "cpu", getattr(torch, dtype), requires_grad=True, training=training)


class Arguments(Given):
    """A sample's arguments as one module wants them: tensors, dtypes, functions of nn, layers with their parameters.

    laid: what is done to each tensor then. double: whether float32 is to be float64, where a sample forgets it.
    """

    def __init__(self, module, function_input, laid=None, double=False, requires_grad=True):
        given = types.SimpleNamespace(input=None, args=function_input.args, kwargs=function_input.kwargs)
        self.laid, self.double = laid, double
        super().__init__(module, given, requires_grad=requires_grad)

    def convert(self, value):
        """One argument."""
        if self.double and isinstance(value, torch.Tensor) and value.dtype is torch.float32:
            value = value.detach().double().requires_grad_(value.requires_grad)
        place = getattr(value, "__module__", None) or ""
        if isinstance(value, types.FunctionType) and place.startswith("torch.nn"):
            name = f"{place}.{value.__name__}".removeprefix("torch.")
            return functools.reduce(getattr, name.split("."), self.module)
        if isinstance(value, types.BuiltinFunctionType) and self.module is not torch:
            return counterpart.find(value)
        return super().convert(value)

    def _tensor(self, value):
        made = super()._tensor(value)
        return made if self.laid is None else self.laid(made)

    def _layer(self, value):
        if self.module is torch:
            return copy.deepcopy(value)
        if not isinstance(value, torch.nn.TransformerEncoderLayer):
            return super()._layer(value)
        shared = {name: self.convert(getattr(value, name)) for name in ("norm_first", "activation")}
        made = self.module.nn.TransformerEncoderLayer(
            value.self_attn.embed_dim, value.self_attn.num_heads, value.linear1.out_features, value.dropout.p,
            layer_norm_eps=value.norm1.eps, batch_first=value.self_attn.batch_first,
            bias=value.linear1.bias is not None, dtype=self.convert(value.linear1.weight.dtype), **shared,
        )  # fmt: skip
        made.load_state_dict({k: self.convert(v.detach()) for k, v in value.state_dict().items()})
        return made


def build(module, info, sample, training=True, **more):
    """The module of a sample, drawn from a known seed. more: options beside the sample's."""
    given = Arguments(module, sample.constructor_input)
    seed()
    cls = info.module_cls if module is torch else getattr(module.nn, info.module_cls.__name__)
    return cls(*given.args, **given.kwargs | more).train(training)


def _members(layer):
    return {key: None if "Uninitialized" in type(t).__name__ else t for key, t in layer.state_dict().items()}


def made(module, info, sample):
    """What a sample's module is before it is called, and what its copies are."""
    layer = build(module, info, sample)
    drawn = _members(layer), module.rand(1), repr(layer), type(layer).__name__
    kinds = [(name, type(p).__name__, p.requires_grad) for name, p in layer.named_parameters()]
    copies = [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))]
    shown = [(repr(c), c.training, [getattr(t, "shape", None) for t in _members(c).values()]) for c in copies]
    return drawn, kinds, shown, _members(copies[1])


def called(module, info, sample, training, twice=False, double=False, laid=None):
    """The Outcome of a sample's call: result, gradients of inputs and parameters, state afterwards.

    twice: with gradients of gradients. double: in float64. laid: what is done to each input.
    """
    outcome = Outcome()
    try:
        layer = build(module, info, sample, training)
        layer = layer.double() if double else layer
        given = Arguments(module, sample.forward_input, laid, double)
        seed()
        outcome.value = layer(*given.args, **given.kwargs)
        outcome.leaves = [*given.leaves, *layer.parameters()]
        differentiate(module, outcome, twice)
        outcome.inputs = [dict(layer.state_dict()), repr(layer), given.inputs]
    except Exception as error:
        outcome.error = error
    return outcome


def strided(module, info, sample):
    """The Outcome of a call whose inputs have gaps between their elements."""
    return called(module, info, sample, True, laid=_apart, double=True)


def _apart(x):
    return (torch if isinstance(x, torch.Tensor) else jtorch).stack([x, x], -1)[..., 0]


def inplace(module, info, sample):
    """What a call makes of its input where it is to write there."""
    layer = build(module, info, sample, inplace=True)
    given = Arguments(module, sample.forward_input, requires_grad=False)
    seed()
    out = layer(*given.args, **given.kwargs)
    return out, [(x is out, x._version) for x in given.inputs], given.inputs, repr(layer)


def moved(module, info, sample):
    """The dtypes, devices and shapes of a module's members, moved and made anew, and what moving keeps."""
    found = []

    def note(layer):
        members = [*layer.named_parameters(), *layer.named_buffers()]
        facts = [(n, str(t.dtype), str(t.device), _shape_of(t), t.requires_grad, t.is_leaf) for n, t in members]
        found.append((facts, layer.training))

    layer = build(module, info, sample, False)
    before = [id(p) for p in layer.parameters()]
    lazy = any(_shape_of(p) is None for p in layer.parameters())
    for name in ("half", "double") if lazy else ("half", "bfloat16", "double"):
        note(getattr(layer, name)())
    found.append([id(p) for p in layer.parameters()] == before)
    if lazy:
        return found
    note(layer.requires_grad_(False).to("cpu", module.float32))
    found.append(_members(layer))
    note(layer.to("meta"))
    note(layer.to_empty(device="cpu"))
    if "device" in inspect.signature(type(layer)).parameters:
        note(build(module, info, sample, device="meta"))
        note(build(module, info, sample, dtype=module.float64))
    return found


def formats(module, info, sample):
    """The Outcome of a call with images that lie with their channels last, as the weights do then."""
    outcome = Outcome()

    def laid(x):
        wanted = {4: module.channels_last, 5: module.channels_last_3d}.get(x.ndim, module.contiguous_format)
        return x.contiguous(memory_format=wanted)

    try:
        layer = build(module, info, sample, True)
        given = Arguments(module, sample.forward_input, laid)
        deep = max(x.ndim for x in given.inputs) > 4 or info.name.endswith("3d")
        if "Lazy" not in info.name:
            layer.to(memory_format=module.channels_last_3d if deep else module.channels_last)
        seed()
        outcome.value = layer(*given.args, **given.kwargs)
        outcome.inputs = list(layer.parameters())
    except Exception as error:
        outcome.error = error
    return outcome


def _shape_of(tensor):
    return None if "Uninitialized" in type(tensor).__name__ else tuple(tensor.shape)


def together(names, dtype="float32", most=None, only=QUICK):
    """{name: {kind: None where all is alike, else the text of the first failure}} of some modules.

    Up to AT_ONCE samples are read together, as one program.
    """
    found, waiting = {name: {} for name in names}, []

    def judge():
        flush.flush("read")
        for name, kind, sample, expected, actual in waiting:
            failure = _failure(f"{name} {kind} {brief(sample)}", expected, actual, strides=kind == "formats")
            if failure is None and expected.error is not None:
                failure = f"{name} {kind} {brief(sample)}: torch refuses its own sample, so nothing was compared"
            found[name][kind] = found[name].get(kind) or failure
        waiting.clear()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            for outcome in _outcomes(name, dtype, most, only):
                waiting.append((name, *outcome))
                if len(waiting) == AT_ONCE:
                    judge()
            if "refused" in only:
                found[name] |= refusals(INFOS[name], dtype)
        judge()
    return found


def _outcomes(name, dtype, most, only):
    """(kind, sample, torch's outcome, jtorch's) of each sample of a module."""
    info, dtype = INFOS[name], "float64" if name in FLOAT64 else dtype
    double = dtype == "float64"
    for mode in ("train", "eval") if info.train_and_eval_differ else ("train",):
        for sample in samples(info, dtype, mode == "train", most) if mode in only else ():
            both = (called(module, info, sample, mode == "train", double=double) for module in (torch, jtorch))
            yield mode, sample, *both
    for kind, fn in (("made", made), ("moved", moved)):
        for sample in samples(info, dtype, True) if kind in only else ():
            yield kind, sample, *_both(fn, info, sample)
    for sample in samples(info, "float64", True, most) if "gradgrad" in only and info.supports_gradgrad else ():
        expected = called(torch, info, sample, True, twice=True, double=True)
        if not str(expected.error).endswith("is not implemented"):  # torch has no gradient of that gradient
            yield "gradgrad", sample, expected, called(jtorch, info, sample, True, twice=True, double=True)
    for sample in samples(info, "float64", True, most) if "strided" in only else ():
        yield "strided", sample, *(strided(module, info, sample) for module in (torch, jtorch))
    if "inplace" in only and "inplace" in inspect.signature(info.module_cls).parameters:
        for sample in samples(info, dtype, True, most):
            yield "inplace", sample, *_both(inplace, info, sample)
    for sample in samples(info, dtype, True, most) if "formats" in only and _pictures(info, dtype) else ():
        yield "formats", sample, *(formats(module, info, sample) for module in (torch, jtorch))


def _pictures(info, dtype):
    """Whether a module is given tensors of four or five dims."""
    given = [s.forward_input for s in samples(info, dtype, True)]
    return any(getattr(x, "ndim", 0) in (4, 5) for g in given for x in g.args)


def _both(fn, *args):
    found = []
    for module in (torch, jtorch):
        outcome = Outcome()
        try:
            outcome.value = fn(module, *args)
        except Exception as error:
            outcome.error = error
        found.append(outcome)
    return found


def _failure(case, expected, actual, strides=False):
    if expected.error is not None or actual.error is not None:
        same = _words(expected.error) == _words(actual.error)
        return None if same else both_sides(case, expected.error or "no error", actual.error or "no error")[:LONG]
    rules = Rules(case, strides, tolerance={"rtol": 1e-4, "atol": 1e-5})
    try:
        for what in ("value", "inputs"):
            compare(rules, what, getattr(expected, what), getattr(actual, what))
        for what, one, other in sweep.gradients(expected, actual):
            compare(rules, what, one, other)
    except AssertionError as error:
        return str(error)[:LONG]
    return None


def _words(error):
    return None if error is None else (type(error).__name__, str(error))


def refusals(info, dtype):
    """{"refused": None or the first failure} of what a module must refuse, when made or when called."""
    if info.module_error_inputs_func is None:
        return {}
    seed()
    wrong = info.module_error_inputs_func(info, "cpu", getattr(torch, dtype), requires_grad=False, training=False)
    failures = []
    for one in wrong:
        sample, construction = one.module_error_input, one.error_on == ModuleErrorEnum.CONSTRUCTION_ERROR
        expected, actual = _both(build if construction else _call, info, sample)
        failure = _failure(f"{info.name} refuses {brief(sample)}", expected, actual)
        failures.append(failure or (None if expected.error else f"{info.name}: torch refuses nothing"))
    return {"refused": next(filter(None, failures), None)} if failures else {}


def _call(module, info, sample):
    given = Arguments(module, sample.forward_input)
    return build(module, info, sample)(*given.args, **given.kwargs)


def brief(sample):
    """A sample in a line."""
    shown = [
        [f"{k}{_shape(v)}" for k, v in (*(("", x) for x in given.args), *given.kwargs.items())]
        for given in (sample.constructor_input, sample.forward_input)
        if given is not None
    ]
    return f"{sample.desc} {shown}"[:400]


def _shape(value):
    return list(value.shape) if isinstance(value, torch.Tensor) else value
