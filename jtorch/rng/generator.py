"""torch.Generator, and the generator that draws when none is given."""

import secrets
import threading

import numpy as np

from jtorch import devices
from jtorch.rng.mt19937 import MT19937, STATE

DEFAULT_SEED = 67280421310721
_OFFSET = 4  # torch: what a draw on an accelerator adds to the offset is a multiple of this
_NO_CUDA = (
    "Cannot get CUDA generator without ATen_cuda library. PyTorch splits its backend into two shared libraries: a CPU "
    "library and a CUDA library; this error has occurred because you are trying to use some CUDA functionality, but "
    "the CUDA library has not been loaded by the dynamic linker for some reason.  The CUDA library MUST be loaded, "
    "EVEN IF you don't directly use any symbols from the CUDA library! One common culprit is a lack of "
    "-Wl,--no-as-needed in your link arguments; many dynamic linkers will delete dynamic library dependencies if you "
    "don't depend on any of their symbols.  You can check if this has occurred by using ldd on your binary to see if "
    "there is a dependency on *_cuda.so library."
)


class Generator:
    """A source of random numbers. On the CPU it is torch's: same seed, same numbers, and states that torch can load.

    Two sources stand behind it: the Mersenne Twister, for all that is drawn on the CPU, and (seed, counter), from which
    JAX keys are made for draws on accelerators. `lock` is held by whoever draws, so that draws of several threads do
    not mix. get_state and set_state, which speak in Tensors, are put on it by `jtorch.random`.
    """

    def __init__(self, device=None):
        self._device = devices.CPU if device is None else _placed(device)
        self.lock = threading.RLock()
        self._twister = MT19937(DEFAULT_SEED)
        self._start(DEFAULT_SEED)

    def _start(self, seed):
        self._seed = seed
        self._twister.seed(seed)
        self._counter = 0
        self.next_normal = None

    @property
    def device(self):
        """Where the numbers are drawn."""
        return self._device

    def manual_seed(self, seed, /):
        """Start anew from `seed` and return the generator; a negative seed counts down from 2**64.

        Raises RuntimeError when it is no int and ValueError when it does not fit 64 bits.
        """
        if isinstance(seed, np.integer):
            raise TypeError("an integer is required")  # torch: takes NumPy's integers for ints, then cannot read them
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        if not -(2**63) <= seed < 2**64:
            raise ValueError("Overflow when unpacking long long")
        with self.lock:
            self._start(seed % 2**64)
        return self

    def seed(self):
        """Start anew from a seed of the operating system, and return that seed."""
        fresh = secrets.randbits(64)
        self.manual_seed(fresh)
        return fresh

    def initial_seed(self):
        """The seed this generator started from."""
        return self._seed

    def words(self, count):
        """The next `count` 32-bit words, as a uint64 array."""
        with self.lock:
            return self._twister.words(count)

    def longs(self, count):
        """The next `count` 64-bit numbers, as a uint64 array."""
        with self.lock:
            return self._twister.longs(count)

    def mark(self):
        """Where the words stand, for `rewind`."""
        return self._twister.mark()

    def place(self):
        """What tells where the words stand and whether any were drawn since, for comparison only."""
        state, fresh = self._twister.mark()
        return state["state"]["pos"], state["state"]["key"].tobytes(), fresh, self.next_normal

    def rewind(self, mark):
        """Go back to a mark: the words drawn since are drawn again."""
        self._twister.rewind(mark)

    def advance(self, count=1):
        """Take `count` JAX keys: (seed_hi, seed_lo, counter), each exact in float64; see `rng.device.key`."""
        with self.lock:
            counter = self._counter
            self._counter += count
            return self._seed >> 32, self._seed & 0xFFFFFFFF, counter

    def save(self):
        """The state, as uint8: torch's bytes on the CPU, seed and counter on an accelerator."""
        with self.lock:
            if self._device.type != "cpu":
                return np.array([self._seed, self._counter * _OFFSET], "<u8").view(np.uint8)
            state = np.zeros(1, STATE)
            record = state[0]
            self._twister.save(record)
            record["seed"] = self._seed
            if self.next_normal is not None:
                record["normal"] = self.next_normal
                record["has_normal"] = 1
            return state.view(np.uint8)

    def load(self, state):
        """Go back to a state from save (or torch's) and return the generator. Raises RuntimeError when it is none."""
        if self._device.type != "cpu":
            return self._load_pair(state)
        if state.size != STATE.itemsize:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {STATE.itemsize} but found the input RNG state size to be "
                f"{state.size}"
            )
        with self.lock:
            record = np.ascontiguousarray(state).view(STATE)[0]
            self._twister.load(record)
            self._seed = int(record["seed"])
            self.next_normal = float(record["normal"]) if record["has_normal"] else None
        return self

    def _load_pair(self, state):
        if state.size != 16:
            raise RuntimeError("RNG state is wrong size")
        with self.lock:
            self._seed, offset = (int(x) for x in np.ascontiguousarray(state).view("<u8"))
            self._counter = offset // _OFFSET
        return self

    def clone_state(self):
        """A generator of its own that goes on from the same state."""
        return Generator(self._device).load(self.save())

    def graphsafe_get_state(self):
        """As clone_state, on accelerators. Raises NotImplementedError on the CPU."""
        self._need_graphs("graphsafe_get_state")
        return self.clone_state()

    def graphsafe_set_state(self, state, /):
        """Go on from another generator's state, on accelerators. Raises NotImplementedError on the CPU."""
        self._need_graphs("graphsafe_set_state")
        return self.load(state.save())

    def _need_graphs(self, name):
        if self._device.type == "cpu":
            raise NotImplementedError(f"{name} is not supported in this Generator")

    def get_offset(self):
        """How far the draws have come: 4 for each. Raises RuntimeError on the CPU."""
        self._need_offset()
        return self._counter * _OFFSET

    def set_offset(self, offset, /):
        """Go on from here. Raises RuntimeError on the CPU and for what is no multiple of 4."""
        self._need_offset()
        if offset % _OFFSET:
            raise RuntimeError("offset must be a multiple of 4")
        self._counter = int(offset) // _OFFSET

    def _need_offset(self):
        if self._device.type == "cpu":
            raise RuntimeError("CPU Generator does not use offset")

    def __reduce__(self):
        return _restore, (str(self._device), self.save())

    def __deepcopy__(self, memo):
        return self.clone_state()


Generator.__module__ = "torch._C"


def _restore(device, state):
    return Generator(device).load(state)


def _placed(device):
    """The device of a generator. Raises RuntimeError in torch's words where there can be none."""
    device = devices.Device(device)
    if device.type == "meta":
        raise RuntimeError("META device type not an accelerator.")
    if device.type == "cuda" and not devices.cuda_devices():
        raise RuntimeError(_NO_CUDA)
    return devices.get(device)


default = Generator()
default.seed()
_defaults = {devices.CPU: default}


class _Seeded:
    """The last seed that all default generators were given, also those that are made later."""

    seed = None


def default_for(device):
    """The default generator of a placed Device."""
    found = _defaults.get(device)
    if found is None:
        found = _defaults[device] = Generator(device)
        if _Seeded.seed is None:
            found.seed()
        else:
            found.manual_seed(_Seeded.seed)
    return found


def seed_all(seed):
    """Start the default generators of all devices anew from one seed."""
    for generator in _defaults.values():
        generator.manual_seed(seed)
    _Seeded.seed = seed
