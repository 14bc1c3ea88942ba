"""Families that the housekeeper makes at a scrape, by their names in the catalogue."""

from __future__ import annotations

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from app.metrics.catalogue import Metric


def gauge(metric: Metric, value: float | None = None) -> GaugeMetricFamily:
    """With its one value, or for values that are yet to be added."""
    return GaugeMetricFamily(metric.name, metric.text, value, None if value is not None else metric.labels)


def counter(metric: Metric) -> CounterMetricFamily:
    return CounterMetricFamily(metric.name, metric.text, labels=metric.labels)
