"""The metrics as a Markdown table: `python -m app.metrics.reference`."""

from __future__ import annotations

from app.metrics.catalogue import LABELS, Metric, everything


def tables() -> str:
    """One of the metrics, and one of their labels' values."""
    metrics = ["| Metric | Type | Labels | What it says |", "|---|---|---|---|", *map(_metric, everything())]
    labels = ["| Label | Values |", "|---|---|", *(f"| {label} | {values} |" for label, values in LABELS.items())]
    return "\n".join([*metrics, "", *labels])


def labels_of(metric: Metric) -> tuple[str, ...]:
    """On the page, but for `le`: a gauge of each worker has the worker's, too."""
    return metric.labels if metric.mode != "liveall" else ("pid", *metric.labels)


def _metric(metric: Metric) -> str:
    return f"| `{metric.name}` | {metric.type} | {', '.join(labels_of(metric))} | {metric.text} |"


if __name__ == "__main__":
    print(tables())
