"""The rules of the service level objectives: how fast the error budget is spent, over seven windows, and the alerts.

A pair of windows for each alert: the long one says that it matters, the short one that it still goes on. Windows and
factors are those of the SRE workbook, chapter 5: 2 % of a month's budget in an hour, 5 % in six, 10 % in one day or
three.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.metrics.catalogue import PREFIX
from monitoring.source.text import Block, dumped

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
_PLACE = "sum by (cluster, job)"


@dataclass(frozen=True, slots=True)
class Objective:
    alert: str
    record: str  # middle of the recording rules' names
    budget: float  # share of events that may be bad
    what: str
    bad: str


@dataclass(frozen=True, slots=True)
class Burn:
    short: str
    long: str
    factor: float  # times the budget
    severity: str


OBJECTIVES = (
    Objective(
        "LLMGatewayErrorBudgetBurn",
        "llm_gateway_request_errors",
        0.005,
        "Availability",
        "calls failed by a provider's fault or the gateway's",
    ),
    Objective(
        "LLMGatewayTTFTBudgetBurn",
        "llm_gateway_ttft_slow",
        0.05,
        "Time to first token",
        "streams waited longer than 5 s for their first content",
    ),
)
BURNS = (
    Burn("5m", "1h", 14.4, "critical"),
    Burn("30m", "6h", 6, "critical"),
    Burn("2h", "1d", 3, "warning"),
    Burn("6h", "3d", 1, "warning"),
)

HEAD = """\
# Service level objectives, over 30 days: 99.5 % of calls do not fail by a provider's fault or ours, and 95 % of streams
# have their first content within 5 s. Written by `python -m monitoring.source`; others: monitoring/source/slo.py.
# A Prometheus without a day of data takes a bad first hour for a bad day: silence the warnings until then.
"""


def text() -> str:
    groups = [
        {"name": "llm-gateway-slo-ratios", "interval": "30s", "rules": [*_errors(), *_slow()]},
        {"name": "llm-gateway-slo-alerts", "interval": "30s", "rules": _alerts()},
    ]
    return HEAD + dumped({"groups": groups})


def _errors() -> list[dict[str, Any]]:
    rules = []
    for window in WINDOWS:
        judged = f'{_PLACE} (rate({PREFIX}requests_total{{status=~"success|error"}}[{window}]))'
        failed = f'{_PLACE} (rate({PREFIX}requests_total{{status="error"}}[{window}]))'
        record = f"cluster_job:llm_gateway_request_errors:ratio_rate{window}"
        # Before the first error there may be no such series: its share is 0, not nothing.
        rules.append({"record": record, "expr": Block(f"({failed}\n  or 0 * {judged})\n/ {judged}\n")})
    return rules


def _slow() -> list[dict[str, Any]]:
    rules = []
    for window in WINDOWS:
        soon = f'{_PLACE} (rate({PREFIX}ttft_seconds_bucket{{le=~"5|5.0", provider!="cache"}}[{window}]))'
        every = f'{_PLACE} (rate({PREFIX}ttft_seconds_count{{provider!="cache"}}[{window}]))'
        record = f"cluster_job:llm_gateway_ttft_slow:ratio_rate{window}"
        rules.append({"record": record, "expr": Block(f"1 - {soon}\n/ {every}\n")})
    return rules


def _alerts() -> list[dict[str, Any]]:
    return [_alert(objective, burn) for objective in OBJECTIVES for burn in BURNS]


def _alert(objective: Objective, burn: Burn) -> dict[str, Any]:
    allowed = f"> ({burn.factor} * {objective.budget})"
    counted = "requests_total" if objective.record.endswith("errors") else "ttft_seconds_count"
    only = '{status=~"success|error"}' if counted == "requests_total" else '{provider!="cache"}'
    ratio = f"cluster_job:{objective.record}:ratio_rate"
    joined = "and on (cluster, job)"
    return {
        "alert": objective.alert,
        "expr": Block(
            f"{ratio}{burn.long} {allowed}\n{joined}\n{ratio}{burn.short} {allowed}\n{joined}\n"
            f"{_PLACE} (increase({PREFIX}{counted}{only}[{burn.long}])) >= 100\n"
        ),
        "for": "2m",
        "labels": {
            "severity": burn.severity,
            "component": "slo",
            "long_window": burn.long,
            "short_window": burn.short,
        },
        "annotations": {
            "summary": f"{objective.what}: bad events come at {burn.factor:g} times the pace that the objective allows",
            "description": "{{ $value | humanizePercentage }} of "
            + f"{objective.bad} in the last {burn.long}; the objective allows {100 * objective.budget:g}%.",
            "runbook": f"monitoring/runbooks/{objective.alert}.md",
            "dashboard": "/d/llm-gateway-overview?var-cluster={{ $labels.cluster }}",
        },
    }
