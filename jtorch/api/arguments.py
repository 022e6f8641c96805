"""Why torch refuses a call: its argument parser, asked only after a call has failed.

`refusal("torch", "add", args, kwargs)` is torch's TypeError for these arguments, or None where torch takes them. The
signatures stand in signatures.txt, one overload a line under the name of torch's namespace;
tests compare them with torch.
"""

import functools
import operator
import re
from pathlib import Path

from jtorch import dtypes
from jtorch._tensor import Tensor, aval
from jtorch.api.kinds import WORDS, accepts, refused_item
from jtorch.errors import type_name

_OPTIONS = (
    "dtype? dtype=None, layout? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False"
)
_NUMPY_NAMES = {"dim": ("axis",), "keepdim": ("keepdims",), "input": ("x", "a", "x1"), "other": ("x2",)}
_PARAMETER = re.compile(r"(?P<kind>[\w.]+)(?:\[(?P<size>\d+)\])?(?P<none>\?)? (?P<name>\w+)(?:=(?P<default>.+))?")
_PREFIX = {"linalg": "linalg_", "fft": "fft_", "special": "special_"}


class Parameter:
    """One parameter of an overload."""

    def __init__(self, text, keyword_only):
        found = _PARAMETER.fullmatch(text)
        self.kind, self.name, self.default = found["kind"], found["name"], found["default"]
        self.size = int(found["size"] or 0)
        self.optional = self.default is not None
        self.none = bool(found["none"]) or self.default == "None"
        self.keyword_only = keyword_only
        self.names = (self.name, *_NUMPY_NAMES.get(self.name, ()))

    def __str__(self):
        default = {"[]": "()", "{}": "None"}.get(self.default, self.default)
        return f"{WORDS[self.kind]} {self.name}" + (f" = {default}" if self.optional else "")

    def given(self, kwargs):
        """The name under which a call has it, or None."""
        return next((name for name in self.names if name in kwargs), None)


class Overload:
    """One signature of a function."""

    def __init__(self, name, text):
        self.name = name
        text, _, mark = text.partition("|")
        self.hidden = mark == "deprecated"
        self.params, star = [], False
        for part in _split(text.strip("()").replace("**options", _OPTIONS)):
            if part == "*":
                star = True
            else:
                self.params.append(Parameter(part, star))
        self.count()

    def count(self):
        """Note how many arguments it takes."""
        self.least = sum(not p.optional for p in self.params)
        self.most = len(self.params)
        self.positional = sum(not p.keyword_only for p in self.params)
        self.spread = self.positional == 1 and self.params[0].kind == "ints"

    def __str__(self):
        parts = [str(p) for p in self.params]
        if self.positional < self.most:
            parts.insert(self.positional, "*")
        return f"({', '.join(parts)})"

    def fault(self, args, kwargs, numbers=False):
        """torch's message where the arguments do not fit, else None. numbers: Tensor parameters take numbers too."""
        if len(args) > self.positional and not self.spread:
            return self._too_many(args)
        used, at = set(), 0
        for i, p in enumerate(self.params):
            key = None
            if at < len(args):
                if p.keyword_only:
                    return self._too_many(args)
                value, here = args[at], True
            else:
                key, here = p.given(kwargs), False
                value = kwargs.get(key)
            if not here and key is None and not p.optional:
                return self._missing(i)
            if (here or key is not None) and not (value is None and p.none):
                taken = accepts(p, value, i, numbers)
                if not taken and here and at == 0 and self.spread and accepts(p, tuple(args), i, numbers):
                    at = len(args)
                    continue
                if not taken:
                    return self._wrong(p, value, at if here else None)
            if here:
                at += 1
            elif key is not None:
                used.add(key)
        if at < len(args):
            return self._too_many(args)
        return self._unexpected(kwargs, len(args)) if len(used) < len(kwargs) else None

    def _too_many(self, args):
        if self.least != self.positional:
            return f"takes from {self.least} to {self.positional} positional arguments but {len(args)} were given"
        plural, were = "" if self.positional == 1 else "s", "was" if len(args) == 1 else "were"
        return f"takes {self.positional} positional argument{plural} but {len(args)} {were} given"

    def _missing(self, first):
        names = [f'"{p.name}"' for p in self.params[first:] if not p.optional]
        # torch: the plural stands with one.
        plural = "s" if len(names) == 1 else ""
        return f"missing {len(names)} required positional argument{plural}: {', '.join(names)}"

    def _wrong(self, p, value, at):
        where = "" if at is None else f" (position {at + 1})"
        wanted = f"argument '{p.name}'{where} must be {WORDS[p.kind]}"
        item = refused_item(p, value)
        if item and at is not None:
            return f": {wanted}, but found element of type {type_name(*item)} at pos 0"
        return f": {wanted}, not {type_name(value)}"

    def _unexpected(self, kwargs, given):
        for key in kwargs:
            at = next((i for i, p in enumerate(self.params) if key == p.name), None)
            if at is None:
                return f"got an unexpected keyword argument '{key}'"
            if at < given:
                return f"got multiple values for argument '{key}'"
        return "got multiple values for an argument"

    def unpack_fault(self, args, kwargs):
        """torch's message for an item further back in a list of ints that is none; the first is looked at before."""
        for i, p in enumerate(self.params):
            if p.kind != "ints":
                continue
            value = args[i] if i < len(args) else kwargs.get(p.given(kwargs))
            if self.spread and i == 0 and len(args) > 1:
                value = args
            for place, item in enumerate(value if isinstance(value, (tuple, list)) else ()):
                if not _is_index(item):
                    return (
                        f": argument '{p.name}' failed to unpack the object at pos {place + 1} with error "
                        f'"type must be {WORDS["ints"]},but got {type_name(item)}"'
                    )
        return None


