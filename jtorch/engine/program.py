"""Programs: a path of the trie compiled into one XLA executable, and the bounded cache of them."""

import functools
import os
import time
from collections import Counter, OrderedDict
from contextlib import contextmanager, nullcontext
from pathlib import Path

import jax
import numpy as np
from jax import lax

from jtorch import devices, meshes
from jtorch.engine import debug, heap, kept, stats, trie
from jtorch.engine.trie import Number

MAX_PROGRAMS = int(os.environ.get("JTORCH_MAX_PROGRAMS", "1024"))
_lru: OrderedDict = OrderedDict()  # Program -> the Node it hangs on


def configure_cache():
    """Turn on JAX's persistent compilation cache: JTORCH_CACHE_DIR moves it, JTORCH_CACHE=0 leaves it off."""
    if os.environ.get("JTORCH_CACHE", "1") == "0" or jax.config.jax_compilation_cache_dir is not None:
        return
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    where = os.environ.get("JTORCH_CACHE_DIR") or os.path.join(home, "jtorch", "xla")
    jax.config.update("jax_compilation_cache_dir", where)
    kept.Folder.path = os.path.join(where, "programs")
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


configure_cache()
heap.keep_freed()


# torch rounds each result to its dtype; XLA may leave a bfloat16 as wide as it was, which would make a number depend on
# what was computed in one program with it.
_EXACT = {"xla_allow_excess_precision": False}
# What makes XLA's CPU compiler 3-4 times faster on a small program, at the price of slower code.
QUICK = {
    **_EXACT,
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_use_fusion_emitters": False,
}
FULL = {
    **_EXACT,
    # YNNPACK's products and sums are fast; its convolutions are single-threaded and up to 20 times slower than XLA's.
    "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT,LIBRARY_FUSION_TYPE_REDUCE",
    # XLA drops optimization barriers on the CPU before it fuses; ops use them to have a value worked out once.
    "xla_disable_hlo_passes": "cse_barrier_expander",
}
QUICK_CALLS = 24  # traces up to this long are compiled in a hurry when they are seen for the first time


@contextmanager
def _unkept():
    """Within it JAX itself keeps nothing it compiles: XLA cannot write out again what was read from such a file."""
    setting = "jax_persistent_cache_min_compile_time_secs"
    before = getattr(jax.config, setting)
    jax.config.update(setting, float("inf"))
    try:
        yield
    finally:
        jax.config.update(setting, before)


