"""Step time of an unmodified training loop: jtorch, torch eager, torch.compile and hand-written JAX, in turn.

    python -m bench.steps [mlp lenet ...] [--seconds 10] [--missing] [--without compile] [--out file.json]
    python -m bench.steps --device cuda          (what `make bench-gpu` runs; it has never been run on a GPU yet)

All start from the same weights and must reach the same losses. Each case runs in a process of its own and is kept in
the JSON file as soon as it is done, so that a run that was broken off goes on with --missing.
"""

import argparse
import functools
import json
import os
import shutil
import subprocess
import sys
import time

import jax
import numpy as np
import torch

import jtorch
from bench import cases, devices, harness, jax_models

WARMUP = 4
ROUNDS = (3, 15)  # at least, at most
WHO = ("torch", "compile", "reduce-overhead", "jtorch", "jax")


def plainly(step):
    """The step under JAX's own defaults: jtorch has turned 64-bit types on for this process."""

    @functools.wraps(step)
    def run(*args):
        with jax.enable_x64(False):
            return step(*args)

    return run


def contenders(case, device, without=()):
    """({who: function that makes its step}, {who: why it is not there}); all start from torch's initial weights."""
    case, place = devices.adapted(case, device), None if device == "cpu" else device
    model, torch_step = cases.trainer(torch, case, device=place, fused=device != "cpu")
    state = {name: value.detach().cpu().numpy().copy() for name, value in model.state_dict().items()}

    def compiled(mode):
        put = functools.partial(torch.compile, mode=mode, dynamic=False)
        return cases.trainer(torch, case, device=place, compiled=put, fused=device != "cpu")[1]

    def ours():
        model, step = cases.trainer(jtorch, case, device=place)
        model.load_state_dict({name: jtorch.from_numpy(value.copy()) for name, value in state.items()})
        return step

    def by_hand():
        with jax.enable_x64(False):
            return plainly(jax_models.trainer(case, state))

    made = {"torch": lambda: torch_step, "jtorch": ours, "jax": by_hand}
    made["compile"] = functools.partial(compiled, None)
    if device != "cpu":
        made["reduce-overhead"] = functools.partial(compiled, "reduce-overhead")
    absent = {}
    made = {who: make for who, make in made.items() if who not in without}
    if (
        device == "cpu"
        and "compile" in made
        and not (os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++"))
    ):
        absent["compile"] = "torch.compile needs a C++ compiler, and there is none"
    return {who: made[who] for who in WHO if who in made and who not in absent}, absent


def timed(step, count):
    """A block of `count` steps that ends with its last loss read; returns seconds per step."""
    start = time.perf_counter()
    for i in range(count):
        loss = step(i)
    loss.item()
    return (time.perf_counter() - start) / count


def warmed(step):
    """The losses of the first steps."""
    return [step(i).item() for i in range(WARMUP)]


def agree(losses, rtol):
    """Raise AssertionError where somebody's losses are not torch's."""
    for who, found in losses.items():
        # The first loss is of the same weights; the second saw one update, and deep networks blow rounding up.
        for i, room in enumerate((rtol, 10 * rtol)):
            np.testing.assert_allclose(found[i], losses["torch"][i], rtol=room, err_msg=f"losses of {who}")


def started(made, absent):
    """({who: step}, {who: losses}), warmed up; those that can't run go to `absent`."""
    steps, losses = {}, {}
    for who, make in made.items():
        harness.show(f"starting {who}")
        try:
            steps[who] = make()
            losses[who] = warmed(steps[who])
        except Exception as error:  # torch.compile fails in as many ways as there are machines
            steps.pop(who, None)
            if who not in ("compile", "reduce-overhead"):
                raise
            absent[who] = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
    return steps, losses


def rounds_for(seconds, once):
    """How many rounds fit, when one takes so long."""
    return int(min(max(seconds / once, ROUNDS[0]), ROUNDS[1]))


def in_turn(case, seconds, without):
    """({who: seconds per step}, losses, absent) of all contenders in this process, block by block."""
    made, absent = contenders(case, "cpu", without)
    steps, losses = started(made, absent)
    blocks = {who: functools.partial(timed, step, case.steps) for who, step in steps.items()}
    once = sum(block() for block in blocks.values()) * case.steps
    return harness.alternate(blocks, rounds_for(seconds, once), case.name), losses, absent


def alone(case, who, device, seconds):
    """Times, losses and the most device memory of one contender that has the device for itself."""
    devices.set_precision(case, device)
    count = devices.adapted(case, device).steps
    step = contenders(case, device)[0][who]()
    losses = warmed(step)
    rounds = rounds_for(seconds, timed(step, count) * count)
    times = [timed(step, count) for _ in range(rounds)]
    return {"times": times, "losses": losses, "peak_mib": devices.peak(who in ("jtorch", "jax"), device)}


def by_process(case, device, seconds, without):
    """As in_turn, but each contender in a process of its own; and {who: the most device memory that it held}."""
    found, absent = {}, {}
    for who in (who for who in WHO if who not in without):
        harness.show(f"{case.name}: {who}")
        command = [sys.executable, "-m", "bench.steps", case.name, "--device", device, "--alone", who]
        done = subprocess.run([*command, "--seconds", str(seconds)], capture_output=True, text=True, check=False)
        if done.returncode:
            absent[who] = (done.stderr.strip().splitlines() or ["it was killed"])[-1][:200]
        else:
            found[who] = json.loads(done.stdout.splitlines()[-1])
    fewest = min(len(one["times"]) for one in found.values())
    times = {who: one["times"][:fewest] for who, one in found.items()}
    losses = {who: one["losses"] for who, one in found.items()}
    return times, losses, absent, {who: one["peak_mib"] for who, one in found.items()}


def run(case, device="cpu", seconds=10.0, without=()):
    """Time one case; returns its entry for the JSON file."""
    if device == "cpu":
        times, losses, absent = in_turn(case, seconds, without)
        more = {}
    else:
        # A GPU's memory has no room for all of them, and its times are steady.
        times, losses, absent, peak = by_process(case, device, seconds / 5, without)
        more = {"peak_mib": peak}
    agree(losses, 1e-3 if case.precision == "float32" else 5e-2)
    entry = harness.report(times, "ms", 1e3)
    return entry | {"absent": absent, "rounds": len(times["torch"])} | more | devices.rates(case, entry, device)


def apart(names, args):
    """Each case in a process of its own."""
    failed = []
    for number, name in enumerate(names, 1):
        harness.show(f"{number} of {len(names)}: {name}")
        command = [sys.executable, "-m", "bench.steps", name, "--device", args.device, "--out", str(args.out)]
        command += ["--seconds", str(args.seconds), *(["--without", *args.without] if args.without else [])]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", help=f"which of {', '.join(cases.CASES)}, and {', '.join(devices.LARGE)}")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each case is timed, its start apart")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--without", nargs="*", default=[], choices=WHO, help="contenders to leave out")
    parser.add_argument("--missing", action="store_true", help="only cases that the file lacks")
    parser.add_argument("--out", help="where the JSON goes; bench/results/steps.json (steps-cuda.json) by default")
    parser.add_argument("--alone", choices=WHO, help="this contender alone; its figures are printed, not kept")
    args = parser.parse_args()
    bench = "steps" if args.device == "cpu" else f"steps-{args.device}"
    args.out = args.out or str(harness.RESULTS / f"{bench}.json")
    every = devices.every(args.device)
    names = args.cases or list(every)
    if args.missing:
        names = [name for name in names if name not in harness.kept(args.out)]
    if args.alone:
        return print(json.dumps(alone(every[names[0]], args.alone, args.device, args.seconds)))
    if len(names) != 1:
        failed = apart(names, args)
        return sys.exit(f"failed: {', '.join(failed)}" if failed else 0)
    torch.set_num_threads(harness.cores())
    entry = run(every[names[0]], args.device, args.seconds, args.without)
    print(harness.row(names[0], entry), flush=True)
    harness.save(bench, {names[0]: entry}, args.out, merge=True)


if __name__ == "__main__":
    main()
