"""The Mersenne Twister as torch's CPU generator runs it: its words, its seeding and the bytes of its state."""

import numpy as np

N = 624
# What torch's get_state holds, field by field. torch leaves `x` and `rho` at zero and does not read them.
STATE = np.dtype(
    [
        ("seed", "<u8"), ("left", "<i4"), ("seeded", "<i4"), ("next", "<u8"), ("key", "<u8", (N,)),
        ("x", "<u8"), ("normal", "<f8"), ("rho", "<f8"), ("has_normal", "<i4"), ("pad", "<i4"),
        ("float_normal", "<f4"), ("has_float_normal", "<i4"),
    ]
)  # fmt: skip


class MT19937:
    """A stream of 32-bit words equal to torch's for the same seed."""

    __slots__ = ("_bits", "_seeder", "_fresh")

    def __init__(self, seed):
        self._bits = np.random.MT19937(0)
        self._seeder = np.random.RandomState(self._bits)  # seeds the bits below it as torch does
        self.seed(seed)

    def seed(self, seed):
        """Start anew from the low 32 bits of the seed."""
        self._seeder.seed(seed & 0xFFFFFFFF)
        self._fresh = True

    def words(self, count):
        """The next `count` 32-bit words, as a uint64 array."""
        self._fresh = self._fresh and not count
        return self._bits.random_raw(count)

    def longs(self, count):
        """The next `count` 64-bit numbers, as a uint64 array; each is two words, the high one first."""
        pairs = self.words(2 * count).reshape(count, 2)
        return (pairs[:, 0] << np.uint64(32)) | pairs[:, 1]

    def mark(self):
        """Where the stream stands, for `rewind`."""
        return self._bits.state, self._fresh

    def rewind(self, mark):
        """Go back to a mark."""
        self._bits.state, self._fresh = mark

    def save(self, record):
        """Write the state into a record of dtype STATE."""
        state = self._bits.state["state"]
        # torch: right after seeding nothing was generated, so `next` is 0 although all 624 words are used up.
        position = 0 if self._fresh else state["pos"]
        record["key"] = state["key"]
        record["next"] = position
        record["left"] = 1 if self._fresh else N + 1 - position
        record["seeded"] = 1

    def load(self, record):
        """Read the state from a record of dtype STATE. Raises RuntimeError when it cannot be one."""
        left, position = int(record["left"]), int(record["next"])
        if not record["seeded"] or not 0 < left <= N or position > N:
            raise RuntimeError("Invalid mt19937 state")
        self._fresh = left == 1 and position == 0
        key = {"key": record["key"].astype(np.uint32), "pos": N if left == 1 else position}
        self._bits.state = {"bit_generator": "MT19937", "state": key}