class Program:
    """A compiled path. Called with lifted numbers and input arrays it returns the arrays of its `live` slots."""

    host = False

    __slots__ = (
        "live", "donated", "quick", "executable", "inputs", "path", "seconds", "across", "places", "varied", "found",
        "__weakref__",
    )  # fmt: skip

    def __init__(self, node, live, donated, quick, varied=None):
        start = time.perf_counter()
        self.path = node.path()
        self.quick = quick  # compiled in a hurry, for a trace that may never come again
        self.donated = donated  # slots of the inputs whose buffers it takes over
        self.inputs = tuple(entered for step in self.path for entered in step.entered)
        self.varied = varied  # the devices that have values of their own in what it is given, see meshes.Crew
        self.across = meshes.common([varied, *map(_across, self.path)])
        self.live = live if self.across is None else _with_awaited(self.path, live)
        place = devices.sharding(device(node)) if self.across is None else self.across.sharding
        self.places = self._splits()
        structs = [
            jax.ShapeDtypeStruct(a.shape, a.dtype.numpy, sharding=self.places.get(slot, place))
            for slot, a in self.inputs
        ]
        numbers = jax.ShapeDtypeStruct((node.numbers,), np.float64, sharding=place)
        donate = tuple(i + 1 for i, (slot, _) in enumerate(self.inputs) if slot in donated and slot not in self.places)
        self.executable = self._executable(node, donate, [numbers, *structs], place)
        self.seconds = time.perf_counter() - start
        stats.compiles += 1
        stats.compile_seconds += self.seconds

    def _executable(self, node, donate, structs, place):
        """What XLA makes of the path, in this process or in an earlier one."""
        options = _options(node, self.quick)
        alone = self.across is None and self.varied is None and device(node) is devices.CPU and _is_cpu(node)
        name = kept.name(self.path, self.live, donate, options) if alone else None
        found = kept.load(name, len(structs), len(self.live)) if name is not None else None
        self.found = found is not None
        if self.found:
            return found
        replay = self._replay if self.across is None else self.across.program(self._replay)
        if name is not None:
            replay = functools.partial(replay)
            replay.__name__ = "kept"  # another name than that under which JAX may have kept the same
        lowered = jax.jit(replay, donate_argnums=donate, keep_unused=True, out_shardings=place).lower(*structs)
        # What is called from outside of XLA is only at hand once JAX has lowered something that calls it.
        keeps = name is not None and "custom_call" not in lowered.as_text()
        with _unkept() if keeps else nullcontext():
            made = _compile(lowered, options)
        if keeps:
            kept.save(name, made)
        return made

    def made(self):
        """How it came to be, in words."""
        return f"{'found in the cache' if self.found else 'compiled'} in {self.seconds * 1e3:.0f} ms"

    def run(self, numbers, arrays):
        """The arrays of the live slots, from lifted numbers and input arrays."""
        across = self.across
        if across is None:
            if meshes.Used.several:
                arrays = map(meshes.alone, arrays)
            return self.executable(numbers, *arrays)
        enter, place = across.enter, self.places.get
        given = [enter(array, place(slot)) for (slot, _), array in zip(self.inputs, arrays, strict=True)]
        try:
            outs = self.executable(enter(numbers), *given)
        except Exception as error:
            found = meshes.Fault.explain(error)
            if found is None:
                raise
            raise found from error
        return [across.leave(out) for out in outs]

    def _splits(self):
        """{slot: sharding} of the inputs that come to the program in parts: batches that a call splits."""
        if not isinstance(self.across, meshes.Split):
            return {}
        inputs = {slot for slot, _ in self.inputs}
        return {
            step.ins[0]: self.across.along(step.sig.attrs[-1])
            for step in self.path
            if _across(step) is self.across and step.ins[0] in inputs
        }

    def _replay(self, numbers, *arrays):
        values = {slot: array for (slot, _), array in zip(self.inputs, arrays, strict=True)}
        last = None
        for step in self.path:
            ins = tuple(
                values[at] if type(at) is int else at.read(numbers) if type(at) is Number else None for at in step.ins
            )
            awaited = _is_awaited(step)
            if awaited:  # one waits for the other, so that all processes come to them in the same order
                ins, _ = lax.optimization_barrier((ins, last))
            outs = step.sig.op.call(ins, step.sig.attrs, step.sig.compute)
            if awaited:
                last = outs[0]
            for i, out in enumerate(outs):
                values[step.first + i] = out
        return [values[slot] for slot in self.live]


def _across(step):
    """The several devices that a step of a path needs, or None."""
    return step.sig.op.across(step.sig.attrs)


def is_spread(node):
    """Whether a path runs on several devices."""
    return any(_across(step) is not None for step in node.path())


def is_awaited(node):
    """Whether other processes wait for a path to be run, even if nobody here holds any of its results."""
    return any(map(_is_awaited, node.path()))


def _is_awaited(step):
    across = _across(step)
    return across is not None and across.keeps


def _with_awaited(path, live):
    """The live slots, and the results that other processes need this one to make."""
    awaited = (step.first + i for step in path if _is_awaited(step) for i in range(len(step.sig.outs)))
    return tuple(sorted({*live, *awaited}))


def _options(node, quick):
    """The compiler's options for a path; those for the CPU mean nothing elsewhere."""
    if not _is_cpu(node):
        return {}
    return QUICK if quick else FULL


def _compile(lowered, options):
    while options:
        try:
            return lowered.compile(compiler_options=options)
        except jax.errors.JaxRuntimeError as error:
            unknown = [name for name in options if name in str(error)]
            if not unknown:
                raise
            for name in unknown:  # XLA's options come and go
                del options[name]
    return lowered.compile()


def device(node):
    """Where a path runs: all of its values lie on one device."""
    return node.sig.outs[0].device if node.sig.outs else devices.CPU


def _is_cpu(node):
    return devices.jax_device(device(node)).platform == "cpu"


