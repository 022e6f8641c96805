"""What the benchmarks of steps do by device: a GPU's large cases, precision, memory, and shares of the peak rate."""

import jax
import torch
from torch.utils.flop_counter import FlopCounterMode

import jtorch
from bench import cases, image_models, models

GPT2 = cases.Shape(vocab=50304, length=1024, width=768, heads=12, layers=12, fused=True)
LARGE = {
    case.name: case
    for precision in ("float32", "tf32", "bfloat16")
    for case in (
        cases.Case(
            f"gpt2-{precision}", models.gpt, lambda: cases.texts(2, 8, GPT2), "AdamW", cases.ADAMW, 4, GPT2,
            precision=precision,
        ),
        cases.Case(
            f"resnet50-256-{precision}", image_models.resnet, lambda: cases.resnet_data(2, 256, cases.RESNET50), "SGD",
            cases.SGD, 4, cases.RESNET50, precision=precision,
        ),
    )
}  # fmt: skip

# Dense peak rates by the vendor's data sheets, in TFLOP/s.
PEAK = {
    "A100": {"float32": 19.5, "tf32": 156, "bfloat16": 312},
    "H100": {"float32": 67, "tf32": 495, "bfloat16": 989},
    "H200": {"float32": 67, "tf32": 495, "bfloat16": 989},
}


def every(device):
    """{name: case} of all cases for a device."""
    return cases.CASES if device == "cpu" else cases.CASES | LARGE


def adapted(case, device):
    """The case with a GPU's counts of steps: small models are quick there."""
    return case if device == "cpu" or case.name in LARGE else case._replace(steps=max(case.steps, 10))


def set_precision(case, device):
    """Let all contenders use TF32 or none of them."""
    if device != "cpu":
        tf32 = case.precision == "tf32"
        for lib in (torch, jtorch):
            lib.backends.cuda.matmul.allow_tf32 = tf32
            lib.backends.cudnn.allow_tf32 = tf32
        jax.config.update("jax_default_matmul_precision", "tensorfloat32" if tf32 else "highest")
        if case.precision == "bfloat16":
            jax.config.update("jax_default_matmul_precision", "default")


def peak(by_jax, device):
    """The most device memory that this process held, in MiB; None on the CPU."""
    if device == "cpu":
        return None
    held = jax.devices()[0].memory_stats()["peak_bytes_in_use"] if by_jax else torch.cuda.max_memory_allocated()
    return held >> 20


def flops(case):
    """Floating-point operations of one step in matrix products and convolutions, as torch counts them."""
    few = case._replace(batches=list(case.batches())[:1] if callable(case.batches) else case.batches[:1])
    if case.name in LARGE:
        return _scaled(few)
    return _counted(few)


def _counted(case):
    _, step = cases.trainer(torch, case)
    with FlopCounterMode(display=False) as counter:
        step(0)
    return counter.get_total_flops()


def _scaled(case):
    """A large batch takes too long on the host: one element of it, times as many as there are."""
    x, y = case.batches[0]
    each = len(y) // len(x)
    return _counted(case._replace(batches=[(x[:2], y[: 2 * each])], precision="float32")) * len(x) // 2


def rates(case, entry, device):
    """What a step does, and per contender tokens or images per second and the share of the device's peak (MFU)."""
    x = (case.batches() if callable(case.batches) else case.batches)[0][0]
    unit, count = ("tokens", x.size) if x.dtype.kind == "i" else ("images", len(x))
    work = flops(case)
    seconds = {who: t["median"] / 1e3 for who, t in entry["times"].items()}
    found = {
        "gflop": work / 1e9,
        "per_second": {"unit": unit, **{who: count / s for who, s in seconds.items()}},
        "gflop_per_second": {who: work / 1e9 / s for who, s in seconds.items()},
    }
    if device != "cpu":
        name = torch.cuda.get_device_name()
        found["device"] = name
        top = next((rate[case.precision] for key, rate in PEAK.items() if key in name), None)
        found["mfu"] = {who: work / s / top / 1e12 for who, s in seconds.items()} if top else None
    return found
