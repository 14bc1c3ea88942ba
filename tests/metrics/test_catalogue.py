"""The names that dashboards and alerts query, and the reference that is made from them."""

import re

from app.core.errors import ErrorType
from app.metrics.catalogue import LABELS, PREFIX, Type, everything
from app.metrics.reference import labels_of, tables
from app.metrics.registry import Metrics

REQUIRED = {
    "requests_total": ("counter", "model, provider, status, streaming"),
    "request_duration_seconds": ("histogram", "model, provider, streaming"),
    "tokens_total": ("counter", "model, provider, type"),
    "active_requests": ("gauge", "provider"),
    "provider_health": ("gauge", "provider"),
    "errors_total": ("counter", "provider, error_type"),
    "circuit_breaker_state": ("gauge", "provider"),
    "rate_limit_hits_total": ("counter", "tenant, limit_type"),
    "cache_operations_total": ("counter", "operation, result"),
    "ttft_seconds": ("histogram", "model, provider"),
    "tokens_per_second": ("gauge", "model, provider"),
}


def test_the_eleven_that_were_asked_for_have_their_names_types_and_labels() -> None:
    found = {metric.name: (str(metric.type), ", ".join(metric.labels)) for metric in everything()}
    for name, wanted in REQUIRED.items():
        assert found[f"llm_gateway_llm_gateway_{name}"] == wanted


def test_what_workers_write_is_in_the_catalogue_as_it_is_written() -> None:
    described = {metric.name: metric for metric in everything()}
    for family in Metrics().registry.collect():
        metric = described[family.name + ("_total" if family.type == "counter" else "")]
        assert family.type == metric.type
        assert family.documentation == metric.text


def test_names_follow_the_rules_of_prometheus() -> None:
    names = [metric.short for metric in everything()]
    assert len(set(names)) == len(names)
    for metric in everything():
        assert re.fullmatch("[a-z][a-z_]*", metric.short)
        assert metric.short.endswith("_total") == (metric.type is Type.COUNTER)
        assert bool(metric.buckets) == (metric.type is Type.HISTOGRAM)
        assert not metric.mode or metric.type is Type.GAUGE


def test_every_label_says_what_its_values_can_be() -> None:
    used = {label for metric in everything() for label in labels_of(metric)}
    assert used == set(LABELS)
    assert all(kind in LABELS["error_type"] for kind in ErrorType if kind is not ErrorType.CANCELLED)


def test_the_reference_has_a_row_for_each() -> None:
    text = tables()
    for metric in everything():
        assert f"| `{PREFIX}{metric.short}` | {metric.type} |" in text
    for label in LABELS:
        assert f"\n| {label} | " in text
