"""Gauges that the housekeeper makes of what workers counted."""

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from app.metrics.catalogue import SPEED, STREAM_SECONDS, STREAM_TOKENS, WORKER_IN_FLIGHT
from app.metrics.derived import WINDOW, Speedometer, in_flight


class Streams:
    """What workers have counted so far, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self._tokens: dict[str, float] = {}
        self._seconds: dict[str, float] = {}
        self._speedometer = Speedometer()

    def add(self, model: str, tokens: float, seconds: float) -> None:
        self._tokens[model] = self._tokens.get(model, 0) + tokens
        self._seconds[model] = self._seconds.get(model, 0) + seconds

    def speed(self, model: str = "fast", *, after: float = 15.0) -> float | None:
        """At the next scrape."""
        self.now += after
        families: list[Metric] = []
        for metric, values in ((STREAM_TOKENS, self._tokens), (STREAM_SECONDS, self._seconds)):
            family = CounterMetricFamily(metric.name, metric.text, labels=metric.labels)
            for name, value in values.items():
                family.add_metric([name, "openai"], value)
            families.append(family)
        found = self._speedometer.family(families, self.now)
        assert found.name == SPEED.name
        assert all(sample.labels["provider"] == "openai" for sample in found.samples)
        return next((sample.value for sample in found.samples if sample.labels["model"] == model), None)


def test_the_speed_is_what_one_stream_gets_and_not_what_all_of_them_get_together() -> None:
    streams = Streams()
    streams.add("fast", 1000, 20)
    assert streams.speed() == 0, "what was before the first scrape is of an unknown age"
    for _ in range(100):
        streams.add("fast", 500, 10)
    assert streams.speed() == 50


def test_an_idle_minute_has_no_speed_and_is_not_slow() -> None:
    streams = Streams()
    streams.speed()
    streams.add("fast", 500, 10)
    for _ in range(int(WINDOW / 15)):
        assert streams.speed() == 50
    assert streams.speed() == 0


def test_there_is_no_speed_before_the_first_stream() -> None:
    streams = Streams()
    assert streams.speed() is None
    streams.add("slow", 40, 10)
    assert streams.speed() is None
    assert streams.speed("slow") == 4


def test_who_scrapes_seldom_gets_the_speed_since_the_last_time() -> None:
    streams = Streams()
    streams.speed()
    streams.add("fast", 500, 10)
    assert streams.speed(after=300) == 50
    assert streams.speed(after=300) == 0


def test_calls_inside_are_those_of_all_workers() -> None:
    workers = GaugeMetricFamily(WORKER_IN_FLIGHT.name, "", labels=["pid"])
    workers.add_metric(["w0"], 3)
    workers.add_metric(["w1"], 4)
    assert [sample.value for sample in in_flight([workers]).samples] == [7]
    assert [sample.value for sample in in_flight([]).samples] == [0]
