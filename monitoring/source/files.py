"""The generated files by name, in the order in which one is made of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from monitoring.source import grafana, kubernetes, readme, slo
from monitoring.source.overview import OVERVIEW
from monitoring.source.panel import Dashboard
from monitoring.source.providers import PROVIDERS
from monitoring.source.tenants import TENANTS_AND_COST

MONITORING = Path(__file__).parent.parent
DASHBOARDS: Mapping[str, Dashboard] = {f"{one.uid}.json": one for one in (OVERVIEW, PROVIDERS, TENANTS_AND_COST)}
RULES = ("alerts.yaml", "alerts-gateway.yaml", "slo-rules.yaml")


def generated() -> Mapping[str, Callable[[], str]]:
    return {
        **{name: partial(grafana.text, dashboard) for name, dashboard in DASHBOARDS.items()},
        "slo-rules.yaml": slo.text,
        "README.md": lambda: readme.inserted((MONITORING / "README.md").read_text()),
        "kubernetes/dashboards-configmap.yaml": _config_map,
        "kubernetes/prometheusrule.yaml": lambda: kubernetes.prometheus_rule([MONITORING / name for name in RULES]),
    }


def _config_map() -> str:
    return kubernetes.config_map({name: grafana.compact(dashboard) for name, dashboard in DASHBOARDS.items()})