def alone(sig, options):
    """One call on the CPU, compiled by itself: a function of its arrays and lifted numbers."""
    if sig.op.across(sig.attrs) is not None:
        raise RuntimeError(f"{sig.op.name}: work on the host beside a step can't speak with other devices")
    call, structs = trie.alone(sig.op, sig.attrs, sig.avals, sig.compute)
    place = devices.sharding(devices.CPU)
    structs = [jax.ShapeDtypeStruct(s.shape, s.dtype, sharding=place) for s in structs]
    start = time.perf_counter()
    made = _compile(jax.jit(call, keep_unused=True, out_shardings=place).lower(*structs), dict(options))
    seconds = time.perf_counter() - start
    stats.compiles += 1
    stats.compile_seconds += seconds
    if debug.ON:
        debug.say(f"alone at {debug.user_line()}: {sig.op.name} of {sig.avals}, compiled in {seconds * 1e3:.0f} ms")
    return made


def donations(node, live, dead):
    """Which dead inputs to donate: as many per aval as there are outputs of that aval to take their place."""
    key = (live, dead)
    found = node.donations.get(key)
    if found is None:
        if len(node.donations) > 64:
            node.donations.clear()
        avals = {}
        for step in node.path():
            avals.update(step.entered)
            avals.update((step.first + i, a) for i, a in enumerate(step.sig.outs))
        room = Counter(avals[slot] for slot in live if slot in avals)
        chosen = []
        for slot in dead:
            if room[avals[slot]] > 0:
                room[avals[slot]] -= 1
                chosen.append(slot)
        found = node.donations[key] = tuple(chosen)
    return found


MAX_EXACT = 4  # programs of one path that may differ only in what they donate


def lookup(node, live, donated, varied=None):
    """A program of this path that makes at least the live slots and donates at most these, or None.

    varied: the devices that have values of their own in what it is given.
    One that was compiled in a hurry serves once; the second time the path deserves a full compile.
    """
    found = node.programs.get((live, donated, varied))
    if found is None and node.programs:
        wanted, given = set(live), set(donated)
        for program in node.programs.values():
            if program.varied is varied and wanted <= set(program.live) and set(program.donated) <= given:
                if len(program.donated) == len(donated) or len(node.programs) >= MAX_EXACT:
                    found = program
                    break
    if found is None or found.quick:
        return None
    _lru.move_to_end(found)
    return found


def compiled(node, live, donated, hurry, varied=None):
    """Compile the path for these live slots and donations, and keep it. Nothing is kept when compiling fails.

    hurry: somebody waits for the result of a trace that may never come again. varied: as for lookup.
    """
    quick = hurry and varied is None and not node.programs and node.depth <= QUICK_CALLS and _is_cpu(node)
    quick = quick and not is_spread(node) and not _comes_again(node)
    program = Program(node, live, donated, quick, varied)
    keep(node, program)
    return program


def _comes_again(node):
    """Whether the same calls were compiled in full for other shapes, as a loop's turn is: a last, short batch's are."""
    calls = [step.sig.op for step in node.path()]
    return any(
        not known.quick and known.path[-1].depth == len(calls) and [step.sig.op for step in known.path] == calls
        for known in _lru
    )


def keep(node, program):
    """Keep a path's program, in the place of those that were only made to serve once."""
    for key, old in list(node.programs.items()):
        if old.quick:
            del node.programs[key], _lru[old]
    node.programs[program.live, program.donated, program.varied] = program
    _lru[program] = node
    while len(_lru) > MAX_PROGRAMS:
        _evict()


def _evict():
    program, node = _lru.popitem(last=False)
    node.programs = {k: p for k, p in node.programs.items() if p is not program}
    stats.evictions += 1
    while node.parent is not None and not node.children and not node.programs:
        parent = node.parent
        for table in (parent.children, parent.loose):
            for key in [k for k, child in table.items() if child is node]:
                del table[key]
        node = parent


def most_recent():
    """The program that ran last, or None."""
    return next(reversed(_lru), None)


def path(program):
    """The nodes of the path that a program is kept for."""
    return _lru[program].path()


def count():
    """How many programs are kept."""
    return len(_lru)


def clear():
    """Forget every program. What is pending is not touched."""
    while _lru:
        _evict()
