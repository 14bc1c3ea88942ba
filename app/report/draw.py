"""Charts as SVG. The only door to matplotlib, which is imported when the first one is drawn: nothing else needs it.

Text stays text, so that it can be read, searched and tested, and takes the font of the page.
"""

from __future__ import annotations

import io
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.report.asked import Answered, Curve, Span
from app.report.paint import NAMED, colour, of_names
from app.report.units import formatted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMN, _LINE = 0.58, 0.26  # inches, of Grafana's grid
_NAME = 0.19  # inches that a line of text takes
_DAY = 86_400.0
_STYLE: Mapping[Any, object] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a dollar is a dollar
    "font.size": 8.5,
    "font.family": "sans-serif",
    "axes.edgecolor": "#adb5bd",
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.color": "#e9ecef",
    "text.color": "#343a40",
    "axes.labelcolor": "#343a40",
    "xtick.color": "#495057",
    "ytick.color": "#495057",
}


class NotInstalled(Exception):
    """The extra that draws is not there."""


def chart(answered: Answered, span: Span) -> str:
    """The panel's picture: an <svg> element."""
    draw = {"heatmap": _heatmap, "state-timeline": _states, "piechart": _pie, "bargauge": _bars}
    panel = answered.panel
    height = panel.height * _LINE
    if panel.kind in ("state-timeline", "bargauge"):
        height = max(height, _NAME * (len(answered.curves) + 2))
    width = height if panel.kind == "piechart" else panel.width * _COLUMN
    return _svg(answered, span, draw.get(panel.kind, _series), width, height)


def spark(answered: Answered, span: Span) -> str:
    """A line without words, to stand behind a number."""
    return _svg(answered, span, _line_alone, answered.panel.width * _COLUMN, 0.5)


def _svg(answered: Answered, span: Span, draw: _Draw, width: float, height: float) -> str:
    try:
        import matplotlib as mpl  # noqa: PLC0415 - an extra
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise NotInstalled("drawing needs matplotlib: pip install 'llm-gateway[report]'") from error
    with mpl.rc_context({**_STYLE, "svg.hashsalt": answered.panel.title}):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure, answered, span)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return _bare(text[text.index("<svg") :])


def _bare(svg: str) -> str:
    """Without what only a file of its own has: sizes, names that others on the page have, thousandths of a point."""
    head, _, rest = svg.partition(">")
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    used = set(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", rest))
    rest = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", rest)
    return head + ">" + re.sub(r'(?<= d=")[^"]+', lambda found: re.sub(r"(\.\d)\d+", r"\1", found[0]), rest)


def _axes(figure: Figure, answered: Answered, span: Span) -> Axes:
    from matplotlib.dates import AutoDateLocator, DateFormatter  # noqa: PLC0415
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415

    axes = figure.add_subplot()
    axes.set_xlim(span.start / _DAY, span.end / _DAY)
    seconds = span.end - span.start
    form = "%H:%M:%S" if seconds < 900 else "%H:%M" if seconds < _DAY else "%d %b"
    ticks = answered.panel.width // 2 + 2
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=ticks))  # type: ignore[no-untyped-call]
    axes.set_axisbelow(b=True)
    axes.xaxis.set_major_formatter(DateFormatter(form))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: formatted(value, answered.panel.unit)))
    return axes


def _series(figure: Figure, answered: Answered, span: Span) -> None:
    axes = _axes(figure, answered, span)
    panel, curves = answered.panel, answered.curves
    colours = of_names(panel, [curve.name for curve in curves])
    if panel.stacked:
        times = sorted({at for curve in curves for at, _ in curve.points})
        layers = [_on(curve, times) for curve in curves]
        axes.stackplot([at / _DAY for at in times], layers, colors=colours, alpha=0.65, linewidth=0)
    else:
        for curve, shade in zip(curves, colours, strict=True):
            axes.plot(*_whole(curve, span), color=shade, linewidth=1.3, marker="o" if len(curve.points) < 3 else "")
    axes.set_ylim(
        bottom=min(0.0, *(value for curve in curves for value in curve.known)), top=_top(curves, panel.stacked)
    )
    if panel.lined:
        top = axes.get_ylim()[1]
        for name, step in panel.steps:
            if step is not None and step <= top:
                axes.axhline(step, color=colour(name), linewidth=1, linestyle=(0, (4, 3)))


def _on(curve: Curve, times: Sequence[float]) -> list[float]:
    values = dict(curve.points)
    return [0.0 if math.isnan(value := values.get(at, 0.0)) else value for at in times]


