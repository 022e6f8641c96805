"""torch's samples with the numbers of tests/edges.py in the place of theirs, and its arrays as samples of their own."""

import numpy as np
import torch
from torch.testing._internal.opinfo.core import BinaryUfuncInfo, ReductionOpInfo, SampleInput, UnaryUfuncInfo

from tests import edges
from tests.conformance import calls


def samples(entry, made, most=None):
    """Samples in float64 for an entry: at zeros, at ties, where functions turn, and at nan and infinities.

    made: torch's own. most: at most so many are made of these; None is all.
    """
    info, wanted = entry.info, entry.differentiable("float64")
    if isinstance(info, UnaryUfuncInfo):
        given = [_tensor(edges.unary("float64")[name], wanted) for name in ("values", "extremes", "0-d", "empty")]
        return [SampleInput(x, kwargs=info.sample_kwargs("cpu", torch.float64, x)[0]) for x in given]
    if isinstance(info, BinaryUfuncInfo):
        pairs = [np.broadcast_arrays(*edges.binary("float64")[name]) for name in ("values", "ties", "empty")]
        return [SampleInput(_tensor(x, wanted), args=(_tensor(y, wanted),), kwargs=made[0].kwargs) for x, y in pairs]
    taken = calls.spread(made, most and -(-most // len(_NUMBERS)))
    found = [_filled(sample, numbers) for sample in taken for numbers in _NUMBERS]
    if isinstance(info, ReductionOpInfo):
        given = [edges.reduction("float64")[name] for name in ("ties", "even count", "nan and inf", "signed zeros")]
        found += [SampleInput(_tensor(x, wanted), kwargs={"dim": -1}) for x in given]
    return found


_VALUES = edges.values("float64")
_NUMBERS = (
    np.zeros(1),
    edges.reduction("float64")["ties"].reshape(-1),
    _VALUES[np.isfinite(_VALUES)],
    np.concatenate([edges.ordinary((5,), "float64"), _VALUES[~np.isfinite(_VALUES)], np.zeros(2)]),
)


def _filled(sample, numbers):
    """A sample with these numbers, over and over, in its tensors of float64: each goes on where the last one ends."""
    used = 0

    def filled(tensor):
        nonlocal used
        if not isinstance(tensor, torch.Tensor) or tensor.dtype != torch.float64 or tensor.layout != torch.strided:
            return tensor
        fresh = np.resize(np.roll(numbers, -used), tensor.numel()).reshape(tuple(tensor.shape))
        used += tensor.numel()
        made = torch.empty_like(tensor).copy_(torch.from_numpy(fresh))
        return made.requires_grad_(tensor.requires_grad)

    return sample.transform(filled)


def _tensor(array, wanted):
    return torch.from_numpy(np.array(array)).requires_grad_(wanted)
