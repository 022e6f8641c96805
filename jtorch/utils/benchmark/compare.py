"""Compare: measurements as tables, a row for each statement and a column for each description."""

import enum
import math
import sys

from jtorch.utils.benchmark.measurement import Measurement, ordered_unique, select_unit, trim_sigfig, unit_to_english

_BOLD, _PLAIN = "\033[1m", "\033[0m"
_BEST, _GOOD, _BAD, _VERY_BAD = "\033[92m", "\033[34m", "\033[2m\033[91m", "\033[31m"


class Colorize(enum.Enum):
    """What a time is compared with for its colour: nothing, its column or its row."""

    NONE = "none"
    COLUMNWISE = "columnwise"
    ROWWISE = "rowwise"


def _coloured(text, time, best):
    if time <= best * 1.01 or time <= best + 100e-9:
        return _BEST + _BOLD + text + _PLAIN * 2
    if time <= best * 1.1:
        return _GOOD + _BOLD + text + _PLAIN * 2
    if time >= best * 5:
        return _VERY_BAD + _BOLD + text + _PLAIN * 2
    if time >= best * 2:
        return _BAD + text + _PLAIN * 2
    return text


class _Table:
    """The measurements of one label. Cells are (measurement or None); rows of the same thread count stand together."""

    def __init__(self, results, colorize, trim, warn):
        self._results, self._colorize, self._trim = results, colorize, trim
        self._unit, self._scale = select_unit(min(m.median for m in results))
        self._rows = sorted(
            ordered_unique((m.num_threads, m.env, m.as_row_name) for m in results), key=lambda row: row[:2]
        )
        self._columns = ordered_unique(m.description for m in results)
        self._cells = {((m.num_threads, m.env, m.as_row_name), m.description): m for m in results}
        self._warn = warn
        self._forms = [self._form(column) for column in self._columns]

    def _column(self, column, threads=None):
        cells = (self._cells.get((row, column)) for row in self._rows if threads in (None, row[0]))
        return [m for m in cells if m is not None]

    def _form(self, column):
        """(digits, decimals, whether warnings are shown) of a column."""
        measured = self._column(column)
        digits = [math.ceil(math.log10(m.median / self._scale)) for m in measured]
        decimals = 1
        if self._trim:
            decimals = min(max(m.significant_figures - d, 0) for m, d in zip(measured, digits, strict=True))
        width = max(digits) + decimals + bool(decimals)
        return width, decimals, self._warn and any(m.has_warnings for m in measured)

    def _text(self, m, form):
        width, decimals, warned = form
        note = 7 if warned else 0
        if m is None:
            return " " * (max(width, len(f"{1:.{decimals}f}")) + note)
        value = m.median / self._scale
        if self._trim:
            value = trim_sigfig(value, m.significant_figures)
        spread = f" (! {m.iqr / m.median * 100:.0f}%)" if warned and m.has_warnings else ""
        return f"{value:>{width}.{decimals}f}{spread:>{note}}"

    def _names(self):
        """The first column: each row's name, with its environment where that changes."""
        envs = ordered_unique(env for _, env, _ in self._rows)
        room = max(len(str(env)) for env in envs) + 4 if len(envs) > 1 else 4
        before, names = None, []
        for threads, env, name in self._rows:
            shown = f"({env})" if len(envs) > 1 and (threads, env) != before else ""
            before = threads, env
            names.append("  " + shown.ljust(room) + name)
        return names

    def _best(self, row, column):
        if self._colorize is Colorize.COLUMNWISE:
            among = self._column(column, row[0])
        else:
            among = [m for c in self._columns if (m := self._cells.get((row, c))) is not None]
        return min(m.median for m in among)

    def _cell(self, row, column, text):
        m = self._cells.get((row, column))
        if m is None or self._colorize is Colorize.NONE:
            return text
        return _coloured(text, m.median, self._best(row, column))

    def render(self):
        """The table's text."""
        names = self._names()
        texts = [
            [self._text(self._cells.get((row, c)), form) for c, form in zip(self._columns, self._forms, strict=True)]
            for row in self._rows
        ]
        head = [str(column) if column is not None else "" for column in self._columns]
        widths = [max(map(len, cells)) for cells in zip(head, *texts, strict=True)]
        first = max(map(len, names))
        top = [h.center(w) for h, w in zip(head, widths, strict=True)]
        lines = ["  |  ".join(["".center(first), *top])]
        overall, threads = len(lines[0]), None
        for row, name, cells in zip(self._rows, names, texts, strict=True):
            if row[0] != threads:
                threads = row[0]
                lines.append(f"{threads} threads: ".ljust(overall, "-"))
            centred = [cell.center(w) for cell, w in zip(cells, widths, strict=True)]
            shown = [self._cell(row, c, text) for c, text in zip(self._columns, centred, strict=True)]
            lines.append("  |  ".join([name.ljust(first), *shown]))
        title = f" {self._results[0].label or ''} ".center(overall - 2, "-")
        legend = f"\n\nTimes are in {unit_to_english(self._unit)}s ({self._unit}).\n"
        if self._warn and any(m.has_warnings for m in self._results):
            legend += "(! XX%) Measurement has high variance, where XX is the IQR / median * 100.\n"
        return f"[{title}]\n" + "\n".join(lines) + legend


class Compare:
    """Measurements in tables, one for each label: str() or print().

    Raises: ValueError for what is no Measurement.
    """

    def __init__(self, results):
        self._results = []
        self._trim = self._warn = False
        self._colorize = Colorize.NONE
        self.extend_results(results)

    def extend_results(self, results):
        """Add measurements. Raises: ValueError for other things."""
        for m in results:
            if not isinstance(m, Measurement):
                raise ValueError(f"Expected an instance of `Measurement`, got {type(m)} instead.")
        self._results.extend(results)

    def trim_significant_figures(self):
        """Show as many figures as mean something."""
        self._trim = True

    def colorize(self, rowwise=False):
        """Colour times by how they compare within their column, or row."""
        self._colorize = Colorize.ROWWISE if rowwise else Colorize.COLUMNWISE

    def highlight_warnings(self):
        """Mark times that vary much."""
        self._warn = True

    def __str__(self):
        results = Measurement.merge(self._results)
        tables = [[m for m in results if m.label == label] for label in ordered_unique(m.label for m in results)]
        return "\n".join(_Table(group, self._colorize, self._trim, self._warn).render() for group in tables)

    def print(self):
        """Print the tables to standard output."""
        sys.stdout.write(f"{self}\n")
