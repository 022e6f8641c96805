"""What the benchmarks train: each case's model, size, data and optimiser, and the training loop for any of them."""

from typing import Any, NamedTuple

import numpy as np

from bench import image_models, models


class Shape(NamedTuple):
    """The size of a Transformer or of a recurrent model."""

    vocab: int = 65
    length: int = 128
    width: int = 384
    heads: int = 6
    layers: int = 6
    fused: bool = False  # attention by scaled_dot_product_attention, and not written out


class ImageShape(NamedTuple):
    """The size of a model of images."""

    size: int = 32
    width: int = 64
    classes: int = 10
    blocks: tuple = (2, 2, 2, 2)
    bottleneck: bool = False
    levels: int = 3
    noise: int = 100


class Case(NamedTuple):
    """A training step to time. batches: a list of (x, y), or a function that makes it; steps: in a timed block."""

    name: str
    model: Any
    batches: Any
    optimizer: str
    settings: dict
    steps: int
    shape: Any = None
    task: str = "classes"  # how a loss is made: a name in TASKS
    clip: float | None = None  # the norm that gradients are clipped to
    precision: str = "float32"  # or, on a GPU, "tf32" and "bfloat16", which is autocast


# What they are fed.


def images(count, batch, *dims, classes=10, where=()):
    """Batches of noise with a class each, or one per place: a list of (float32 images, int64 labels)."""
    rng = np.random.default_rng(0)
    return [
        (rng.standard_normal((batch, *dims), dtype=np.float32), rng.integers(0, classes, (batch, *where)))
        for _ in range(count)
    ]


def texts(count, batch, shape):
    """Batches of random tokens and the tokens that follow them, flattened."""
    rng = np.random.default_rng(0)
    drawn = [rng.integers(0, shape.vocab, (batch, shape.length + 1)) for _ in range(count)]
    return [(d[:, :-1].copy(), d[:, 1:].reshape(-1)) for d in drawn]


def columns(count, batch, shape):
    """As texts, time first."""
    return [(x.T.copy(), y.reshape(batch, -1).T.reshape(-1)) for x, y in texts(count, batch, shape)]


def labelled_texts(count, batch, shape):
    """Batches of random tokens with a class each."""
    rng = np.random.default_rng(0)
    return [
        (rng.integers(0, shape.vocab, (batch, shape.length)), rng.integers(0, 10, batch)) for _ in range(count)
    ]  # fmt: skip


def noisy(count, batch, dims, noise):
    """Batches of numbers between 0 and 1, and of noise beside them: (float32, float32)."""
    rng = np.random.default_rng(0)
    drawn = [(rng.random((batch, *dims)), rng.standard_normal((batch, *noise))) for _ in range(count)]
    return [(x.astype(np.float32), y.astype(np.float32)) for x, y in drawn]


# How they are trained.


def _optimizer(torch, case, parameters):
    return getattr(torch.optim, case.optimizer)(parameters, **case.settings)


def _by_loss(loss_of):
    """A task of one model and one loss: (torch, case, model, called) -> a step of (x, y)."""

    def make(torch, case, model, called):
        optimizer = _optimizer(torch, case, model.parameters())
        halves = case.precision == "bfloat16"

        def step(x, y):
            optimizer.zero_grad()
            if halves:
                with torch.autocast(x.device.type, dtype=torch.bfloat16):
                    loss = loss_of(torch, called["model"], x, y)
            else:
                loss = loss_of(torch, called["model"], x, y)
            loss.backward()
            if case.clip is not None:
                torch.nn.utils.clip_grad_norm_(model.parameters(), case.clip)
            optimizer.step()
            return loss

        return step

    return make


def _classes(torch, model, x, y):
    return torch.nn.functional.cross_entropy(model(x), y)


def _autoencoder(torch, model, x, noise):
    back, mean, spread = model(x, noise)
    apart = torch.nn.functional.binary_cross_entropy(back, x, reduction="sum")
    return apart - 0.5 * torch.sum(1 + spread - mean.pow(2) - spread.exp())


