"""Regions of autocast: what is cast in them and what not, how they nest, what they leave on the tape."""

import numpy as np
import pytest

import jtorch
from jtorch import modes
from tests.oracle import same, same_error, same_print, same_warnings

X = np.arange(-8, 8, dtype=np.float32).reshape(4, 4) / 8  # what halves hold, with room for sums of products


def kinds(*tensors):
    return [str(t.dtype).removeprefix("torch.") for t in tensors]


def test_regions_nest():
    def fn(torch):
        x = torch.tensor(X)
        found = [torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")]
        with torch.autocast("cpu"):
            found += kinds(x @ x, x + x, torch.nn.functional.mse_loss(x.half(), x.half()), torch.cat([x, x.bfloat16()]))
            with torch.autocast("cpu", dtype=torch.float16):
                found += kinds(x @ x, x.bfloat16() @ x)
                with torch.amp.autocast("cpu", enabled=False):
                    found += [*kinds(x @ x), torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")]
                found += kinds(torch.nn.functional.linear(x, x, x[0]))
            found += kinds(x @ x)
        return [*found, *kinds(x @ x), torch.is_autocast_enabled("cpu")]

    same(fn)


def test_float64_and_integers_are_left_alone():
    def fn(torch):
        x, n = torch.tensor(X).double(), torch.arange(16).view(4, 4)
        with torch.autocast("cpu"):
            return x @ x, n @ n, torch.nn.functional.mse_loss(x, x.half())

    same(fn)
    same_error(lambda torch: autocast_mm(torch, torch.tensor(X).double(), torch.tensor(X)))
    same_error(lambda torch: autocast_cat(torch, torch.tensor(X).half(), torch.tensor(X)))


def autocast_mm(torch, a, b):
    with torch.autocast("cpu"):
        return torch.mm(a, b)


def autocast_cat(torch, a, b):
    with torch.autocast("cpu"):
        return torch.cat([a, b])


def test_in_place_and_out_are_not_cast():
    def fn(torch):
        x, y, out = torch.tensor(X), torch.tensor(X) / 3, torch.empty(4, 4)
        with torch.autocast("cpu"):
            y.addmm_(x, x)
            torch.mm(x, x, out=out)
        return y, out

    same(fn)


def test_a_leaf_is_cast_once_for_a_region():
    def fn(torch):
        w = torch.tensor(X, requires_grad=True)
        with torch.autocast("cpu"):
            both = (w @ w).grad_fn.next_functions
            with torch.no_grad():
                w @ w
            again = (w @ w).grad_fn.next_functions
            stale = w.detach() @ w
            with torch.no_grad():
                w.add_(1)
            found = [stale, w.detach() @ w]
        with torch.autocast("cpu", cache_enabled=False):
            apart = (w @ w).grad_fn.next_functions
            off = torch.is_autocast_cache_enabled()
        with torch.autocast("cpu"):
            fresh = (w @ w).grad_fn.next_functions
        one, two = both[0][0], apart[0][0]
        return [one is both[1][0], one is again[0][0], two is apart[1][0], one is fresh[0][0], off, *found]

    same(fn)


def test_the_graph_shows_the_casts():
    def fn(torch):
        w, b = torch.tensor(X, requires_grad=True), torch.tensor(X[0], requires_grad=True)
        with torch.autocast("cpu"):
            scores = torch.nn.functional.linear(w * 2, w, b)
            loss = torch.nn.functional.cross_entropy(scores, torch.tensor([0, 1, 2, 3]))

        def shown(node):
            return node and (node.name(), [shown(n) for n, _ in node.next_functions])

        names = shown(loss.grad_fn)
        loss.backward()
        return names, loss, w.grad, b.grad

    same(fn)


def test_as_a_decorator():
    def fn(torch):
        @torch.autocast("cpu")
        def run(x):
            """What it does."""
            return x @ x

        return [run(torch.tensor(X)), run.__doc__, run.__name__]

    same(fn)
    same_error(lambda torch: torch.autocast("cpu")(3))


@pytest.mark.parametrize("device", ["foo", "meta", "cpu:1:2", "", 3])
def test_devices_that_it_refuses(device):
    same_error(lambda torch: torch.autocast(device))
    same_error(lambda torch: torch.amp.is_autocast_available(device) or torch.get_autocast_dtype(device))


def test_other_devices():
    names = ("cpu", "cuda", "cuda:0", "xpu", "mps", "hpu", "mtia", "xla", "ipu", "maia", "privateuseone", "meta")
    same(lambda torch: [torch.amp.is_autocast_available(name) for name in names])
    same(lambda torch: [torch.get_autocast_dtype(name) for name in names[:-1]])


def test_state_functions():
    def fn(torch):
        found = [torch.autocast_increment_nesting(), torch.autocast_decrement_nesting(), torch.is_autocast_enabled()]
        torch.set_autocast_enabled("cpu", True)
        torch.set_autocast_dtype("cpu", torch.float16)
        found += [torch.is_autocast_enabled("cpu"), *kinds(torch.tensor(X) @ torch.tensor(X))]
        torch.set_autocast_dtype("cpu", torch.bfloat16)
        torch.set_autocast_enabled("cpu", False)
        torch.set_autocast_cache_enabled(False)
        found += [
            torch.is_autocast_cache_enabled(),
            torch.set_autocast_cache_enabled(True),
            torch.clear_autocast_cache(),
        ]
        return found

    same(fn)
    for wrong in (
        lambda torch: torch.is_autocast_enabled(3),
        lambda torch: torch.is_autocast_enabled("foo"),
        lambda torch: torch.set_autocast_enabled("cpu", 1),
        lambda torch: torch.set_autocast_enabled("cpu"),
        lambda torch: torch.get_autocast_dtype("meta"),
        lambda torch: torch.set_autocast_dtype("cpu", 3),
    ):
        same_error(wrong)


def test_older_names_warn():
    def fn(torch):
        torch.cpu.amp.autocast()
        torch.cuda.amp.autocast(dtype=torch.bfloat16)
        torch.cpu.amp.GradScaler(enabled=False)
        torch.cuda.amp.GradScaler()
        torch.autocast("cpu", dtype=torch.float32)
        torch.autocast("cuda")
        torch.get_autocast_gpu_dtype(), torch.get_autocast_cpu_dtype(), torch.is_autocast_cpu_enabled()
        torch.set_autocast_cpu_enabled(False), torch.set_autocast_cpu_dtype(torch.bfloat16)
        torch.set_autocast_gpu_dtype(torch.float16)
        torch.cuda.amp.custom_fwd(lambda ctx: ctx), torch.cuda.amp.custom_bwd(lambda ctx: ctx)

    same_warnings(fn)
    same(lambda torch: [torch.cuda.amp.common.amp_definitely_not_available(), torch.amp.autocast is torch.autocast])


def test_without_cuda_the_region_is_off():
    """Scripts for a GPU run on as they are."""

    def fn(torch):
        with torch.autocast("cuda", dtype=torch.float16):
            return torch.tensor(X) @ torch.tensor(X)

    same_warnings(fn)
    same(fn)


RECURRENT = ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell")


@pytest.mark.parametrize("lower", ["bfloat16", "float16"])
def test_layers(lower):
    def fn(torch):
        torch.manual_seed(0)
        x = torch.tensor(X).view(2, 2, 4)
        found = []
        with torch.autocast("cpu", dtype=getattr(torch, lower)):
            for name in RECURRENT[lower == "float16" :]:  # torch has no LSTM in float16 on every CPU
                layer = getattr(torch.nn, name)(4, 4)
                out = layer(x[0] if name.endswith("Cell") else x)
                found.append([name, *kinds(*tensors(torch, out))])
            attention = torch.nn.MultiheadAttention(4, 2)
            found.append(kinds(*attention(x, x, x)))
            found.append(kinds(attention(x, x, x, need_weights=False)[0]))
            encoder = torch.nn.TransformerEncoderLayer(4, 2)
            found += kinds(encoder(x), torch.nn.LayerNorm(4)(x.bfloat16()), torch.nn.BatchNorm1d(2)(x.half()))
            found += kinds(torch.nn.Conv1d(2, 3, 1)(x), torch.nn.Embedding(3, 4)(torch.tensor([1])))
        return found

    same(fn)


def tensors(torch, value):
    return [value] if isinstance(value, torch.Tensor) else [t for item in value for t in tensors(torch, item)]


def test_custom_functions():
    def fn(torch):
        seen = []

        def made(**options):
            class Product(torch.autograd.Function):
                @staticmethod
                @torch.amp.custom_fwd(device_type="cpu", **options)
                def forward(ctx, a, b):
                    seen.append([*kinds(a, b), torch.is_autocast_enabled("cpu")])
                    ctx.save_for_backward(a, b)
                    return a @ b

                @staticmethod
                @torch.amp.custom_bwd(device_type="cpu")
                def backward(ctx, grad):
                    a, b = ctx.saved_tensors
                    seen.append([*kinds(grad), torch.is_autocast_enabled("cpu"), *kinds(a.float() @ b.float())])
                    return grad @ b.t(), a.t() @ grad

            return Product

        results = []
        for options in ({}, {"cast_inputs": torch.float32}, {"cast_inputs": torch.float16}):
            a, b = torch.tensor(X, requires_grad=True), torch.tensor(X, requires_grad=True)
            with torch.autocast("cpu"):
                c = made(**options).apply(a, b.bfloat16())
            c.sum().backward()
            results += [c, a.grad, b.grad, made(**options).apply(a, b)]
        return [*seen, *results]

    same(fn)
    same_error(lambda torch: torch.amp.custom_fwd(lambda ctx: ctx, device_type=3))
    same_error(lambda torch: torch.amp.custom_bwd(device_type=None))


def test_threads_have_their_own():
    script = """
import threading
found = []
with torch.autocast("cpu"):
    worker = threading.Thread(target=lambda: found.append((torch.is_autocast_enabled("cpu"), (x @ x).dtype)))
    worker.start()
    worker.join()
print(found)
"""

    def fn(module):
        exec(script, {"torch": module, "x": module.tensor(X)})

    same_print(fn)


def test_nothing_is_left_on():
    """An exception inside a region closes it."""
    before = modes.rare
    with pytest.raises(ZeroDivisionError), jtorch.autocast("cpu"):
        1 / 0  # noqa: B018
    assert not jtorch.is_autocast_enabled("cpu") and modes.rare == before
    assert (jtorch.tensor(X) @ jtorch.tensor(X)).dtype is jtorch.float32
