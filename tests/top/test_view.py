"""Figures of two readings, and how they are shown."""

import json
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from app.core.errors import Status
from app.metrics.page import Page
from app.metrics.registry import Metrics
from app.top.reading import Reading
from app.top.screen import CLEAR, Screen, as_json
from app.top.view import View, quantile, view

STATE: dict[str, Any] = {
    "since": 0.0,
    "config": {"hash": "0123456789abcdef", "error": None},
    "workers": [{"slot": 0, "pid": 1, "state": "ready"}, {"slot": 1, "pid": 2, "state": "draining"}],
    "providers": {"alpha": {"healthy": True, "breaker": "closed"}, "beta": {"healthy": False, "breaker": "open"}},
}


class Gateway:
    """What a gateway would say that counts in these metrics."""

    def __init__(self) -> None:
        self.now = 0.0
        self.state = STATE
        self.metrics = Metrics()

    def calls(self, times: int, provider: str, status: Status, seconds: float) -> None:
        for _ in range(times):
            self.metrics.requests("fast", provider, status, "false").inc()
            self.metrics.duration("fast", provider, "false").observe(seconds)

    def reading(self) -> Reading:
        registry: CollectorRegistry = self.metrics.registry
        self.now += 2
        return Reading(self.now, self.state, Page(generate_latest(registry).decode()))


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def test_figures_are_of_what_happened_between_the_two_readings(gateway: Gateway) -> None:
    gateway.calls(1000, "alpha", Status.ERROR, 100)
    before = gateway.reading()
    gateway.calls(90, "alpha", Status.SUCCESS, 0.03)
    gateway.calls(10, "alpha", Status.ERROR, 0.3)
    gateway.metrics.cost("fast", "alpha").inc(0.5)
    gateway.metrics.cache_operations("get", "hit").inc(3)
    gateway.metrics.cache_operations("get", "miss").inc(1)
    seen = view(before, gateway.reading())
    assert seen.traffic.calls == 50
    assert seen.traffic.errors == 0.1
    assert seen.traffic.p50 is not None
    assert 0.025 < seen.traffic.p50 < 0.05
    assert seen.traffic.p95 is not None
    assert 0.25 < seen.traffic.p95 < 0.5
    assert seen.usd == 0.5 / 2 * 3600
    assert seen.cache_hits == 0.75
    assert [name for name, _ in seen.models] == ["fast"]


def test_where_nothing_happened_there_are_no_shares_and_no_times(gateway: Gateway) -> None:
    gateway.calls(10, "alpha", Status.SUCCESS, 1)
    before = gateway.reading()
    seen = view(before, gateway.reading())
    assert (seen.traffic.calls, seen.traffic.errors, seen.traffic.p95, seen.cache_hits) == (0, None, None, None)
    assert seen.models == []


def test_counters_that_began_anew_are_no_negative_rates(gateway: Gateway) -> None:
    gateway.calls(10, "alpha", Status.SUCCESS, 1)
    before = gateway.reading()
    gateway.metrics = Metrics()
    gateway.calls(4, "alpha", Status.SUCCESS, 1)
    assert view(before, gateway.reading()).traffic.calls == 2


@pytest.mark.parametrize(("share", "found"), [(0.5, 1.0), (0.25, 0.5), (0.75, 1.5), (0.99, 2.0), (0.0, 0.0)])
def test_a_quantile_lies_within_its_bucket(share: float, found: float) -> None:
    assert quantile({1.0: 50, 2.0: 98, float("inf"): 100}, share) == pytest.approx(found, abs=0.03)


def test_without_observations_there_is_no_quantile() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({1.0: 0, float("inf"): 0}, 0.5) is None


def shown(gateway: Gateway) -> View:
    before = gateway.reading()
    gateway.calls(5, "alpha", Status.SUCCESS, 0.03)
    gateway.calls(5, "beta", Status.ERROR, 20)
    return view(before, gateway.reading())


def test_a_screen_names_providers_models_and_what_is_wrong_with_them(gateway: Gateway) -> None:
    text = "\n".join(Screen(colours=False).lines(shown(gateway)))
    assert "workers: 1 draining, 1 ready" in text
    alpha, beta = (next(line for line in text.splitlines() if line.startswith(name)) for name in ("alpha", "beta"))
    assert alpha.split()[1:3] == ["well", "closed"]
    assert beta.split()[1:3] == ["ill", "open"]
    assert "100.0%" in beta
    assert "\x1b" not in text


def test_a_bad_configuration_is_shown(gateway: Gateway) -> None:
    error = {"message": "1 problem in gateway.yaml:\n  models.fast", "since": 0.0}
    gateway.state = {**STATE, "config": {"hash": "0" * 64, "error": error}}
    text = "\n".join(Screen(colours=False).lines(shown(gateway)))
    assert "the newest configuration is not in force: 1 problem in gateway.yaml:" in text


def test_colours_take_no_room(gateway: Gateway) -> None:
    seen = shown(gateway)
    plain, coloured = Screen(colours=False).lines(seen), Screen(colours=True).lines(seen)
    assert "\x1b[31m" in "".join(coloured)
    for bare, dyed in zip(plain, coloured, strict=True):
        for code in ("\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[0m"):
            dyed = dyed.replace(code, "")  # noqa: PLW2901
        assert dyed == bare


def test_a_screen_fits_into_its_terminal(gateway: Gateway) -> None:
    text = Screen(colours=True).fitted(shown(gateway), 40, 8)
    lines = text.removeprefix(CLEAR).split("\n")
    assert len(lines) == 7
    assert all(len(line) <= 40 for line in lines if "\x1b" not in line)


def test_a_view_is_an_object_for_programs(gateway: Gateway) -> None:
    seen = replace(shown(gateway), version="1.2.3")
    found = json.loads(json.dumps(as_json(seen)))
    assert found["version"] == "1.2.3"
    assert {provider["name"] for provider in found["providers"]} == {"alpha", "beta"}
    assert found["models"][0]["name"] == "fast"
