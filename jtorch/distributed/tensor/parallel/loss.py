"""loss_parallel: the cross entropy of scores whose classes the ranks share, without any rank having all of them."""

from contextlib import contextmanager

from jtorch._tensor import aval
from jtorch.autograd.apply import create
from jtorch.groups.calls import made
from jtorch.ops.op import TABLE
from jtorch.shards.calls import general, handler
from jtorch.shards.dtensor import DTensor, dressed, plain
from jtorch.shards.layout import Layout, replicated
from jtorch.shards.placements import Shard


class _Within:
    yes = False


@contextmanager
def loss_parallel():
    """Within it cross_entropy of a DTensor whose classes are cut leaves them so. Its backward may come later, too."""
    before, _Within.yes = _Within.yes, True
    try:
        yield
    finally:
        _Within.yes = before


@handler("cross_entropy")
def _cross_entropy(func, args, kwargs):
    scores = args[0] if args else kwargs["input"]
    if not _Within.yes or not isinstance(scores, DTensor) or scores.placements != (Shard(1),):
        return general(func, "cross_entropy", args, kwargs)
    names = ("input", "target", "weight", "size_average", "ignore_index", "reduce", "reduction", "label_smoothing")
    given = {"ignore_index": -100, "reduction": "mean"} | dict(zip(names, args, strict=False)) | kwargs
    if given.get("weight") is not None or given.get("label_smoothing", 0.0) != 0.0:
        raise NotImplementedError("loss_parallel: cross_entropy with class weights or label smoothing is not served")
    return _shared_loss(scores, plain(given["target"]), given["ignore_index"], given["reduction"])


def _shared_loss(scores, target, ignored, reduction):
    """log Σ exp of all classes minus the target's score; the rank that has the target's class gives that score."""
    layout, device = scores._layout, aval(scores).device
    group = layout.mesh.get_group(0)

    def over_ranks(x, how):
        return made("sum_shards", x, group, "loss_parallel", how=how)

    part = scores * 1  # on the tape, a plain tensor of this rank's classes
    highest = over_ranks(part.detach().amax(1, keepdim=True), "max")
    part = part - highest
    total = over_ranks(part.exp().sum(1), "sum").log()
    each = layout.part()[1]
    place = target - create(TABLE["rank_start"], (group.across(device), each), device)
    here = (place >= 0) & (place < each)
    own = part.gather(1, place.clamp(0, each - 1).unsqueeze(1)).squeeze(1)
    losses = total - over_ranks(own * here.to(own.dtype), "sum")
    counted = (target != ignored).to(losses.dtype)
    losses = losses * counted
    if reduction == "mean":
        losses = losses.sum() / counted.sum()
    elif reduction == "sum":
        losses = losses.sum()
    return dressed(losses, Layout(layout.mesh, replicated(layout.mesh), aval(losses).shape))
