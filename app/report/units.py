"""Values as people read them, by Grafana's names of units."""

from __future__ import annotations

import math
from collections.abc import Mapping

_AFTER: Mapping[str, str] = {"reqps": " req/s", "ops": " ops/s"}
_THOUSANDS = ((1e9, " G"), (1e6, " M"), (1e3, " k"))


def formatted(value: float, unit: str) -> str:
    if math.isnan(value):
        return "-"
    match unit:
        case "s":
            return _seconds(value)
        case "percentunit":
            return f"{_short(value * 100)} %"
        case "currencyUSD":
            return f"${_short(value)}" if value >= 0 else f"-${_short(-value)}"
        case _:
            return _short(value) + _AFTER.get(unit, "")


def _short(value: float) -> str:
    """Three digits that matter."""
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    for size, name in _THOUSANDS:
        if abs(value) >= size * 0.9995:
            return f"{_digits(value / size)}{name}"
    return _digits(value)


def _digits(value: float) -> str:
    if value == 0:
        return "0"
    places = 2 - math.floor(math.log10(abs(value)))
    text = f"{value:.{max(0, min(places, 6))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _seconds(value: float) -> str:
    size = abs(value)
    if size == 0 or 1 <= size < 120 or math.isinf(size):
        return f"{_short(value)} s"
    if size < 1e-3:
        return f"{_digits(value * 1e6)} µs"
    if size < 1:
        return f"{_digits(value * 1e3)} ms"
    if size < 7200:
        return f"{_digits(value / 60)} min"
    return f"{_digits(value / 3600)} h" if size < 172_800 else f"{_digits(value / 86_400)} d"
