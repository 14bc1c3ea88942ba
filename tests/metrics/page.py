"""A page of metrics, read."""

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from app.metrics.catalogue import PREFIX
from tests.gunicorn import Server


class Page:
    """Samples by their name without the prefix."""

    def __init__(self, text: str) -> None:
        self._samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
        self._by_name: dict[str, list[tuple[Mapping[str, str], float]]] = {}
        for sample in self._samples:
            self._by_name.setdefault(sample.name, []).append((sample.labels, sample.value))

    @property
    def size(self) -> int:
        """How many samples it has."""
        return len(self._samples)

    def sum(self, name: str, **labels: str) -> float:
        """Over all series with these labels."""
        return sum(value for found, value in self.series(name) if labels.items() <= found.items())

    def counters(self) -> dict[str, float]:
        """Every series that must never fall, buckets of histograms included, by name and labels."""
        rising = ("_total", "_bucket", "_count", "_sum")
        return {f"{s.name}{sorted(s.labels.items())}": s.value for s in self._samples if s.name.endswith(rising)}

    def series(self, name: str) -> list[tuple[Mapping[str, str], float]]:
        return list(self._by_name.get(PREFIX + name, ()))


def page_of(server: Server) -> Page:
    """The housekeeper's page of the moment, which may be a second old."""
    status, _, body = server.private("/metrics")
    assert status == 200, body
    return Page(body.decode())
