"""The entries of torch's op database: their names, families and dtypes, which are left out, which compare in part."""

import fnmatch
import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.testing._internal.common_device_type import toleranceOverride
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import BinaryUfuncInfo, ReductionOpInfo, UnaryUfuncInfo

DTYPES = ("float32", "float64", "int64", "bool", "complex64", "bfloat16", "float16")
EDGES = "edges"  # stands where a dtype does: samples in float64 with the numbers of tests/edges.py
TABLE = tomllib.loads((Path(__file__).parent / "entries.toml").read_text())


@dataclass(frozen=True)
class Entry:
    """One row of the op database."""

    info: object

    @functools.cached_property
    def name(self):
        """torch's dotted name, and which of its forms the row is about: `linalg.pinv/singular`."""
        variant = self.info.variant_test_name
        return f"{self.info.name}/{variant}" if variant else self.info.name

    @property
    def family(self):
        """What kind of op it is, for reports."""
        name = self.info.name
        for prefix in ("nn.functional", "linalg", "fft", "special", "signal", "masked"):
            if name.startswith(f"{prefix}."):
                return prefix
        for kind, family in _KINDS.items():
            if isinstance(self.info, kind):
                return family
        return "other"

    @property
    def left_out(self):
        """Why the entry is not compared, or None."""
        return _match(TABLE["left_out"], self.name)

    @property
    def drawn(self):
        """Why only shapes and dtypes of results are compared, or None."""
        return _match(TABLE["shape_only"], self.name)

    @property
    def ties(self):
        """Why, in the place of indices, what they choose is compared, or None."""
        return _match(TABLE["ties"], self.name)

    @property
    def ambiguous(self):
        """Why results are compared after what torch makes of them before it differentiates, or None."""
        return _match(TABLE["ambiguous"], self.name)

    @property
    def elementwise(self):
        """Whether each element of the result comes of one element of each operand."""
        return isinstance(self.info, (UnaryUfuncInfo, BinaryUfuncInfo))

    @property
    def dtypes(self):
        """The names of those of DTYPES that the entry has on the CPU."""
        given = self.info.dtypes or {torch.float32, torch.float64}  # batch_norm names none
        return [name for name in (*DTYPES, EDGES) if number(name) in given]

    def differentiable(self, dtype):
        """Whether torch has gradients of the entry in a dtype."""
        backward = self.info.backward_dtypes or self.info.dtypes or {torch.float32, torch.float64}
        kind = number(dtype)
        return self.info.supports_autograd and (kind.is_floating_point or kind.is_complex) and kind in backward

    def tolerance(self, dtype):
        """torch's own tolerance for the entry where it is wider than the dtype's: {} or rtol and atol."""
        kind = number(dtype)
        wider = []
        for one in self.info.decorators:
            if getattr(one, "device_type", None) in (None, "cpu"):
                overrides = [d.d for d in getattr(one, "decorators", [one]) if isinstance(d, toleranceOverride)]
                wider += [d[kind] for d in overrides if kind in d]
        if not wider:
            return {}
        rtol, atol = torch.testing._comparison.default_tolerances(kind)
        return {"rtol": max(rtol, *(t.rtol for t in wider)), "atol": max(atol, *(t.atol for t in wider))}


_KINDS = {UnaryUfuncInfo: "unary", BinaryUfuncInfo: "binary", ReductionOpInfo: "reductions"}


def number(dtype):
    """torch's dtype of a name of DTYPES, or of EDGES."""
    return torch.float64 if dtype == EDGES else getattr(torch, dtype)


def _match(table, name):
    return next((reason for pattern, reason in table.items() if fnmatch.fnmatchcase(name, pattern)), None)


@functools.cache
def everything():
    """{name: Entry} of the whole database, in torch's order."""
    return {entry.name: entry for entry in map(Entry, op_db)}


def chosen(pattern="*"):
    """The entries that are compared and whose name fits a pattern of the shell (or one of several, with commas)."""
    patterns = pattern.split(",")
    return [
        entry
        for entry in everything().values()
        if entry.left_out is None and any(fnmatch.fnmatchcase(entry.name, p) for p in patterns)
    ]
