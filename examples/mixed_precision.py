"""Mixed precision: products in 16 bits, sums and weights in 32, and gradients scaled so that none is lost."""

import argparse

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
HALF = torch.float16 if DEVICE == "cuda" else torch.bfloat16


def kinds():
    """Which dtype comes out of what, within autocast and without."""
    layer, x = nn.Linear(8, 8).to(DEVICE), torch.rand(4, 8, device=DEVICE)
    for enabled in (False, True):
        with torch.autocast(DEVICE, dtype=HALF, enabled=enabled):
            y = layer(x)
            found = {
                "linear": y,
                "relu": F.relu(y),
                "softmax": y.softmax(1),
                "sum with float32": y + x,
                "matmul": y @ y.t(),
                "cross_entropy": F.cross_entropy(y, torch.zeros(4, dtype=torch.long, device=DEVICE)),
            }
            with torch.autocast(DEVICE, enabled=False):
                found["within autocast, without it"] = layer(x)
        print("autocast" if enabled else "without")
        for name, tensor in found.items():
            print(f"  {name:28} {tensor.dtype}")
    print("  weights stay", layer.weight.dtype, "and so do their gradients")


def precision():
    """What 16 bits can hold."""
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        info = torch.finfo(dtype)
        third, small = torch.tensor([1 / 3, 1e-9]).to(dtype).tolist()
        print(f"  {str(dtype):15} eps {info.eps:.2e} max {info.max:.2e} 1/3 is {third:.6f}, 1e-9 is {small:.2e}")


def scaling():
    """A gradient too small for float16 is lost, unless the loss is multiplied before and the gradient divided after."""
    w = torch.ones(1, requires_grad=True)
    tiny = torch.tensor([2.0**-26])
    (w.half() * tiny.half()).float().sum().backward()
    print("  gradient of a small product, in halves:", w.grad.item())
    w.grad = None
    scale = 65536.0
    ((w * scale).half() * (tiny * 1).half().float()).sum().backward()
    print("  the same, rounded before it is multiplied:", w.grad.item())
    w.grad = None
    ((w * tiny * scale).half().float() / scale).sum().backward()
    print("  multiplied before and divided after:", w.grad.item())


def train(steps, use_amp):
    """The losses of a few steps, and the scaler's scale."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4)).to(DEVICE)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    scaler = torch.amp.GradScaler(DEVICE, enabled=use_amp, init_scale=1024.0, growth_interval=steps // 2)
    x = torch.randn(256, 16).to(DEVICE)
    y = (x[:, :4] + x[:, 4:8]).argmax(1)
    losses = []
    for _ in range(steps):
        with torch.autocast(DEVICE, dtype=HALF, enabled=use_amp):
            output = net(x)
            loss = F.cross_entropy(output, y)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        losses.append(loss)
    return [loss.item() for loss in losses], output.dtype, scaler


def skipped():
    """A step whose gradients are infinite is left out, and the scale halves."""
    w = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([w], lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    for factor in (1.0, float("inf"), 2.0):
        scaler.scale((w * factor).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        print(f"  gradient {factor}: weights {w.tolist()}, scale {scaler.get_scale()}")
        optimizer.zero_grad()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=60)
    args = parser.parse_args()
    kinds()
    print("numbers")
    precision()
    print("scaling")
    scaling()
    print("steps with infinite gradients")
    skipped()
    print("training")
    full, dtype, _ = train(args.steps, use_amp=False)
    print(f"  in full: outputs in {dtype}, loss from {full[0]:.4f} to {full[-1]:.4f}")
    mixed, dtype, scaler = train(args.steps, use_amp=True)
    apart = max(abs(a - b) for a, b in zip(full, mixed))
    print(f"  mixed: outputs in {dtype}, loss from {mixed[0]:.2f} to {mixed[-1]:.1f}, scale {scaler.get_scale()}")
    print("  the two curves stay within 0.02 of each other:", apart < 0.02)


if __name__ == "__main__":
    main()
