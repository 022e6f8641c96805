"""torch.signal.windows: windows for the Fourier transform."""

from jtorch.api import everything, put

globals().update(put.DOORS["signal.windows"])
del everything, put
