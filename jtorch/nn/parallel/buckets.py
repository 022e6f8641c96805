"""What a communication hook of DistributedDataParallel is given: all gradients of a dtype in one buffer."""

from jtorch._tensor import aval, read
from jtorch.autograd.apply import call
from jtorch.autograd.inplace import store


class GradBucket:
    """Gradients in one buffer."""

    def __init__(self, index, buffer, parameters, last):
        self._index, self._buffer, self._parameters, self._last = index, buffer, parameters, last

    def index(self):
        """Its number."""
        return self._index

    def buffer(self):
        """The gradients one after the other, in one dim."""
        return self._buffer

    def set_buffer(self, buffer):
        """Let another tensor be the buffer."""
        self._buffer = buffer

    def gradients(self):
        """The gradients, in their parameters' shapes."""
        return _apart(self._buffer, self._parameters)

    def parameters(self):
        """The parameters."""
        return self._parameters

    def is_last(self):
        """Whether none comes after it in this backward."""
        return self._last


def _apart(buffer, parameters):
    sizes = [p.numel() for p in parameters]
    return [part.reshape(aval(p).shape) for part, p in zip(buffer.split(sizes), parameters, strict=True)]


def buffer_of(future):
    """The buffer that a hook's Future gives, alone or as the first of several tensors."""
    found = future.wait()
    return found[0] if isinstance(found, (list, tuple)) else found


def hooked(registered, parameters):
    """Let a hook make the gradients of parameters anew. registered: (state, hook)."""
    state, hook = registered
    dtypes = list(dict.fromkeys(aval(p._grad).dtype for p in parameters))
    for number, dtype in enumerate(dtypes):
        own = [p for p in parameters if aval(p._grad).dtype is dtype]
        flat = call("cat", [p._grad.reshape(-1) for p in own], 0)
        bucket = GradBucket(number, flat, own, number == len(dtypes) - 1)
        found = buffer_of(hook(state, bucket))
        for p, grad in zip(own, _apart(found, own), strict=True):
            store(p._grad, read(grad.to(dtype)))
