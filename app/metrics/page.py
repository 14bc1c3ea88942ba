"""A page of metrics, read back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.parser import text_string_to_metric_families

from app.metrics.catalogue import PREFIX, Metric

Sample = tuple[Mapping[str, str], float]


class Page:
    """What a page in Prometheus' text format said at one moment."""

    def __init__(self, text: str) -> None:
        found: defaultdict[str, list[Sample]] = defaultdict(list)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found[sample.name.removeprefix(PREFIX)].append((sample.labels, sample.value))
        self._samples = found

    def series(self, metric: Metric, suffix: str = "", **labels: str) -> Iterator[Sample]:
        """Labels and value of each that has these labels. `suffix`: _bucket, _count or _sum of a histogram."""
        for found, value in self._samples.get(metric.short + suffix, ()):
            if labels.items() <= found.items():
                yield found, value

    def sum(self, metric: Metric, suffix: str = "", **labels: str) -> float:
        return sum(value for _, value in self.series(metric, suffix, **labels))

    def values(self, metric: Metric, label: str) -> Sequence[str]:
        """Of this label, sorted."""
        return sorted({labels[label] for labels, _ in self.series(metric) if label in labels})

    def buckets(self, metric: Metric, **labels: str) -> dict[float, float]:
        """Of a histogram, summed over its series: upper bound to how many were at most that."""
        found: defaultdict[float, float] = defaultdict(float)
        for each, value in self.series(metric, "_bucket", **labels):
            found[float(each["le"])] += value
        return dict(sorted(found.items()))
