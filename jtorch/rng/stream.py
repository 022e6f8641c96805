"""Uniform numbers one at a time, for samplers in which each number decides how many more are drawn."""

from jtorch.rng.boxmuller import unit64

_AHEAD = 1024


class Stream:
    """Uniform float64 in [0, 1), drawn ahead in pieces. Used in a `with`: the generator is locked inside, and on
    leaving it has drawn exactly the numbers that were taken.
    """

    def __init__(self, generator):
        self._generator = generator

    def __enter__(self):
        self._generator.lock.acquire()
        self._start = self._generator.mark()
        self._ahead, self._drawn = [], 0
        return self

    def __call__(self):
        """The next number."""
        if not self._ahead:
            self._ahead = unit64(self._generator, _AHEAD)[::-1].tolist()
            self._drawn += _AHEAD
        return self._ahead.pop()

    def __exit__(self, *exc):
        self._generator.rewind(self._start)
        self._generator.longs(self._drawn - len(self._ahead))
        self._generator.lock.release()
