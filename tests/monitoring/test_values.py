"""Panels of the overview say the number that their series amount to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.monitoring import promtool
from tests.monitoring.case import histogram, of
from tests.monitoring.dashboards import filled, targets


def _calls(status: str, step: int, provider: str = "openai", streaming: str = "false") -> dict[str, str]:
    return {of("requests_total", model="m", provider=provider, status=status, streaming=streaming): f"0+{step}x40"}


def _cache(result: str, step: int) -> dict[str, str]:
    return {of("cache_operations_total", operation="get", result=result): f"0+{step}x40"}


_TRAFFIC = {
    **_calls("success", 27),
    **_calls("error", 3),
    **_calls("client_error", 30),
    **_calls("success", 30, "cache"),
}
_PLAIN = {"model": "m", "provider": "openai", "streaming": "false"}
_SLOW = {"10.0": 0, "15.0": 10, "+Inf": 10}  # all between 10 and 15 s

#: Panel, query's legend, series every 30 s, what it says. Rates are a second.
VALUES: tuple[tuple[str, str, Mapping[str, str], float], ...] = (
    ("Request Rate", "requests", _TRAFFIC, 3.0),
    ("Error Rate", "errors", _TRAFFIC, 0.05),
    ("Error Budget Burn (1h)", "x budget", _TRAFFIC, 10.0),
    ("P95 Latency", "p95", histogram("request_duration_seconds", _SLOW, **_PLAIN), 14.75),
    (
        "Latency Percentiles",
        "p50",
        {
            **histogram("request_duration_seconds", _SLOW, **_PLAIN),
            **histogram(
                "request_duration_seconds", {"10.0": 900, "15.0": 900, "+Inf": 900}, **{**_PLAIN, "provider": "cache"}
            ),
            **histogram(
                "request_duration_seconds", {"10.0": 0, "60.0": 9, "+Inf": 9}, **{**_PLAIN, "streaming": "true"}
            ),
        },
        12.5,
    ),
    (
        "Healthy Provider Count",
        "healthy",
        {
            of("provider_health", provider="openai"): "1x40",
            of("provider_health", "b:9464", provider="openai"): "0x40",
            of("provider_health", provider="groq"): "1x40",
        },
        1.0,
    ),
    (
        "Healthy Provider Count",
        "configured",
        {of("provider_health", provider="openai"): "0x40", of("provider_health", "b:9464", provider="openai"): "0x40"},
        1.0,
    ),
    (
        "Active Requests",
        "active",
        {of("active_requests", provider="openai"): "7x40", of("active_requests", "b:9464", provider="groq"): "5x40"},
        12.0,
    ),
    ("Cache Hit Rate", "hits", {**_cache("hit", 3), **_cache("miss", 9), **_cache("error", 50)}, 0.25),
    ("Cost per Hour", "USD/h", {of("cost_usd_total", model="m", provider="openai"): "0+0.5x40"}, 60.0),
    ("Saturation", "used", {of("in_flight_requests"): "500x40", of("worker_capacity"): "2000x40"}, 0.25),
    ("Firing Alerts", "alerts", {}, 0.0),
    (
        "Configurations in Force",
        "configurations",
        {
            of("config_hash", pid="w0"): "7x40",
            of("config_hash", pid="w1"): "7x40",
            of("config_hash", "b:1", pid="w0"): "8x40",
        },
        2.0,
    ),
)


@pytest.mark.parametrize(("panel", "legend", "series", "value"), VALUES, ids=[f"{v[0]}: {v[1]}" for v in VALUES])
def test_a_panel_says(panel: str, legend: str, series: Mapping[str, str], value: float, tmp_path: Path) -> None:
    (target,) = [t for t in targets() if (t.dashboard, t.panel, t.legend) == ("LLM Gateway Overview", panel, legend)]
    expr = filled(target.expr, window="2m", span="10m", provider="openai")
    sample = {"labels": "{}", "value": value}
    test = {
        "interval": "30s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": f"round({expr}, 0.001)", "eval_time": "15m", "exp_samples": [sample]}],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump({"evaluation_interval": "30s", "tests": [test]}))

    promtool.run("test", "rules", tmp_path / "test.yaml")
