"""Functions that the tests of autograd.Function share, of jtorch but for the last."""

import jtorch as torch
from jtorch.autograd import Function


class Exp(Function):
    @staticmethod
    def forward(ctx, x):
        result = x.exp()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, grad):
        (result,) = ctx.saved_tensors
        return grad * result


class Cube(Function):
    @staticmethod
    def forward(x):
        return x**3

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * x**2


class Scale(Function):
    @staticmethod
    def forward(ctx, x, factor):
        ctx.factor = factor
        return x * factor

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.factor, None


class Doubled(Function):
    """Its gradient is not its forward's, so that it shows whose is taken."""

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        return grad * 100


class SinCos(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin(), x.cos()

    @staticmethod
    def backward(ctx, to_sin, to_cos):
        (x,) = ctx.saved_tensors
        return to_sin * x.cos() - to_cos * x.sin()


class Either(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    @staticmethod
    def backward(ctx, first, second):
        return first * 2 if second is None else first * 2 + second * 3


class Sign(Function):
    @staticmethod
    def forward(ctx, x):
        positive = x > 0
        ctx.mark_non_differentiable(positive)
        ctx.save_for_backward(positive)
        return x.abs(), positive

    @staticmethod
    def backward(ctx, grad, nothing):
        (positive,) = ctx.saved_tensors
        return torch.where(positive, grad, -grad)


class OnContext(Function):
    """Keeps tensors as attributes, in a list and in a dict, as much code does."""

    @staticmethod
    def forward(ctx, x):
        ctx.x, ctx.more = x, {"squares": [x * x], "factor": 3}
        return x**3

    @staticmethod
    def backward(ctx, grad):
        return grad * (ctx.more["squares"][0] * ctx.more["factor"] + ctx.x - ctx.x)


class StraightThrough(Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, grad):
        return grad


class DoubledInPlace(Function):
    @staticmethod
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, grad):
        return grad * 2


class Reversed(Function):
    @staticmethod
    def forward(ctx, x):
        return x

    @staticmethod
    def backward(ctx, grad):
        return -grad


class Labelled(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2, "label", None

    @staticmethod
    def backward(ctx, grad, *nothing):
        return grad * 2


class Masked(Function):
    @staticmethod
    def forward(ctx, x, mask):
        ctx.save_for_backward(mask)
        return torch.where(mask, x, x * 0)

    @staticmethod
    def backward(ctx, grad):
        (mask,) = ctx.saved_tensors
        return torch.where(mask, grad, grad * 0), None


class Product(Function):
    @staticmethod
    def forward(ctx, x, factor, w):
        ctx.save_for_backward(x, w)
        ctx.factor = factor
        return x * w * factor

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        return grad * w * ctx.factor, None, grad * x * ctx.factor


def cube_and_slope(torch, factor=1):
    """A Function of either library with two outputs, on every level. factor: how wrong the cube's gradient is."""

    class CubeAndSlope(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x**3, 3 * x**2

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0], output[1])
            ctx.save_for_forward(inputs[0], output[1])

        @staticmethod
        def backward(ctx, grad, to_slope):
            x, slope = ctx.saved_tensors
            return grad * slope * factor + to_slope * 6 * x

        @staticmethod
        def jvp(ctx, t):
            x, slope = ctx.saved_tensors
            return t * slope * factor, t * 6 * x

    return CubeAndSlope
