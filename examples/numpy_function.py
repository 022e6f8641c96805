"""NumPy inside of the graph: autograd Functions that compute with NumPy, gradients checked, and one used as a layer."""

import numpy as np
from numpy.fft import irfft2, rfft2

import jtorch as torch
from jtorch import nn
from jtorch.autograd import Function


class Spectrum(Function):
    """The magnitudes of a 2-d Fourier transform, with a made-up gradient that goes back the same way."""

    @staticmethod
    def forward(ctx, input):
        return input.new(abs(rfft2(input.detach().numpy())))

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output.new(irfft2(grad_output.numpy()))


class Correlate(Function):
    """input correlated with a filter, plus a bias, in NumPy: forward and its true gradients."""

    @staticmethod
    def forward(ctx, input, filter, bias):
        ctx.save_for_backward(input, filter)
        return torch.as_tensor(windows(input.detach().numpy(), filter.shape) @ flat(filter)) + bias

    @staticmethod
    def backward(ctx, grad_output):
        input, filter = ctx.saved_tensors
        grad = grad_output.numpy()
        rows, columns = filter.shape
        padded = np.pad(grad, ((rows - 1, rows - 1), (columns - 1, columns - 1)))
        grad_input = windows(padded, filter.shape) @ flat(filter)[::-1]
        grad_filter = np.tensordot(windows(input.detach().numpy(), filter.shape), grad, ([0, 1], [0, 1]))
        return (
            torch.from_numpy(grad_input),
            torch.from_numpy(grad_filter.reshape(filter.shape)),
            torch.tensor([[grad.sum()]], dtype=grad_output.dtype),
        )


def windows(array, shape):
    """All windows of a shape, flattened. Shape: (H, W) -> (H - h + 1, W - w + 1, h * w)."""
    found = np.lib.stride_tricks.sliding_window_view(array, tuple(shape))
    return found.reshape(*found.shape[:2], -1)


def flat(filter):
    return filter.detach().numpy().reshape(-1)


class CorrelateLayer(nn.Module):
    """Correlate with weights that learn. Shape: (H, W) -> (H - h + 1, W - w + 1)."""

    def __init__(self, rows, columns):
        super().__init__()
        self.filter = nn.Parameter(torch.randn(rows, columns, dtype=torch.float64))
        self.bias = nn.Parameter(torch.randn(1, 1, dtype=torch.float64))

    def forward(self, input):
        return Correlate.apply(input, self.filter, self.bias)


def main():
    torch.manual_seed(0)
    print("-- magnitudes of a spectrum")
    x = torch.randn(4, 4, requires_grad=True)
    result = Spectrum.apply(x)
    print(result)
    result.backward(torch.randn(result.size()))
    print(x.grad)

    print("-- a layer in NumPy")
    layer = CorrelateLayer(3, 3)
    print([tuple(p.shape) for p in layer.parameters()])
    image = torch.randn(10, 10, dtype=torch.float64, requires_grad=True)
    output = layer(image)
    output.backward(torch.randn(8, 8, dtype=torch.float64))
    print("gradient of the image", image.grad[:2, :4], "of the filter", layer.filter.grad, sep="\n")
    small = torch.randn(6, 5, dtype=torch.float64, requires_grad=True)
    print("gradients are right:", torch.autograd.gradcheck(layer, (small,), eps=1e-6, atol=1e-4))

    print("-- it learns an edge filter")
    edges = torch.tensor([[1.0, 0.0, -1.0]] * 3, dtype=torch.float64)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.05)
    for step in range(1, 101):
        picture = torch.randn(12, 12, dtype=torch.float64)
        wanted = nn.functional.conv2d(picture[None, None], edges[None, None])[0, 0]
        loss = nn.functional.mse_loss(layer(picture), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 25 == 0:
            print(f"step {step}: loss {loss.item():.5f}")


if __name__ == "__main__":
    main()
