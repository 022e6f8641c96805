"""Figures as images."""

import importlib

import numpy as np


def figure_to_image(figures, close=True):
    """The pixels of a figure of matplotlib, (3, H, W), or of a list of them, (N, 3, H, W)."""
    if isinstance(figures, list):
        return np.stack([figure_to_image(figure, close) for figure in figures])
    figure = figures
    agg = importlib.import_module("matplotlib.backends.backend_agg")
    canvas = agg.FigureCanvasAgg(figure)
    canvas.draw()
    width, height = canvas.get_width_height()
    pixels = np.frombuffer(canvas.buffer_rgba(), np.uint8).reshape(height, width, 4)
    if close:
        importlib.import_module("matplotlib.pyplot").close(figure)
    return np.moveaxis(pixels[:, :, :3], 2, 0)
