"""torch.fft: discrete Fourier transforms."""

from jtorch.api import everything, put, variants

globals().update(variants.functions("fft"))
globals().update(put.DOORS["fft"])
del everything, put, variants
