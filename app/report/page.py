"""The page: panels in Grafana's places, each with its title, picture and legend."""

from __future__ import annotations

import datetime
import importlib.resources
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from app.report import draw
from app.report.asked import Answered, Curve, Span
from app.report.paint import colour, of_names, of_step
from app.report.units import formatted

_LEGEND = 12  # names below a chart, those that got highest; the rest is counted

#: Of one dashboard with one choice of its variables: its title, what it is about, and rows of lines of panels.
Section = tuple[str, str, Sequence[tuple[str, Sequence[Sequence[Answered]]]]]


def page(sections: Sequence[Section], span: Span, source: str) -> str:
    css = importlib.resources.files("app.report").joinpath("page.css").read_text(encoding="utf-8")
    title = "LLM Gateway"
    links = "".join(f'<a href="#s{n}">{escape(name)}</a>' for n, (name, _, _) in enumerate(sections))
    body = "".join(_section(section, number, span) for number, section in enumerate(sections))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{css}</style></head>\n<body>'
        f"<header><h1>{title}</h1><p>{_time(span.start)} to {_time(span.end)} UTC, from {escape(source)}</p>"
        f"<nav>{links}</nav></header>\n<main>{body}</main></body></html>\n"
    )


def _time(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")


def _section(section: Section, number: int, span: Span) -> str:
    title, says, rows = section
    made = "".join(
        f"<h3>{escape(row)}</h3>" + "".join(f'<div class="line">{"".join(_panels(line, span))}</div>' for line in lines)
        for row, lines in rows
    )
    return f'<section id="s{number}"><h2>{escape(title)}</h2><p>{escape(says)}</p>{made}</section>\n'


def _panels(line: Sequence[Answered], span: Span) -> Iterator[str]:
    for answered in line:
        panel = answered.panel
        place = f"grid-column: {panel.left + 1} / span {panel.width}"
        yield (
            f'<article class="{escape(panel.kind)}" style="{place}"><h4 title="{escape(panel.says)}">'
            f"{escape(panel.title)}</h4>{_inside(answered, span)}</article>"
        )


def _inside(answered: Answered, span: Span) -> str:
    if not answered.curves:
        return f'<p class="nothing">{escape(answered.why)}</p>'
    kind = answered.panel.kind
    if kind == "stat":
        return _stat(answered, span)
    if kind == "table":
        return _table(answered)
    below = {"state-timeline": _states, "piechart": _shares, "timeseries": _legend}
    made = draw.chart(answered, span) + (below[kind](answered) if kind in below else "")
    return f'<div class="pie">{made}</div>' if kind == "piechart" else made


def _stat(answered: Answered, span: Span) -> str:
    panel = answered.panel
    several = len(answered.curves) > 1
    said = []
    for curve in answered.curves:
        text, shade = _said(answered, curve)
        name = f"<small>{escape(curve.name)}</small>" if several else ""
        style = f"background: {shade}; color: white" if panel.states else f"color: {shade}"
        said.append(f'<b style="{style}">{name}{escape(text)}</b>')
    line = "" if panel.states or len(answered.curves[0].known) < 2 else draw.spark(answered, span)
    return f'<div class="numbers">{"".join(said)}</div>{line}'


def _said(answered: Answered, curve: Curve) -> tuple[str, str]:
    panel = answered.panel
    if panel.states:
        text, name = panel.states.get(curve.last, (formatted(curve.last, "none"), "text"))
        return text, colour(name)
    return formatted(curve.last, panel.unit), of_step(panel.steps, curve.last)


def _legend(answered: Answered) -> str:
    unit = answered.panel.unit
    colours = of_names(answered.panel, [curve.name for curve in answered.curves])
    rows = []
    highest = sorted(answered.curves, key=lambda curve: -max(curve.known))[:_LEGEND]
    for curve, shade in zip(answered.curves, colours, strict=True):
        if curve not in highest:
            continue
        known = curve.known
        cells = (sum(known) / len(known), max(known), known[-1])
        numbers = "".join(f"<td>{escape(formatted(value, unit))}</td>" for value in cells)
        rows.append(f"<tr><th>{_swatch(shade)}{escape(curve.name)}</th>{numbers}</tr>")
    more = len(answered.curves) - _LEGEND
    rest = f'<tr><th colspan="4">and {more} more</th></tr>' if more > 0 else ""
    head = "<tr><th></th><td>mean</td><td>max</td><td>last</td></tr>"
    return f'<table class="legend">{head}{"".join(rows)}{rest}</table>'


def _shares(answered: Answered) -> str:
    curves = [curve for curve in answered.curves if curve.last > 0]
    whole = sum(curve.last for curve in curves)
    colours = of_names(answered.panel, [curve.name for curve in curves])
    unit = answered.panel.unit
    rows = "".join(
        f"<tr><th>{_swatch(shade)}{escape(curve.name)}</th><td>{escape(formatted(curve.last, unit))}</td>"
        f"<td>{escape(formatted(curve.last / whole, 'percentunit'))}</td></tr>"
        for curve, shade in zip(curves, colours, strict=True)
    )
    return f'<table class="legend">{rows}</table>'


def _states(answered: Answered) -> str:
    said = "".join(
        f"<span>{_swatch(colour(name))}{escape(text)}</span>" for text, name in answered.panel.states.values()
    )
    return f'<p class="states">{said}</p>'


def _swatch(shade: str) -> str:
    return f'<i style="background: {shade}"></i>'


def _table(answered: Answered) -> str:
    """A row for each set of labels, a column for each query."""
    panel = answered.panel
    names = list(dict.fromkeys(label for curve in answered.curves for label in curve.labels))
    columns = [target.legend for target in panel.targets]
    rows: dict[tuple[str, ...], dict[int, float]] = {}
    for curve in answered.curves:
        key = tuple(curve.labels.get(name, "") for name in names)
        rows.setdefault(key, {})[curve.query] = curve.last
    head = "".join(f"<th>{escape(name)}</th>" for name in names) + "".join(f"<td>{escape(c)}</td>" for c in columns)
    body = "".join(
        "<tr>" + "".join(f"<th>{escape(part)}</th>" for part in key) + _numbers(values, columns, panel.units) + "</tr>"
        for key, values in sorted(rows.items(), key=lambda row: -row[1].get(0, 0.0))
    )
    return f'<table class="data"><tr>{head}</tr>{body}</table>'


def _numbers(values: Mapping[int, float], columns: Sequence[str], units: Mapping[str, str]) -> str:
    return "".join(
        f"<td>{escape(formatted(values[n], units.get(name, 'short'))) if n in values else ''}</td>"
        for n, name in enumerate(columns)
    )
