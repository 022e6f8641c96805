"""What nets share: builders with their weights and torchvision's old arguments, and small helpers."""

import functools
import inspect
import sys
import warnings
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


# Builders.


def builder(weights_enum, old="IMAGENET1K_V1", prepare=None, load=None):
    """Make a function of **kwargs that builds a net into torchvision's builder of it, and register it.

    old: the weights that `pretrained=True` means. prepare(kwargs, weights): what weights ask of the arguments, beside
    num_classes. load(net, state, given): how weights come into a net; given: the user's kwargs.
    """

    def decorate(make):
        def build(*args, **kwargs):
            _by_position(args, kwargs)
            _pretrained(make.__name__, weights_enum, old, kwargs)
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

        functools.update_wrapper(build, make)
        del build.__wrapped__
        build.__signature__ = _signature(weights_enum)
        BUILTIN_MODELS[make.__name__] = build
        return build

    return decorate


def _signature(weights_enum):
    """(*, weights: Net_Weights | None = None, progress: bool = True, **kwargs)"""
    kinds = inspect.Parameter
    return inspect.Signature(
        [
            kinds("weights", kinds.KEYWORD_ONLY, default=None, annotation=weights_enum | None),
            kinds("progress", kinds.KEYWORD_ONLY, default=True, annotation=bool),
            kinds("kwargs", kinds.VAR_KEYWORD, annotation=Any),
        ]
    )


def _by_position(args, kwargs):
    """Take arguments without a name as torchvision once did, with its warning."""
    names = ("weights", "progress")[: len(args)]
    if args:
        shown = " and ".join(f"'{name}'" for name in names)
        warnings.warn(
            f"Using {shown} as positional parameter(s) is {_OLD}. Please use keyword parameter(s) instead.",
            stacklevel=4,
        )
        kwargs.update(zip(names, args, strict=False))


def _pretrained(name, weights_enum, old, kwargs):
    """Turn `pretrained=`, or a bool in the place of weights, into weights, with torchvision's warnings."""
    given = kwargs.get("weights")
    legacy = given == "legacy" or not (given is None or isinstance(given, (WeightsEnum, str)))
    if "weights" in kwargs and not legacy or "weights" not in kwargs and "pretrained" not in kwargs:
        return
    wanted = kwargs.pop("weights") if legacy else kwargs["pretrained"]
    if wanted and old is None:
        raise ValueError(f"No weights available for model {name}")
    weights = weights_enum[old] if wanted else None
    if not legacy:
        warnings.warn(f"The parameter 'pretrained' is {_OLD}, please use 'weights' instead.", stacklevel=4)
    words = (
        f"Arguments other than a weight enum or `None` for 'weights' are {_OLD}. "
        f"The current behavior is equivalent to passing `weights={weights}`."
    )
    if wanted:
        words += f" You can also use `weights={weights_enum.__name__}.DEFAULT` to get the most up-to-date weights."
    warnings.warn(words, stacklevel=4)
    kwargs.pop("pretrained", None)
    kwargs["weights"] = weights
