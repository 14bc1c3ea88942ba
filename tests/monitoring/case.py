"""What a case is: series over time, and when an alert fires on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.metrics.catalogue import PREFIX

Labels = Mapping[str, str]

CLUSTER: Labels = {"cluster": "eu", "job": "llm-gateway"}
OPENAI: Labels = {**CLUSTER, "provider": "openai"}


@dataclass(frozen=True, slots=True)
class Firing:
    """`reads`: how the value reads in the annotations; `window`: of an alert with a rule for each of several."""

    labels: Labels
    reads: str = ""
    window: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """`looks`: by time, what fires then. `naive`: obvious expressions that find nothing here, though they should."""

    alert: str
    says: str
    series: Mapping[str, str]
    looks: Mapping[str, tuple[Firing, ...]]
    interval: str = "30s"  # between the values of a series
    naive: tuple[str, ...] = ()

    @property
    def fires(self) -> bool:
        return any(self.looks.values())

    @property
    def last(self) -> str:
        return max(self.looks, key=lambda at: int(at[:-1]) * {"s": 1, "m": 60}[at[-1]])


def of(name: str, at: str = "a:9464", **labels: str) -> str:
    """A series of a replica, its labels in order."""
    every = {"cluster": "eu", "job": "llm-gateway", "instance": at, **labels}
    inside = ",".join(f'{label}="{value}"' for label, value in every.items())
    return f"{'' if name in ('up', 'scrape_duration_seconds') else PREFIX}{name}{{{inside}}}"


def histogram(name: str, buckets: Mapping[str, int], **labels: str) -> dict[str, str]:
    """So much more in each bucket every interval, forty times."""
    made = {of(name + "_bucket", **labels, le=le): f"0+{step}x40" for le, step in buckets.items()}
    return {**made, of(name + "_count", **labels): f"0+{buckets['+Inf']}x40"}
