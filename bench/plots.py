"""The plots of docs/benchmarks.md: how much faster jtorch's steps are, and how a step's time grows."""

import statistics

from matplotlib import rc_context
from matplotlib.figure import Figure

COLOURS = {"torch": "#d9603b", "compile": "#8c6bb1", "jax": "#4c8dae", "jtorch": "#2b2b2b"}
LABELS = {"torch": "torch eager", "compile": "torch.compile", "jax": "hand-written JAX", "jtorch": "jtorch"}
# The same figures give the same file.
STEADY = {"svg.hashsalt": "jtorch", "svg.fonttype": "none", "font.size": 9}


def _kept(figure, path):
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")


def speedups(cases, path):
    """Bars: how many times as fast as each of the others jtorch takes a step; the last group is the geometric mean."""
    others = [who for who in ("torch", "compile", "jax") if any(f"jtorch/{who}" in c["ratios"] for c in cases.values())]
    height = 0.8 / len(others)
    with rc_context(STEADY):
        figure = Figure((7, 0.8 + 0.42 * (len(cases) + 1)))
        axes = figure.subplots()
        for i, who in enumerate(others):
            values = [1 / c["ratios"][f"jtorch/{who}"]["median"] if f"jtorch/{who}" in c["ratios"] else 0
                      for c in cases.values()]  # fmt: skip
            values.append(statistics.geometric_mean([v for v in values if v]))
            places = [n + (i - (len(others) - 1) / 2) * height for n in range(len(values))]
            bars = axes.barh(places, values, height, color=COLOURS[who], label=f"over {LABELS[who]}")
            axes.bar_label(bars, [f"{v:.2f}" if v else "–" for v in values], padding=2, fontsize=7)
        axes.set_yticks(range(len(cases) + 1), [*cases, "geometric mean"])
        axes.invert_yaxis()
        axes.axvline(1, color="black", linewidth=0.8)
        axes.set_xlabel("steps per second, jtorch over the other (higher is better)")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="lower right")
        _kept(figure, path)


def growth(cases, path):
    """Lines, one panel for batch, width and depth each: milliseconds per step."""
    axes_names = list(dict.fromkeys(name.split()[0] for name in cases))
    with rc_context(STEADY):
        figure = Figure((3 * len(axes_names) + 0.5, 2.8))
        panels = figure.subplots(1, len(axes_names), squeeze=False)[0]
        for panel, axis in zip(panels, axes_names, strict=True):
            mine = {int(name.split()[1]): case for name, case in cases.items() if name.split()[0] == axis}
            for who in ("torch", "jax", "jtorch"):
                values = [case["times"][who]["median"] for case in mine.values()]
                panel.plot(list(mine), values, "o-", markersize=3, color=COLOURS[who], label=LABELS[who])
            panel.set_xscale("log", base=2)
            panel.set_yscale("log")
            panel.set_xticks(list(mine), [str(n) for n in mine])
            panel.set_xlabel(axis)
            panel.spines[["top", "right"]].set_visible(False)
        panels[0].set_ylabel("ms per step")
        panels[0].legend(frameon=False)
        figure.tight_layout()
        _kept(figure, path)


PLOTS = {"steps": speedups, "growth": growth}