def _whole(curve: Curve, span: Span) -> tuple[list[float], list[float]]:
    """With a gap where Prometheus had no value."""
    times, values = list[float](), list[float]()
    before = None
    for at, value in curve.points:
        if before is not None and at - before > 1.5 * span.step:
            times.append((at - span.step / 2) / _DAY)
            values.append(math.nan)
        times.append(at / _DAY)
        values.append(value)
        before = at
    return times, values


def _top(curves: Sequence[Curve], stacked: bool) -> float:
    if stacked:
        heights: dict[float, float] = {}
        for at, value in itertools.chain.from_iterable(curve.points for curve in curves):
            heights[at] = heights.get(at, 0.0) + (0.0 if math.isnan(value) else value)
        highest = max(heights.values())
    else:
        highest = max(value for curve in curves for value in curve.known if not math.isinf(value))
    return highest * 1.08 if highest > 0 else 1.0


def _line_alone(figure: Figure, answered: Answered, span: Span) -> None:
    axes = figure.add_subplot()
    axes.axis("off")
    axes.set_xlim(span.start / _DAY, span.end / _DAY)
    times, values = _whole(answered.curves[0], span)
    axes.plot(times, values, color=NAMED["blue"], linewidth=1.2)
    axes.fill_between(times, values, color=NAMED["blue"], alpha=0.12)
    axes.set_ylim(bottom=0, top=_top(answered.curves[:1], stacked=False))


def _states(figure: Figure, answered: Answered, span: Span) -> None:
    from matplotlib.ticker import FixedLocator, NullFormatter  # noqa: PLC0415

    axes = _axes(figure, answered, span)
    axes.grid(visible=False)
    names = [curve.name for curve in answered.curves]
    for place, curve in enumerate(answered.curves):
        for value, left, right in _stretches(curve, span.step):
            _, shade = answered.panel.states.get(value, ("", "text"))
            axes.barh(place, (right - left) / _DAY, left=left / _DAY, height=0.75, color=colour(shade), linewidth=0)
    axes.yaxis.set_major_locator(FixedLocator(list(range(len(names)))))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)


def _stretches(curve: Curve, step: float) -> Iterator[tuple[float, float, float]]:
    """A value, from when to when, for as long as it stays the same and nothing is missing."""
    began = before = math.nan
    held = math.nan
    for at, value in curve.points:
        if value != held or at - before > 1.5 * step:
            if not math.isnan(held):
                yield held, began, before + step
            began, held = at, value
        before = at
    if not math.isnan(held):
        yield held, began, before + step


def _heatmap(figure: Figure, answered: Answered, span: Span) -> None:
    """Buckets are cumulative: what is in one is what it has beyond the next smaller."""
    axes = _axes(figure, answered, span)
    axes.grid(visible=False)
    curves = sorted(answered.curves, key=lambda curve: float(curve.labels.get("le", "inf")))
    times = sorted({at for curve in curves for at, _ in curve.points})
    layers = [_on(curve, times) for curve in curves]
    inside = [[max(0.0, b - a) for a, b in zip(low, high, strict=True)] for low, high in itertools.pairwise(layers)]
    cells = [layers[0], *inside]
    edges = [at / _DAY for at in [*times, times[-1] + span.step]]
    mesh = axes.pcolormesh(edges, range(len(curves) + 1), cells, cmap="Oranges", vmin=0, rasterized=True)
    figure.colorbar(mesh, ax=axes, label="calls", pad=0.01, aspect=12)
    bounds = [_bound(curve.labels.get("le", "")) for curve in curves]
    shown = range(0, len(bounds) - 1, max(1, len(bounds) // 7))  # the last is the rest: all that took longer
    axes.set_yticks([place + 1 for place in shown], [bounds[place] for place in shown])


def _bound(le: str) -> str:
    return f"≤ {formatted(float(le), 's')}"


def _pie(figure: Figure, answered: Answered, _: Span) -> None:
    axes = figure.add_subplot()
    curves = [curve for curve in answered.curves if curve.last > 0]
    axes.pie(
        [curve.last for curve in curves],
        colors=of_names(answered.panel, [curve.name for curve in answered.curves if curve.last > 0]),
        wedgeprops={"width": 0.45, "edgecolor": "white"},
        radius=1.2,
        startangle=90,
        counterclock=False,
    )


def _bars(figure: Figure, answered: Answered, _: Span) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415

    axes = figure.add_subplot()
    names = [curve.name for curve in answered.curves]
    values = [curve.last for curve in answered.curves]
    bars = axes.barh(range(len(names)), values, color=of_names(answered.panel, names), height=0.65)
    axes.bar_label(bars, [formatted(value, answered.panel.unit) for value in values], padding=3)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_axisbelow(b=True)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: formatted(value, answered.panel.unit)))


if TYPE_CHECKING:
    from collections.abc import Callable

    _Draw = Callable[[Figure, Answered, Span], None]
