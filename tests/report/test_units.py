"""Values as people read them."""

import math

import pytest

from app.report.units import formatted


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "short", "0"),
        (7, "short", "7"),
        (149.2, "short", "149"),
        (999.6, "short", "1 k"),
        (12_345, "short", "12.3 k"),
        (2_000_000, "short", "2 M"),
        (3.1e9, "short", "3.1 G"),
        (0.0129, "short", "0.0129"),
        (-4.5, "short", "-4.5"),
        (48.61, "reqps", "48.6 req/s"),
        (0.25, "ops", "0.25 ops/s"),
        (0.00863, "percentunit", "0.863 %"),
        (1, "percentunit", "100 %"),
        (0.000012, "s", "12 µs"),
        (0.0042, "s", "4.2 ms"),
        (0, "s", "0 s"),
        (4.128, "s", "4.13 s"),
        (90, "s", "90 s"),
        (600, "s", "10 min"),
        (7_560, "s", "2.1 h"),
        (259_200, "s", "3 d"),
        (1180, "currencyUSD", "$1.18 k"),
        (-0.5, "currencyUSD", "-$0.5"),
        (1, "none", "1"),
        (5, "a unit that Grafana has and we do not", "5"),
        (math.inf, "short", "∞"),
        (math.nan, "s", "-"),
    ],
)
def test_a_value_in_its_unit(value: float, unit: str, text: str) -> None:
    assert formatted(value, unit) == text
