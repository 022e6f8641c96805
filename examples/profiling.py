"""Profiling: where the time of a training loop goes, in ranges of one's own, and which of two ways is faster.

Only what is the same on every machine is printed; `--table` prints the times.
"""

import argparse
import json
from pathlib import Path

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn
from jtorch.profiler import ProfilerActivity, profile, record_function, schedule
from jtorch.utils import benchmark


def step(model, optimizer):
    """A training step in four named parts."""
    with record_function("data"):
        x = torch.randn(64, 32)
        y = x.sum(1, keepdim=True)
    with record_function("forward"):
        loss = F.mse_loss(model(x), y)
    with record_function("backward"):
        optimizer.zero_grad()
        loss.backward()
    with record_function("update"):
        optimizer.step()
    return loss.item()


def once(model, optimizer, table):
    """A profile of one step."""
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as prof:
        step(model, optimizer)
    averages = {event.key: event for event in prof.key_averages()}
    for name in ("data", "forward", "backward", "update"):
        event = averages[name]
        print(f"  {name}: {event.count} time, took any: {event.cpu_time_total > 0}")
    if table:
        print(prof.key_averages().table(sort_by="cpu_time_total", row_limit=12))


def scheduled(model, optimizer, folder):
    """Of a long loop, a few steps: one is waited for, one warms up, two are noted, and so twice."""

    def ready(prof):
        counts = {event.key: event.count for event in prof.key_averages()}
        print(f"  a trace is ready at step {prof.step_num}: {counts['forward']} forward, {counts['backward']} backward")
        prof.export_chrome_trace(str(folder / f"trace_{prof.step_num}.json"))

    plan = schedule(wait=1, warmup=1, active=2, repeat=2)
    print("  plan:", *(plan(i).name for i in range(9)))
    with profile(activities=[ProfilerActivity.CPU], schedule=plan, on_trace_ready=ready) as prof:
        for _ in range(9):
            step(model, optimizer)
            prof.step()
    for path in sorted(folder.glob("trace_*.json")):
        events = json.loads(path.read_text())["traceEvents"]
        mine = sorted({event["name"] for event in events} & {"data", "forward", "backward", "update"})
        print(f"  {path.name} shows", *mine)
        path.unlink()


def two_ways():
    """A loop over rows beside one call, timed so that warm-up and noise don't count."""
    x = torch.randn(64, 64)
    ways = {"row by row": "torch.stack([row.sum() for row in x]).tolist()", "at once": "x.sum(1).tolist()"}
    found = {}
    for name, statement in ways.items():
        timer = benchmark.Timer(statement, globals={"x": x, "torch": torch}, label="sums of rows", sub_label=name)
        found[name] = timer.timeit(20)
        print(f"  {name}: {found[name].task_spec.label}, {found[name].number_per_run} runs")
    print("  at once is faster:", found["at once"].median < found["row by row"].median)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", action="store_true", help="print times")
    parser.add_argument("--folder", default="runs/profiles")
    args = parser.parse_args()
    folder = Path(args.folder)
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    print(f"a step before anything is timed: loss {step(model, optimizer):.4f}")
    print("one step")
    once(model, optimizer, args.table)
    print("a few of many steps")
    scheduled(model, optimizer, folder)
    print("two ways")
    found = two_ways()
    if args.table:
        print(benchmark.Compare(list(found.values())))


if __name__ == "__main__":
    main()
