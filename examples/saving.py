"""Saving and loading: weights, checkpoints to go on from, whole models, and what loading checks."""

import argparse
import copy
from pathlib import Path

import jtorch as torch
import jtorch.nn.functional as F
from jtorch import nn, optim


class Net(nn.Module):
    """Two layers with batch norm between them. Shape: (B, 4) -> (B, 2)."""

    def __init__(self, hidden=8):
        super().__init__()
        self.fc1 = nn.Linear(4, hidden)
        self.norm = nn.BatchNorm1d(hidden)
        self.fc2 = nn.Linear(hidden, 2)

    def forward(self, x):
        return self.fc2(F.relu(self.norm(self.fc1(x))))


def start(seed):
    torch.manual_seed(seed)
    model = Net()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    return model, optimizer, optim.lr_scheduler.StepLR(optimizer, 4, gamma=0.5)


def train(model, optimizer, scheduler, x, y, epochs):
    """The loss after some epochs."""
    for _ in range(epochs):
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    return loss.item()


def state_dicts(model, optimizer):
    print("weights and buffers of the model")
    for name, tensor in model.state_dict().items():
        print(f"  {name:25} {tuple(tensor.shape)} {tensor.dtype}")
    state = optimizer.state_dict()
    lr = state["param_groups"][0]["lr"]
    print("the optimizer's:", sorted(state), "with", len(state["state"]), "states and lr", lr)
    kept, live = copy.deepcopy(model.state_dict()), model.state_dict()
    with torch.no_grad():
        model.fc2.bias.zero_()
    print("a state dict shows the live weights:", live["fc2.bias"].tolist())
    model.load_state_dict(kept)
    print("a deep copy does not, and brings them back:", round(model.fc2.bias.sum().item(), 4))


def checkpoints(folder, x, y):
    """A run that is broken off and goes on elsewhere ends where an unbroken one does."""
    whole = start(0)
    train(*whole, x, y, 6)
    unbroken = train(*whole, x, y, 6)
    model, optimizer, scheduler = start(0)
    train(model, optimizer, scheduler, x, y, 6)
    checkpoint = {
        "epoch": 6,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
    }
    torch.save(checkpoint, folder / "checkpoint.tar")
    model, optimizer, scheduler = start(1)  # other weights, which loading replaces
    loaded = torch.load(folder / "checkpoint.tar", weights_only=True)
    model.load_state_dict(loaded["model"])
    optimizer.load_state_dict(loaded["optimizer"])
    scheduler.load_state_dict(loaded["scheduler"])
    again = train(model, optimizer, scheduler, x, y, 6)
    print(f"unbroken {unbroken:.5f}, broken off at epoch {loaded['epoch']} {again:.5f}")


def what_loading_checks(folder):
    torch.save(Net().state_dict(), folder / "net.pt")
    state = torch.load(folder / "net.pt", map_location="cpu")
    print(Net().load_state_dict(state))
    del state["fc2.bias"]
    state["extra"] = torch.zeros(1)
    print(Net().load_state_dict(state, strict=False))
    for wrong in (state, Net(hidden=3).state_dict()):
        try:
            Net().load_state_dict(wrong)
        except RuntimeError as error:
            print(error)


def whole_models(folder, x):
    """A whole model is a pickle: code that runs when it is loaded, so it must be asked for."""
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh()).eval()
    torch.save(model, folder / "model.pt")
    loaded = torch.load(folder / "model.pt", weights_only=False)
    print("the same output:", torch.equal(model(x), loaded(x)))
    try:
        torch.load(folder / "model.pt")
    except Exception as error:
        print("without asking:", type(error).__name__)
    with torch.serialization.safe_globals([nn.Sequential, nn.Linear, nn.Tanh]):
        print("or with classes that are known to be safe:", torch.load(folder / "model.pt"))


def other_things(folder):
    """Tensors keep what they share; a file may be on another device, or without its numbers at first."""
    base = torch.arange(6.0)
    torch.save({"base": base, "row": base[2:4]}, folder / "views.pt")
    loaded = torch.load(folder / "views.pt")
    loaded["row"].mul_(10)
    print("a view stays one:", loaded["base"].tolist())
    with torch.device("meta"):
        empty = Net()
    print("without numbers:", empty.fc1.weight.device)
    empty.load_state_dict(torch.load(folder / "net.pt", mmap=True), assign=True)
    print("and with the file's:", empty.fc1.weight.device, tuple(empty.fc1.weight.shape))
    other = Net()
    other.load_state_dict({f"fc1.{k}": v for k, v in nn.Linear(4, 8).state_dict().items()}, strict=False)
    print("weights from another model's layer, the rest untouched:", tuple(other.fc1.weight.shape))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default="runs/saved")
    args = parser.parse_args()
    folder = Path(args.folder)
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    x, y = torch.randn(64, 4), torch.arange(64) % 2
    model, optimizer, scheduler = start(0)
    train(model, optimizer, scheduler, x, y, 2)
    state_dicts(model, optimizer)
    checkpoints(folder, x, y)
    what_loading_checks(folder)
    whole_models(folder, x)
    other_things(folder)


if __name__ == "__main__":
    main()
