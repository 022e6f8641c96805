"""A softmax over very many classes, the rare ones in clusters with narrower layers."""

from collections import namedtuple

import numpy as np

from jtorch._tensor import read
from jtorch.api.indices import outside
from jtorch.autograd.apply import call
from jtorch.nn import functional as F
from jtorch.nn.modules.container import ModuleList, Sequential
from jtorch.nn.modules.linear import Linear
from jtorch.nn.modules.module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log probabilities of the targets and their mean loss, classes being cut into clusters at `cutoffs`.

    Shape: input (N, in_features) or (in_features,), target (N,) or () -> (output (N,) or (), loss ()).
    Attributes: head, the layer for the frequent classes and the clusters; tail, two layers for each cluster, the first
    div_value times narrower from cluster to cluster.
    Raises: ValueError for cutoffs that do not rise between 1 and n_classes - 1, RuntimeError for shapes and targets.
    Paper: Grave et al. 2016, https://arxiv.org/abs/1609.04309
    """

    def __init__(
        self, in_features: int, n_classes: int, cutoffs, div_value: float = 4.0, head_bias: bool = False, device=None,
        dtype=None,
    ) -> None:  # fmt: skip
        super().__init__()
        kind = {"device": device, "dtype": dtype}
        cutoffs = list(cutoffs)
        _check_cutoffs(cutoffs, n_classes)
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, **kind)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            width = int(in_features // div_value ** (i + 1))
            size = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(
                Sequential(Linear(in_features, width, bias=False, **kind), Linear(width, size, bias=False, **kind))
            )

    def reset_parameters(self) -> None:
        """Draw all weights again."""
        self.head.reset_parameters()
        for narrow, wide in self.tail:
            narrow.reset_parameters()
            wide.reset_parameters()

    def forward(self, input_, target_):
        _check_targets(input_, target_)
        alone = target_.dim() == 0
        input, target = (input_.unsqueeze(0), target_.unsqueeze(0)) if alone else (input_, target_)
        if outside(target, 0, self.n_classes) is not None:
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target.min().item()}, {target.max().item()}] were found. "
            )
        head = F.log_softmax(self.head(input), dim=1)
        column, output = target, 0
        for i, (low, high) in enumerate(zip(self.cutoffs, self.cutoffs[1:], strict=False)):
            if _surely_empty(target, low, high):
                continue
            # torch takes the rows of a cluster out; here shapes must not depend on values, so all rows go in.
            inside = (target >= low) & (target < high)
            column = column.masked_fill(inside, self.shortlist_size + i)
            within = F.log_softmax(self.tail[i](input), dim=1)
            place = (target - low).clamp(0, high - low - 1).unsqueeze(1)
            output = output + within.gather(1, place).squeeze(1).masked_fill(~inside, 0.0)
        output = output + head.gather(1, column.unsqueeze(1)).squeeze(1)
        loss = (-output).mean()
        return _ASMoutput(output.squeeze(0) if alone else output, loss)

    def _get_full_log_prob(self, input, head_output):
        """Log probabilities of all classes. Shape: (N, in_features), (N, head_size) -> (N, n_classes)."""
        head = F.log_softmax(head_output, dim=1)
        parts = [head[:, : self.shortlist_size]]
        for i, tail in enumerate(self.tail):
            parts.append(F.log_softmax(tail(input), dim=1) + head[:, self.shortlist_size + i].unsqueeze(1))
        return call("cat", parts, 1)

    def log_prob(self, input):
        """Log probabilities of all classes. Shape: (N, in_features) -> (N, n_classes)."""
        return self._get_full_log_prob(input, self.head(input))

    def predict(self, input):
        """The most likely class of each row. Shape: (N, in_features) -> (N,)."""
        head = self.head(input)
        best = head.argmax(1)
        # torch: a frequent class that leads the head is taken as it is.
        return best.where(best < self.shortlist_size, self._get_full_log_prob(input, head).argmax(1))


def _surely_empty(target, low, high):
    """Whether no target lies in the cluster, as far as is known without running anything."""
    values = read(target).value
    return isinstance(values, np.ndarray) and not ((values >= low) & (values < high)).any()


def _check_cutoffs(cutoffs, n_classes):
    if not cutoffs:
        raise ValueError("cutoffs should be a sequence of length larger than 0")
    rising = cutoffs == sorted(set(cutoffs)) and all(int(c) == c for c in cutoffs)
    if not rising or min(cutoffs) <= 0 or max(cutoffs) > n_classes - 1:
        raise ValueError(
            "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, "
            "where each value is between 1 and n_classes-1"
        )


def _check_targets(input, target):
    if target.dim() > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if target.dim() == 1 and input.size(0) != target.size(0):
        raise RuntimeError("Input and target should have the same size in the batch dimension.")
    if input.dim() != target.dim() + 1:
        n = target.dim()
        raise RuntimeError(
            f"{n}D target tensor expects {n + 1}D input tensors, but found inputs with size {input.size()}"
        )
