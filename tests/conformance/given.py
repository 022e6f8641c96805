"""Samples on their way to a module: tensors with their strides, dtypes, devices, generators, nested as they may be."""

import ml_dtypes
import torch

from tests.sides import to_tensor


class Unfit(Exception):
    """A sample holds what jtorch does not have: a layout or a dtype that is left out."""


class Given:
    """The arguments of one sample as one module wants them; leaves and tensors are noted on the way.

    exact: floating numbers become float64, complex ones complex128.
    """

    def __init__(self, module, sample, requires_grad=False, exact=False):
        self.module = module
        self.exact = exact
        self.requires_grad = requires_grad
        self.leaves = []
        self.inputs = []
        self.input = self.convert(sample.input)
        self.args = tuple(self.convert(x) for x in sample.args)
        self.kwargs = {key: self.convert(x) for key, x in sample.kwargs.items()}

    def convert(self, value):
        """One argument. Raises Unfit."""
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if isinstance(value, dict):
            return {key: self.convert(x) for key, x in value.items()}
        if isinstance(value, torch.Size):
            return self.module.Size(value)
        if type(value) in (tuple, list):
            return type(value)(self.convert(x) for x in value)
        if isinstance(value, slice):
            return slice(*(self.convert(x) for x in (value.start, value.stop, value.step)))
        if self.exact and isinstance(value, torch.dtype):
            value = exact(value)
        if isinstance(value, (torch.dtype, torch.memory_format, torch.layout)):
            if value in _FOREIGN:
                raise Unfit(f"a sample with {value}")
            return getattr(self.module, str(value).removeprefix("torch."))
        if isinstance(value, torch.device):
            return self.module.device(str(value))
        if isinstance(value, torch.nn.Module):
            return self._layer(value)
        if isinstance(value, torch.Generator):
            return self.module.Generator().manual_seed(value.initial_seed())
        return value

    def _layer(self, value):
        """A layer without parameters, made anew from its attributes."""
        made = getattr(self.module.nn, type(value).__name__)()
        vars(made).update({key: x for key, x in vars(value).items() if not key.startswith("_")})
        return made

    def _tensor(self, value):
        wanted = self.requires_grad and value.requires_grad
        value = value.to(exact(value.dtype)) if self.exact else value
        leaf, laid = to_tensor(self.module, strided(value), wanted)
        self.leaves.append(leaf)
        self.inputs.append(laid)
        return laid


_FOREIGN = (torch.complex32, torch.sparse_coo, torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc)


def exact(dtype):
    """The widest dtype of the same kind, in which torch's results are taken for the truth."""
    return torch.complex128 if dtype.is_complex else torch.float64 if dtype.is_floating_point else dtype


def strided(tensor):
    """A torch tensor as a NumPy array with the tensor's strides. Raises Unfit for layouts and dtypes left out."""
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_nested or tensor.dtype in _FOREIGN:
        raise Unfit(f"a sample with {tensor.dtype} in {tensor.layout}")
    plain = tensor.detach().resolve_conj().resolve_neg()
    name = str(plain.dtype).removeprefix("torch.")
    if hasattr(ml_dtypes, name):
        bits = torch.int16 if plain.element_size() == 2 else torch.uint8
        return plain.view(bits).numpy().view(getattr(ml_dtypes, name))
    return plain.numpy()


def tensors(module, value):
    """The tensors of a module in a nested value."""
    if isinstance(value, module.Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (tuple, list)):
        return []
    return [tensor for item in value for tensor in tensors(module, item)]
