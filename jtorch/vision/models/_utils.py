"""What nets share: builders with their weights and torchvision's old arguments, and small helpers."""

import functools
import inspect
import sys
import warnings
from collections import OrderedDict
from typing import Any

from jtorch import nn
from jtorch.vision.models._weights import WeightsEnum

BUILTIN_MODELS: dict[str, Any] = {}
_OLD = "deprecated since 0.13 and may be removed in the future"


def cat(tensors, dim=1):
    """Tensors one after the other along a dim, by torch's own function: torch.fx sees the call."""
    return sys.modules["jtorch"].cat(tensors, dim)


def _make_divisible(v, divisor, min_value=None):
    """The multiple of a number that is closest to v, but no less than nine tenths of it."""
    near = max(min_value or divisor, int(v + divisor / 2) // divisor * divisor)
    return near + divisor if near < 0.9 * v else near


def kaiming(net, mode="fan_out", linear=None):
    """Draw the weights of convolutions; norms begin with 1, biases with 0.

    linear: what draws a linear layer's weight; None leaves linear layers as they are.
    """
    for m in net.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, mode=mode)
        elif isinstance(m, (nn.BatchNorm2d, nn.GroupNorm)):
            nn.init.ones_(m.weight)
        elif isinstance(m, nn.Linear) and linear is not None:
            linear(m.weight)
        else:
            continue
        if m.bias is not None:
            nn.init.zeros_(m.bias)


def small(weight):
    """Normal numbers of standard deviation 0.01, for linear layers."""
    nn.init.normal_(weight, 0, 0.01)


def named(kwargs, param, value):
    """Give an argument a value. Raises ValueError where the caller gave another one."""
    if kwargs.setdefault(param, value) != value:
        raise ValueError(f"The parameter '{param}' expected value {value} but got {kwargs[param]} instead.")


class IntermediateLayerGetter(nn.ModuleDict):
    """A net up to the last of some children, whose results it returns. return_layers: {child: name of its result}.

    Raises ValueError for a child that the net has not.
    """

    _version = 2

    def __init__(self, model: nn.Module, return_layers: dict[str, str]) -> None:
        children = dict(model.named_children())
        if not set(return_layers) <= set(children):
            raise ValueError("return_layers are not present in model")
        last = max(list(children).index(str(name)) for name in return_layers)
        super().__init__(dict(list(children.items())[: last + 1]))
        self.return_layers = return_layers

    def forward(self, x):
        out = OrderedDict()
        for name, module in self.items():
            x = module(x)
            if name in self.return_layers:
                out[self.return_layers[name]] = x
        return out


# Builders.


def builder(weights_enum, old="IMAGENET1K_V1", prepare=None, load=None, more=None):
    """Make a function of **kwargs that builds a net into torchvision's builder of it, and register it.

    old: the weights that `pretrained=True` means. prepare(kwargs, weights): what weights ask of the arguments, beside
    num_classes. load(net, state, given): how weights come into a net; given: the user's kwargs. more: as in dressed.
    """

    def decorate(make):
        def build(kwargs):
            weights, progress = weights_enum.verify(kwargs.pop("weights", None)), kwargs.pop("progress", True)
            given = dict(kwargs)
            if weights is None:
                return make(**kwargs)
            if prepare is not None:
                prepare(kwargs, weights)
            if weights.meta["categories"] is not None:
                named(kwargs, "num_classes", len(weights.meta["categories"]))
            net = make(**kwargs)
            state = weights.get_state_dict(progress=progress, check_hash=True)
            if load is None:
                net.load_state_dict(state)
            else:
                load(net, state, given)
            return net

        return dressed(make, build, weights_enum, {"pretrained": ("weights", weights_enum, old)}, more)

    return decorate


def dressed(make, build, weights_enum, old, more=None):
    """torchvision's builder of a net out of build(kwargs), under the name and the words of make, and registered.

    old: {old argument: (argument, enum, the weights that True means)}; more: {argument: (annotation, default)}.
    """
    more = more or {}

    def builder_of_net(*args, **kwargs):
        _by_position(args, kwargs, ("weights", "progress", *more))
        for was, (param, enum, meant) in old.items():
            _pretrained(make.__name__, enum, meant, kwargs, param, was)
        return build(kwargs)

    functools.update_wrapper(builder_of_net, make)
    del builder_of_net.__wrapped__
    builder_of_net.__signature__ = _signature({"weights": (weights_enum, None), "progress": (bool, True), **more})
    BUILTIN_MODELS[make.__name__] = builder_of_net
    return builder_of_net


def _signature(arguments):
    """(*, weights: Net_Weights | None = None, progress: bool = True, **kwargs)"""
    kinds = inspect.Parameter
    named = [
        kinds(name, kinds.KEYWORD_ONLY, default=default, annotation=kind if kind is bool else kind | None)
        for name, (kind, default) in arguments.items()
    ]
    return inspect.Signature([*named, kinds("kwargs", kinds.VAR_KEYWORD, annotation=Any)])


def _by_position(args, kwargs, names):
    """Take arguments without a name as torchvision once did, with its warning."""
    names = names[: len(args)]
    if args:
        shown = "".join(f"'{name}', " for name in names[:-1]).rstrip(", ")
        shown = f"{shown} and '{names[-1]}'" if shown else f"'{names[-1]}'"
        warnings.warn(
            f"Using {shown} as positional parameter(s) is {_OLD}. Please use keyword parameter(s) instead.",
            stacklevel=4,
        )
        kwargs.update(zip(names, args, strict=False))


def _pretrained(name, weights_enum, old, kwargs, param, was):
    """Turn `pretrained=`, or a bool in the place of weights, into weights, with torchvision's warnings."""
    given = kwargs.get(param)
    legacy = given == "legacy" or not (given is None or isinstance(given, (WeightsEnum, str)))
    if param in kwargs and not legacy or param not in kwargs and was not in kwargs:
        return
    wanted = kwargs.pop(param) if legacy else kwargs[was]
    if wanted and old is None:
        raise ValueError(f"No weights available for model {name}")
    weights = weights_enum[old] if wanted else None
    if not legacy:
        warnings.warn(f"The parameter '{was}' is {_OLD}, please use '{param}' instead.", stacklevel=4)
    words = (
        f"Arguments other than a weight enum or `None` for '{param}' are {_OLD}. "
        f"The current behavior is equivalent to passing `{param}={weights}`."
    )
    if wanted:
        words += f" You can also use `{param}={weights_enum.__name__}.DEFAULT` to get the most up-to-date weights."
    warnings.warn(words, stacklevel=4)
    kwargs.pop(was, None)
    kwargs[param] = weights
