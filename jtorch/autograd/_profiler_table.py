"""The table of a profile, in the layout that torch prints."""

import math
from dataclasses import dataclass

_WIDTH = 12
_UNITS = {"s": 1e6, "ms": 1e3, "us": 1.0}


def format_time(time_us, unit=None):
    """Microseconds as text, in seconds, milliseconds or microseconds."""
    unit = unit or ("s" if time_us >= 1e6 else "ms" if time_us >= 1e3 else "us")
    return f"{time_us / _UNITS[unit]:.3f}{unit}"


def format_memory(count):
    """Bytes as text."""
    for name, size in (("GB", 2**30), ("MB", 2**20), ("KB", 2**10)):
        if abs(count) >= size:
            return f"{count / size:.2f} {name}"
    return f"{count} B"


def format_share(part, whole):
    """A part of a whole in percent; NaN of nothing."""
    return f"{part * 100.0 / whole:.2f}%" if whole else "NaN"


@dataclass
class Column:
    """A title, a width, and what a row has there."""

    title: str
    cell: object
    width: int = _WIDTH
    left: bool = False

    def line(self, text):
        """A cell of the table, with the gap after it."""
        return f"{text: <{self.width}}  " if self.left else f"{text: >{self.width}}  "


def _shortened(text, widest):
    return text if widest is None or len(text) < widest - 3 else text[: widest - 3] + "..."


def _tail(path, width):
    """The end of a path that is too long."""
    return path if len(path) <= width else ("..." + path[len(path) - width :][3:])


def _widest(texts, limit):
    width = max(map(len, texts)) + 4
    return width if limit is None else min(width, limit)


def _flops_scale(rows):
    """(factor, title) for the numbers of floating point operations, or None where there are none."""
    known = [row.flops for row in rows if row.flops and row.flops > 0]
    if not known:
        return None
    power = int(max(0, min(math.log10(min(known)) / 3, 5)))
    return 10.0 ** (-3 * power), "Total " + ("", "K", "M", "G", "T", "P")[power] + "FLOPs"


def _times(rows, host, device, unit):
    """The columns of times on the host, and on the device where there are any."""
    columns = [
        Column("Self CPU %", lambda e: format_share(e.self_cpu_time_total, host)),
        Column("Self CPU", lambda e: format_time(e.self_cpu_time_total, unit)),
        Column("CPU total %", lambda e: 0 if e.is_async else format_share(e.cpu_time_total, host)),
        Column("CPU total", lambda e: format_time(e.cpu_time_total, unit)),
        Column("CPU time avg", lambda e: format_time(e.cpu_time, unit)),
    ]
    if any(row.self_device_time_total > 0 for row in rows):
        name = rows[0].use_device.upper()
        columns += [
            Column(f"Self {name}", lambda e: format_time(e.self_device_time_total, unit)),
            Column(f"Self {name} %", lambda e: format_share(e.self_device_time_total, device)),
            Column(f"{name} total", lambda e: format_time(e.device_time_total, unit)),
            Column(f"{name} time avg", lambda e: format_time(e.device_time, unit)),
        ]
    return columns


def _memory(rows):
    columns = [
        Column("CPU Mem", lambda e: format_memory(e.cpu_memory_usage)),
        Column("Self CPU Mem", lambda e: format_memory(e.self_cpu_memory_usage)),
    ]
    if rows[0].use_device and any(row.self_device_memory_usage > 0 for row in rows):
        name = rows[0].use_device.upper()
        columns += [
            Column(f"{name} Mem", lambda e: format_memory(e.device_memory_usage)),
            Column(f"Self {name} Mem", lambda e: format_memory(e.self_device_memory_usage)),
        ]
    return columns


def _columns(rows, times, widest_name, widest_shapes, widest_source, memory, flops):
    width = _widest([row.key for row in rows], widest_name)
    columns = [Column("Name", lambda e: _shortened(e.key, widest_name), width)]
    if any(row.overload_name for row in rows):
        columns.append(Column("Overload Name", lambda e: _shortened(e.overload_name, widest_name), width))
    columns += times
    columns += _memory(rows) if memory else []
    columns.append(Column("# of Calls", lambda e: e.count))
    if any(row.node_id != -1 for row in rows):
        columns.append(Column("Node ID", lambda e: e.node_id))
    if any(row.input_shapes for row in rows):
        shapes = _widest([str(row.input_shapes) for row in rows], widest_shapes)
        columns.append(Column("Input Shapes", lambda e: str(e.input_shapes)[:shapes], shapes))
    source = None
    if any(row.stack for row in rows):
        lines = [line for row in rows for line in row.stack]
        place = _widest(lines, widest_source)
        source = Column("Source Location", lambda e: _tail(e.stack[0], place) if e.stack else "", place, left=True)
    scale = _flops_scale(rows) if flops else None
    counted = []
    if scale is not None:
        counted = [Column(scale[1], lambda e: f"{e.flops * scale[0]:8.3f}" if e.flops and e.flops > 0 else "--")]
    return columns, counted, source


def table(rows, row_limit, header, widest_name, widest_shapes, widest_source, memory, flops, top_level, unit):
    """The text of the table; empty for no rows."""
    if not rows:
        return ""
    host = sum(row.self_cpu_time_total for row in rows)
    device = sum(row.self_device_time_total for row in rows if row.device_type and not row.is_user_annotation)
    times = _times(rows, host, device, unit)
    columns, counted, source = _columns(rows, times, widest_name, widest_shapes, widest_source, memory, flops)
    columns = [*columns, *([source] if source else []), *counted]
    rule = "".join("-" * column.width + "  " for column in columns)
    lines = []
    if header is not None:
        lines += ["=" * (len(rule) - 2), header]
    if top_level:
        lines += ["=" * (len(rule) - 2), "This report only display top-level ops statistics"]
    lines += [rule, "".join(column.line(column.title) for column in columns), rule]
    shown = [row for row in rows if not (top_level and row.cpu_parent is not None)]
    for row in shown if row_limit < 0 else shown[:row_limit]:
        lines.append("".join(column.line(column.cell(row)) for column in columns))
        if source:
            lines += _rest_of_stack(row, columns, source)
    lines += [rule, f"Self CPU time total: {format_time(host, unit)}"]
    if len(times) > 5:
        lines.append(f"Self {rows[0].use_device.upper()} time total: {format_time(device, unit)}")
    return "\n".join(lines) + "\n"


def _rest_of_stack(row, columns, source):
    """The lines of a stack below its first, and an empty one after them."""
    for text in (*row.stack[1:], ""):
        yield "".join(column.line(_tail(text, column.width) if column is source else "") for column in columns)
