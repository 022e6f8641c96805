"""Figures as images."""

import numpy as np

from jtorch.optional import Package

_MISSING = "figures need matplotlib, which is not installed: pip install matplotlib"
_agg, _pyplot = Package("matplotlib.backends.backend_agg", _MISSING), Package("matplotlib.pyplot", _MISSING)


def figure_to_image(figures, close=True):
    """The pixels of a figure of matplotlib, (3, H, W), or of a list of them, (N, 3, H, W)."""
    if isinstance(figures, list):
        return np.stack([figure_to_image(figure, close) for figure in figures])
    figure = figures
    canvas = _agg.FigureCanvasAgg(figure)
    canvas.draw()
    width, height = canvas.get_width_height()
    pixels = np.frombuffer(canvas.buffer_rgba(), np.uint8).reshape(height, width, 4)
    if close:
        _pyplot.close(figure)
    return np.moveaxis(pixels[:, :, :3], 2, 0)
