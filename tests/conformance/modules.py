"""torch's own list of modules and samples, torch beside jtorch: what is made, computed, learned and refused.

Kinds: made (draws, state dict, printed form, copies and pickles), train and eval (results, gradients, state
afterwards), refused (class and words of errors).
"""

import copy
import fnmatch
import functools
import pickle
import types
import warnings
from dataclasses import dataclass

import torch
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db

import jtorch
from jtorch.engine import flush
from tests.conformance import counterpart
from tests.conformance.calls import seed
from tests.conformance.given import Given
from tests.oracle import Outcome, Rules, compare, differentiate
from tests.sides import both_sides

INFOS = {info.name: info for info in module_db}
KINDS = ("made", "train", "eval", "refused")
# torch draws for the first two in float64 alone; gradients of the last are differences of almost equal numbers.
FLOAT64 = ("nn.FractionalMaxPool2d", "nn.FractionalMaxPool3d", "nn.CTCLoss")
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
    """A sample's arguments as one module wants them: tensors, dtypes, functions of nn, layers with their parameters."""

    def __init__(self, module, function_input):
        given = types.SimpleNamespace(input=None, args=function_input.args, kwargs=function_input.kwargs)
        super().__init__(module, given, requires_grad=True)

    def convert(self, value):
        """One argument."""
        place = getattr(value, "__module__", None) or ""
        if isinstance(value, types.FunctionType) and place.startswith("torch.nn"):
            name = f"{place}.{value.__name__}".removeprefix("torch.")
            return functools.reduce(getattr, name.split("."), self.module)
        if isinstance(value, types.BuiltinFunctionType) and self.module is not torch:
            return counterpart.find(value)
        return super().convert(value)

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


def build(module, info, sample, training=True):
    """The module of a sample, drawn from a known seed."""
    given = Arguments(module, sample.constructor_input)
    seed()
    cls = info.module_cls if module is torch else getattr(module.nn, info.module_cls.__name__)
    return cls(*given.args, **given.kwargs).train(training)


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


def called(module, info, sample, training):
    """The Outcome of a sample's call: result, gradients of inputs and parameters, state afterwards."""
    outcome = Outcome()
    try:
        layer = build(module, info, sample, training)
        given = Arguments(module, sample.forward_input)
        seed()
        outcome.value = layer(*given.args, **given.kwargs)
        outcome.leaves = [*given.leaves, *layer.parameters()]
        differentiate(module, outcome, twice=False)
        outcome.inputs = [dict(layer.state_dict()), repr(layer), given.inputs]
    except Exception as error:
        outcome.error = error
    return outcome


def together(names, dtype="float32", most=None, only=KINDS):
    """{name: {kind: None where all is alike, else the text of the first failure}} of some modules.

    Up to AT_ONCE samples are read together, as one program.
    """
    found, waiting = {name: {} for name in names}, []

    def judge():
        flush.flush("read")
        for name, kind, sample, expected, actual in waiting:
            failure = _failure(f"{name} {kind} {brief(sample)}", expected, actual)
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
    for mode in ("train", "eval") if info.train_and_eval_differ else ("train",):
        for sample in samples(info, dtype, mode == "train", most) if mode in only else ():
            yield mode, sample, *(called(module, info, sample, mode == "train") for module in (torch, jtorch))
    for sample in samples(info, dtype, True) if "made" in only else ():
        yield "made", sample, *_both(made, info, sample)


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


def _failure(case, expected, actual):
    if expected.error is not None or actual.error is not None:
        same = _words(expected.error) == _words(actual.error)
        return None if same else both_sides(case, expected.error or "no error", actual.error or "no error")[:LONG]
    rules = Rules(case, tolerance={"rtol": 1e-4, "atol": 1e-5})
    try:
        for what in ("value", "grads", "inputs"):
            compare(rules, what, getattr(expected, what), getattr(actual, what))
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
