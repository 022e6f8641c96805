"""Random chains of views and in-place writes on bases and on views, with gradients: what nobody thought of writing.

    python -m tests.autograd.programs --count 1000 --seed 0 [--how eager] [--together 20]

runs that many of them on torch and on jtorch, compares values, gradients, facts and errors, and prints what differs.
How jtorch runs them: `recorded` as any program, `eager` with each op at once, `read` with every tensor read after each
step, so that each is a program of its own, `compiled` as a function under torch.compile. So many programs are recorded
together and then read, which costs one compilation; where something differs, each is looked at alone.
"""

import argparse
import random
import sys
import time

import jtorch
from jtorch.engine import debug
from tests.oracle import same

SHAPES = ((3, 4), (2, 3, 2), (4, 4), (6,), (1, 5))


def _view(draw, t):
    """A random view of a tensor."""
    dim = draw.randrange(t.dim())
    size, other = t.shape[dim], draw.randrange(t.dim())
    kinds = ["narrow", "step", "flat", "expand", "detach"]
    kinds += ["select", "transpose"] + ["diagonal"] * (dim != other) if t.dim() > 1 else []
    kind = draw.choice(kinds)
    if kind == "narrow":
        start = draw.randrange(size)
        return t.narrow(dim, start, draw.randrange(start, size) + 1 - start)
    if kind == "step":
        return t[(slice(None),) * dim + (slice(None, None, 2),)]
    if kind == "flat":
        return t.view(-1) if t.is_contiguous() else t.unsqueeze(dim).squeeze(dim)
    if kind == "expand":
        return t.unsqueeze(0).expand(2, *t.shape)[1]
    if kind == "detach":
        return draw.choice((t.detach, lambda: t.view_as(t)))()
    if kind == "select":
        return t.select(dim, draw.randrange(size))
    return t.transpose(dim, other) if kind == "transpose" else t.diagonal(0, dim, other)


def _write(draw, torch, t, w, tensors):
    """A random in-place write to a tensor, of a number, of the leaf w, or of another tensor of the program."""
    number = draw.choice((0.5, 2.0, -1.0))
    source = draw.choice((w, w[0] * number, draw.choice(tensors).mean(), torch.tensor(number)))
    source = source.detach() if draw.random() < 0.2 else source
    writes = (
        lambda: t.mul_(source), lambda: t.add_(source, alpha=2), lambda: t.copy_(source), lambda: t.fill_(number),
        lambda: t.zero_(), lambda: t.sin_(), lambda: t.sigmoid_(), lambda: t.neg_(), lambda: t.clamp_(-0.5, 0.5),
        lambda: t.masked_fill_(t > 0, number), lambda: t.addcmul_(source, source), lambda: t.sub_(t.clone()),
        lambda: t.__setitem__(..., source), lambda: t.__setitem__(0, source), lambda: t.div_(2 + source * source),
    )  # fmt: skip
    draw.choice(writes)()


def _facts(t):
    """What is known of a tensor beside its values."""
    try:
        node = t.grad_fn and type(t.grad_fn).__name__
    except RuntimeError as error:
        node = str(error)
    return node, t._version, t.requires_grad, t.stride(), t.storage_offset()


WAYS = ("recorded", "eager", "read", "compiled")


def _start(seed, torch):
    """What a random program begins with: what it draws from, and its leaves."""
    draw = random.Random(seed)
    shape = draw.choice(SHAPES)
    count = torch.Size(shape).numel()
    x = torch.linspace(-1, 1.25, count).reshape(shape).requires_grad_()
    return draw, x, torch.tensor([0.75], requires_grad=True)


def _program(start, torch, read=False):
    """A random program: its tensors, its gradients, how often each was written to, and what was refused.

    read: whether every tensor is read after each step.
    """
    draw, x, w = start
    tensors, notes = [x * 1], []
    for _ in range(draw.randrange(4, 9)):
        t = draw.choice(tensors)
        try:
            if draw.random() < 0.5 and t.dim():
                with torch.no_grad() if draw.random() < 0.1 else torch.enable_grad():
                    tensors.append(_view(draw, t))
            else:
                with torch.no_grad() if draw.random() < 0.15 else torch.enable_grad():
                    _write(draw, torch, t, w, tensors)
        except RuntimeError as error:
            notes.append(str(error))
        for t in tensors if read else ():
            t.tolist()
    weights = [draw.random() for _ in tensors]
    try:
        total = sum((t * t * weight).sum() for t, weight in zip(tensors, weights, strict=True))
        total.backward()
    except RuntimeError as error:
        notes.append(str(error))
    return [t.detach() for t in tensors], x.grad, w.grad, list(map(_facts, tensors)), notes


def compare(*seeds, how="recorded"):
    """Assert that torch and jtorch make the same of programs, run one after another in one of the WAYS by jtorch."""

    def programs(torch):
        if torch is not jtorch or how == "recorded":
            starts = [_start(seed, torch) for seed in seeds]  # at first: new leaves end what is recorded together
            return [_program(start, torch) for start in starts]
        if how == "compiled":
            return [jtorch.compile(lambda seed=seed: _program(_start(seed, torch), torch))() for seed in seeds]
        before, debug.EAGER = debug.EAGER, how == "eager"
        try:
            return [_program(_start(seed, torch), torch, read=how == "read") for seed in seeds]
        finally:
            debug.EAGER = before

    programs.__name__ = f"programs {', '.join(map(str, seeds))}, {how}"
    same(programs)


def _differing(seeds, how):
    """{seed: what differs} of programs."""
    found = {}
    try:
        compare(*seeds, how=how)
    except AssertionError as error:
        if len(seeds) == 1:
            return {seeds[0]: error}
        for seed in seeds:
            found.update(_differing([seed], how))
        return found or {tuple(seeds): error}
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the first program")
    parser.add_argument("--how", choices=WAYS, default=WAYS[0])
    parser.add_argument("--together", type=int, default=1, help="how many programs are recorded before they are read")
    args = parser.parse_args()
    started, different, end = time.perf_counter(), 0, args.seed + args.count
    for first in range(args.seed, end, args.together):
        for seed, error in _differing(range(first, min(first + args.together, end)), args.how).items():
            different += 1
            sys.stdout.write(f"program {seed}\n{error}\n")
            sys.stdout.flush()
    seconds = time.perf_counter() - started
    sys.stdout.write(f"{args.count - different} of {args.count} the same, in {seconds:.0f} s\n")


if __name__ == "__main__":
    main()
