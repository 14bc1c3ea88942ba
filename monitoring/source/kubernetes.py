"""The same files as Kubernetes objects: a ConfigMap that Grafana's sidecar finds, and rules for Prometheus Operator."""

from __future__ import annotations

from pathlib import Path

import yaml

from monitoring.source.text import Block, dumped

HEAD = "# Written by `python -m monitoring.source` from the files beside this directory.\n"


def config_map(dashboards: dict[str, str]) -> str:
    """By file name. Compact: `kubectl apply` notes the whole in the object, where 256 KiB is the end."""
    return HEAD + dumped(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "grafana-dashboards", "labels": {"grafana_dashboard": "1"}},
            "data": {name: Block(text) for name, text in dashboards.items()},
        }
    )


def prometheus_rule(files: list[Path]) -> str:
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    for rule in (rule for group in groups for rule in group["rules"]):
        if "\n" in rule["expr"]:
            rule["expr"] = Block(rule["expr"])
    return HEAD + dumped(
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {"name": "llm-gateway", "labels": {"app.kubernetes.io/name": "llm-gateway"}},
            "spec": {"groups": groups},
        }
    )
