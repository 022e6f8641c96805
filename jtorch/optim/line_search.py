"""A line search that ends at a point of the strong Wolfe conditions: Nocedal & Wright, Numerical Optimization, 3.5."""

from typing import Any, NamedTuple

ARMIJO, CURVATURE = 1e-4, 0.9


class Point(NamedTuple):
    """A place on the line: how far along, the loss there, its gradient, and the slope along the line."""

    t: Any
    loss: Any
    gradient: Any
    slope: Any


def cubic_minimum(one, other, bounds=None):
    """Where the cubic through two Points with their slopes is least, within bounds or between the two."""
    low, high = bounds or sorted((one.t, other.t))
    first, last = (one, other) if one.t <= other.t else (other, one)
    bend = one.slope + other.slope - 3 * (one.loss - other.loss) / (one.t - other.t)
    square = bend**2 - one.slope * other.slope
    if not square >= 0:
        return (low + high) / 2.0
    root = square.sqrt()
    found = last.t - (last.t - first.t) * ((last.slope + root - bend) / (last.slope - first.slope + 2 * root))
    return min(max(found, low), high)


def strong_wolfe(evaluate, direction, start, t, tolerance, most):
    """(the Point found, how many evaluations it took), going along `direction` from start with a first guess t.

    evaluate(t) gives loss and gradient there. tolerance: how small a bracket ends the search. most: evaluations.
    """

    def at(t):
        loss, gradient = evaluate(t)
        return Point(t, loss, gradient, gradient.dot(direction))

    reach = direction.abs().max()
    bracket, done, taken = _bracket(at, start, t, most)
    evaluations = taken + 1
    low, high = _ordered(bracket)
    stalled = False
    while not done and taken < most:
        if abs(bracket[1].t - bracket[0].t) * reach < tolerance:
            break
        t, stalled = _trial(bracket, stalled)
        new = at(t)
        evaluations += 1
        taken += 1
        if new.loss > start.loss + ARMIJO * t * start.slope or new.loss >= bracket[low].loss:
            bracket[high] = new
            low, high = _ordered(bracket)
            continue
        if abs(new.slope) <= -CURVATURE * start.slope:
            done = True
        elif new.slope * (bracket[high].t - bracket[low].t) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = new
    return bracket[low], evaluations


def _bracket(at, start, t, most):
    """(one Point that will do, or two around one that will; whether it is one; how many extensions were made)."""
    before, new, taken = start._replace(t=0), at(t), 0
    while taken < most:
        if new.loss > start.loss + ARMIJO * new.t * start.slope or (taken > 1 and new.loss >= before.loss):
            return [before, new], False, taken
        if abs(new.slope) <= -CURVATURE * start.slope:
            return [new], True, taken
        if new.slope >= 0:
            return [before, new], False, taken
        bounds = new.t + 0.01 * (new.t - before.t), new.t * 10
        before, new = new, at(cubic_minimum(before, new, bounds))
        taken += 1
    return [start._replace(t=0), new], False, taken


def _ordered(bracket):
    """Places of the lower and of the higher Point."""
    return (0, 1) if bracket[0].loss <= bracket[-1].loss else (1, 0)


def _trial(bracket, stalled):
    """(the next place to try, whether the last two steps were too close to an end)."""
    t = cubic_minimum(*bracket)
    first, last = min(p.t for p in bracket), max(p.t for p in bracket)
    margin = 0.1 * (last - first)
    if min(last - t, t - first) >= margin:
        return t, False
    if not stalled and first < t < last:
        return t, True
    return (last - margin if abs(t - last) < abs(t - first) else first + margin), False