def _adversaries(torch, case, model, called):
    """The two turns of a DCGAN: the judge's on real and made images, then the maker's."""
    maker, judge = called["maker"], called["judge"]
    of_judge = _optimizer(torch, case, model["judge"].parameters())
    of_maker = _optimizer(torch, case, model["maker"].parameters())
    criterion = torch.nn.BCELoss()

    def step(real, noise):
        model["judge"].zero_grad()
        said = judge(real).view(-1)
        loss_real = criterion(said, torch.ones_like(said))
        loss_real.backward()
        made = maker(noise)
        said = judge(made.detach()).view(-1)
        loss_made = criterion(said, torch.zeros_like(said))
        loss_made.backward()
        of_judge.step()
        model["maker"].zero_grad()
        said = judge(made).view(-1)
        loss = criterion(said, torch.ones_like(said))
        loss.backward()
        of_maker.step()
        return loss_real + loss_made + loss

    return step


TASKS = {"classes": _by_loss(_classes), "autoencoder": _by_loss(_autoencoder), "adversaries": _adversaries}


def trainer(torch, case, seed=0, device=None, compiled=None, fused=False):
    """(model, step): `step(i)` is one iteration of the ordinary training loop on batch i and returns its loss.

    compiled: what the model is put through before it is called, such as torch.compile. fused: torch's fused optimiser.
    """
    case = case._replace(settings=case.settings | {"fused": True}) if fused else case
    torch.manual_seed(seed)
    model = case.model(torch, case.shape)
    model = model if device is None else model.to(device)
    parts = {"model": model} if case.task != "adversaries" else dict(model.items())
    called = {name: part if compiled is None else compiled(part) for name, part in parts.items()}
    take = TASKS[case.task](torch, case, model, called)
    given = case.batches() if callable(case.batches) else case.batches
    batches = [tuple(torch.from_numpy(a) for a in pair) for pair in given]
    if device is not None:
        batches = [tuple(a.to(device) for a in pair) for pair in batches]

    def step(i):
        return take(*batches[i % len(batches)])

    return model, step


# The cases.

SGD = {"lr": 0.01, "momentum": 0.9}
ADAM = {"lr": 1e-3}
ADAMW = {"lr": 3e-4, "betas": (0.9, 0.95), "weight_decay": 0.1}
GAN = {"lr": 2e-4, "betas": (0.5, 0.999)}

RESNET50 = ImageShape(size=224, classes=1000, blocks=(3, 4, 6, 3), bottleneck=True)
WORDS = Shape(vocab=10000, length=35, width=200, layers=2)
ENCODER = Shape(vocab=1000, length=64, width=256, heads=8, layers=4)
UNET = ImageShape(size=96, width=16, classes=4)


def resnet_data(count, batch, shape):
    """Images for a ResNet, as images makes them."""
    return images(count, batch, 3, shape.size, shape.size, classes=shape.classes)


def _cases():
    small, gan = ImageShape(), ImageShape(size=64, width=32)
    yield Case("mlp", models.mlp, lambda: images(4, 128, 784), "SGD", SGD, 50)
    yield Case("lenet4", image_models.lenet, lambda: images(4, 4, 1, 28, 28), "SGD", SGD, 100)
    yield Case("lenet", image_models.lenet, lambda: images(4, 64, 1, 28, 28), "SGD", SGD, 30)
    yield Case("resnet18", image_models.resnet, lambda: resnet_data(2, 16, small), "SGD", SGD, 1, small)
    yield Case("resnet50", image_models.resnet, lambda: resnet_data(2, 4, RESNET50), "SGD", SGD, 1, RESNET50)
    yield Case("vae", image_models.vae, lambda: noisy(4, 128, (784,), (20,)), "Adam", ADAM, 50, task="autoencoder")
    yield Case(
        "dcgan", image_models.dcgan, lambda: noisy(2, 16, (3, 64, 64), (gan.noise, 1, 1)), "Adam", GAN, 1, gan,
        "adversaries",
    )  # fmt: skip
    yield Case("lstm", models.lstm, lambda: columns(2, 20, WORDS), "SGD", {"lr": 1.0}, 2, WORDS, clip=0.25)
    yield Case("gpt", models.gpt, lambda: texts(4, 8, Shape()), "AdamW", ADAMW, 1, Shape())
    yield Case("encoder", models.encoder, lambda: labelled_texts(2, 16, ENCODER), "Adam", {"lr": 3e-4}, 2, ENCODER)
    yield Case(
        "unet", image_models.unet, lambda: images(2, 4, 3, 96, 96, classes=4, where=(96, 96)), "Adam", ADAM, 1, UNET
    )  # fmt: skip


CASES = {case.name: case for case in _cases()}
