"""Parameters stepped with drawn gradients, the same ones for torch and jtorch."""

import numpy as np

SHAPES = ((4, 3), (3,), ())


def drawn(torch, draw, shape, dtype):
    """A tensor of normal numbers."""
    values = draw.standard_normal(shape)
    if dtype.startswith("complex"):
        values = values + 1j * draw.standard_normal(shape)
    return torch.tensor(values, dtype=getattr(torch, dtype))


def stepped(torch, make, steps=50, dtype="float32", skip=lambda step, number: False, shapes=SHAPES):
    """Parameters after some steps of the optimizer make(params), and its state_dict."""
    draw = np.random.default_rng(0)
    params = [drawn(torch, draw, shape, dtype).requires_grad_() for shape in shapes]
    optimizer = make(params)
    for step in range(steps):
        for number, param in enumerate(params):
            grad = drawn(torch, draw, param.shape, dtype)
            param.grad = None if skip(step, number) else grad
        optimizer.step()
        params[0].tolist()
    return params, optimizer.state_dict()


def error_of_half(torch, make, dtype):
    """Root mean square of how far 1,000 parameters in a half-precision dtype end from those in float64."""

    def last(kind):
        params, _ = stepped(torch, lambda params: make(torch, params), dtype=kind, shapes=((1000,),))
        return params[0].detach().double().numpy()

    return np.sqrt(np.mean((last(dtype) - last("float64")) ** 2))