def _is_index(item):
    try:
        operator.index(item)
    except TypeError:
        return False
    return not isinstance(item, Tensor) or (aval(item).dtype.category == dtypes.INT and not aval(item).ndim)


def _split(text):
    """The parts between commas; a comma inside brackets or quotes does not part."""
    return [part for part in re.split(r", (?![^\[]*\])", text) if part]


@functools.cache
def _lines():
    found, section = {}, None
    for line in (Path(__file__).parent / "signatures.txt").read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name = line[: line.index("(")]
            found.setdefault((section, name), []).append(line[len(name) :])
    return found


@functools.cache
def overloads(section, name):
    """The signatures of a function of a namespace ("torch", "Tensor", "nn", ...); none where it has no native ones."""
    shown = _PREFIX.get(section, "") + name
    return tuple(Overload(shown, line) for line in _lines().get((section, name), ()))


# torch: a Tensor parameter of these takes a number as well.
TAKES_NUMBERS = frozenset(
    "add add_ sub sub_ subtract subtract_ mul mul_ multiply multiply_ div div_ divide divide_ true_divide true_divide_ "
    "floor_divide floor_divide_ to copy_ _conj".split()
)


def refusal(section, name, args, kwargs):
    """torch's TypeError for these arguments, or None where torch's parser takes them."""
    known = overloads(section, name)
    if not known:
        return None
    shown, numbers = known[0].name, name in TAKES_NUMBERS
    if section == "Tensor" and len(known) == 1 and not known[0].params:
        return _takes_none(name, args, kwargs)
    faults = []
    for overload in known:
        try:
            faults.append(overload.fault(args, kwargs, numbers))
        except TypeError as error:  # an item of a list of tensors is none
            return error
        if faults[-1] is None:
            late = overload.unpack_fault(args, kwargs)
            return TypeError(f"{shown}(){late}") if late else None
    count = len(args) + len(kwargs)
    if len(known) == 1:
        likely = known
    else:
        likely = [k for k in known if k.least <= count <= k.most and not k.hidden]
    if len(likely) == 1:
        fault = faults[known.index(likely[0])]
        return TypeError(f"{shown}(){fault if fault.startswith(':') else ' ' + fault}")
    return TypeError(_no_match(shown, args, kwargs, [k for k in known if not k.hidden]))


def _takes_none(name, args, kwargs):
    if kwargs:
        return TypeError(f"TensorBase.{name}() takes no keyword arguments")
    return TypeError(f"TensorBase.{name}() takes no arguments ({len(args)} given)") if args else None


def _no_match(shown, args, kwargs, options):
    # torch: named arguments come last first, and with a comma after each where they stand alone.
    named = [f"{key}={type_name(kwargs[key])}" for key in reversed(kwargs)]
    given = ", ".join([*map(type_name, args), *named]) + (", " if named and not args else "")
    words = f"{shown}() received an invalid combination of arguments - got ({given}), but expected "
    if len(options) == 1:
        odd = [key for key in reversed(kwargs) if not any(key in p.names for p in options[0].params)]
        if odd:
            return words[: words.index("(", len(shown) + 2)] + f"unrecognized keyword arguments: {', '.join(odd)}"
        return words + str(options[0])
    return words + "one of:\n" + "".join(f" * {option}\n" for option in options)
