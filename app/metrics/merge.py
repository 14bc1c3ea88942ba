"""The files of all slots as one: added up, and made into families one metric at a time.

prometheus_client's own merge makes objects of every series of every file before it adds up the first: some 2 KB each,
and what other threads lay down between them keeps all of it from the system. Here a series is the text that its file
has and a number, until its metric's turn has come.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.mmap_dict import MmapedDict

from app.core import json

Labels = dict[str, str]
Series = dict[str, float]  # by what a file has of each: its metric, the sample's name, labels and help, as JSON
Value = tuple[str, Labels, float]  # the sample's name first

#: By what the name of a file begins with: what becomes of the values that several slots have for a series.
_ADDED: Mapping[str, Callable[[float, float], float]] = {
    "counter": operator.add,
    "histogram": operator.add,
    "gauge_livesum": operator.add,
    "gauge_livemin": min,
    "gauge_liveall": max,  # of one: each slot has a series of its own
}
_APART = "gauge_liveall"
_TEXT = frozenset({str})


@dataclass(frozen=True, slots=True)
class _Found:
    """A metric. `slots`: its series by slot, or under "" where they are added up."""

    kind: str
    slots: defaultdict[str, Series] = field(default_factory=lambda: defaultdict(dict))


class Merge:
    """Of one moment: add the files, then take the families."""

    def __init__(self) -> None:
        self._found: dict[str, _Found] = {}

    def add(self, path: Path) -> None:
        """All of a file or, where it raises, nothing: what a file that is none raises has many types."""
        what, _, slot = path.stem.rpartition("_")
        slot, add = slot if what == _APART else "", _ADDED[what]
        read = MmapedDict.read_all_values_from_file(str(path))  # type: ignore[no-untyped-call]
        for name, text, value in [(self._name(text), text, value) for text, value, _, _ in read]:
            found = self._found.setdefault(name, _Found(what.partition("_")[0]))
            series = found.slots[slot]
            series[text] = add(series[text], value) if text in series else value

    def _name(self, text: str) -> str:
        """Its metric. Raises for what would spoil the page when its turn comes."""
        name, sample, labels, help_ = _parsed(text)
        if name not in self._found:
            Metric(name, help_, "gauge")  # raises ValueError for what is no name
        if not _TEXT.issuperset(map(type, (sample, *labels.values()))):
            raise ValueError(f"{text} is no series")
        float(labels.get("le", 0))
        return name

    def families(self) -> Iterator[Metric]:
        """Each is forgotten here as it is given."""
        while self._found:
            yield _family(self._found.pop(next(iter(self._found))))


def _family(found: _Found) -> Metric:
    name, _, _, help_ = _parsed(next(text for series in found.slots.values() for text in series))
    family = Metric(name, help_, found.kind)
    for slot, series in found.slots.items():
        values = ((sample, labels, value) for text, value in series.items() for _, sample, labels, _ in [_parsed(text)])
        for sample, labels, value in _accumulated(name, values) if found.kind == "histogram" else values:
            family.add_sample(sample, labels | {"pid": slot} if slot else labels, value)
    return family


def _accumulated(name: str, values: Iterator[Value]) -> Iterator[Value]:
    """A histogram's: files say how many fell into each bucket, pages how many were at most its bound."""
    sums: dict[tuple[tuple[str, str], ...], tuple[str, float]] = {}
    buckets: defaultdict[tuple[tuple[str, str], ...], list[tuple[str, float]]] = defaultdict(list)
    for sample, labels, value in values:
        bound = labels.pop("le", None)
        if bound is None:
            sums[tuple(labels.items())] = sample, value
        else:
            buckets[tuple(labels.items())].append((bound, value))
    for key, (sample, value) in sums.items():
        yield sample, dict(key), value
        count = 0.0
        for bound, fell in sorted(buckets[key], key=lambda one: float(one[0])):
            count += fell
            yield f"{name}_bucket", {**dict(key), "le": bound}, count
        yield f"{name}_count", dict(key), count


def _parsed(text: str) -> tuple[str, str, Labels, str]:
    name, sample, labels, help_ = json.loads(text)
    return name, sample, labels, help_
