"""When whom is asked, with a clock that stands still and providers that do not."""

import select
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from app.core.provider import Provider
from app.health import probe
from app.health.prober import Prober, Probes
from app.health.verdict import Result
from app.providers import registry
from tests.clock import ManualClock
from tests.gunicorn import until
from tests.standin import StandIn, closed_port

TIMEOUT, INTERVAL = 4.0, 10.0


class Scene:
    def __init__(self, chance: float = 0.5) -> None:
        self.clock = ManualClock()
        self.chance = chance
        self.prober = Prober(self.clock, select.poll, chance=lambda: self.chance)

    def adopt(self, *providers: Provider, interval: float = INTERVAL) -> None:
        asked = [(provider, registry.model_list_url(provider) or "") for provider in providers]
        self.prober.adopt(asked, interval, TIMEOUT)

    def after(self, seconds: float) -> None:
        """Let time pass, in steps as the prober itself takes them."""
        ends_at = self.clock.now + seconds
        while self.clock.now < ends_at:
            self.clock.now = min(ends_at, self.clock.now + 0.25)
            self.prober.look()

    def round(self, *names: str, count: int) -> list[Probes]:
        """One interval. The clock waits where providers are asked, or all of them would be late."""
        self.after(1.0)
        found = [self.found(name, count) for name in names]
        self.after(INTERVAL - 1.0)
        return found

    def found(self, name: str, count: int) -> Probes:
        """What is known of a provider once so many probes are."""
        found = until(lambda: self._found(name, count), f"{count} probes of {name}")
        assert found is not None
        return found

    def _found(self, name: str, count: int) -> Probes | None:
        found = self.prober.found()[name]
        assert sum(found.counts.values()) <= count
        return found if sum(found.counts.values()) == count else None


def provider(name: str, url: str, **more: Any) -> Provider:
    return registry.build(name, "compatible", base_url=f"{url}/v1", key="sk-upstream-0123456789", **more)


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as server:
        yield server


def test_a_provider_is_asked_once_an_interval(scene: Scene, standin: StandIn) -> None:
    scene.adopt(provider("a", standin.url))
    for count in (1, 2, 3):
        (found,) = scene.round("a", count=count)
        assert (found.failed_in_a_row, found.counts[Result.SUCCESS]) == (0, count)
    assert {(one.method, one.target) for one in standin.journal.requests()} == {("GET", "/v1/models")}
    assert len(standin.journal.requests()) == 3


@pytest.mark.parametrize(("chance", "first", "then"), [(0.0, 0.0, 9.0), (0.5, 0.5, 10.0), (1.0, 1.0, 11.0)])
def test_no_two_gateways_ask_in_step(standin: StandIn, chance: float, first: float, then: float) -> None:
    scene = Scene(chance)
    scene.adopt(provider("a", standin.url))
    scene.clock.now += first
    scene.prober.look()
    scene.found("a", 1)
    scene.clock.now += then - 0.01
    scene.prober.look()
    scene.found("a", 1)
    scene.clock.now += 0.02
    scene.prober.look()
    scene.found("a", 2)


def test_failures_are_counted_in_a_row_until_one_succeeds(
    scene: Scene, standin: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    standin.script("fault-500", times=1)
    standin.script("fault-529", times=1)
    standin.script("fault-key-401", times=1)
    scene.adopt(provider("a", standin.url))
    for count, result, status in (
        (1, Result.SERVER_ERROR, 500),
        (2, Result.OVERLOADED, 529),
        (3, Result.AUTHENTICATION, 401),
    ):
        (found,) = scene.round("a", count=count)
        assert (found.failed_in_a_row, found.last) == (count, probe.Finding(result, status))
    (found,) = scene.round("a", count=4)
    assert found.failed_in_a_row == 0
    told = [record.message for record in caplog.records]
    assert told == [
        "provider a fails its health checks: overloaded",
        "provider a answers its health checks again",
    ]


@pytest.mark.parametrize("behaviour", ["fault-hang", "fault-headonly-hang", "drip-1000"])
def test_one_that_hangs_delays_no_other_and_is_given_up_in_time(scene: Scene, standin: StandIn, behaviour: str) -> None:
    with StandIn() as hanging:
        hanging.script(behaviour, times=None)
        scene.adopt(provider("hangs", hanging.url), provider("lives", standin.url), interval=1.0)
        for count in (1, 2, 3):
            scene.after(1.0)
            scene.found("lives", count)
        hanging.journal.wait(1)
        scene.found("hangs", 0)
        scene.after(TIMEOUT - 2.5)
        assert scene.found("hangs", 1).counts[Result.TIMEOUT] == 1
        hanging.journal.wait(1, outcome="aborted")


def test_a_refused_connection_and_one_that_breaks_are_failures(scene: Scene, standin: StandIn) -> None:
    standin.script("fault-reset", times=None)
    with closed_port() as port:
        scene.adopt(provider("closed", f"http://127.0.0.1:{port}"), provider("breaks", standin.url))
        for found in scene.round("closed", "breaks", count=1):
            assert found.counts[Result.CONNECTION] == 1


def test_a_name_that_is_looked_up_for_ever_counts_as_a_timeout_each_interval(
    scene: Scene, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing wakes a thread in there, so that no second one must follow it."""
    answered, entered = threading.Event(), threading.Semaphore(0)
    real = socket.getaddrinfo

    def never(host: Any, *more: Any, **named: Any) -> Any:
        if host == "slow.example":
            entered.release()
            answered.wait(60)
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return real(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", never)
    try:
        scene.adopt(provider("slow", "http://slow.example"), provider("lives", standin.url))
        for count in (1, 2):
            scene.round("lives", count=count)
            assert scene.found("slow", count).counts[Result.TIMEOUT] == count
        assert entered.acquire(timeout=10)
        assert not entered.acquire(blocking=False)
    finally:
        answered.set()
    until(lambda: not any("probe slow" in thread.name for thread in threading.enumerate()), "end of the thread")
    (found,) = scene.round("slow", count=3)
    assert found.counts[Result.CONNECTION] == 1


def test_what_is_known_lasts_as_long_as_the_configuration(scene: Scene, standin: StandIn) -> None:
    standin.script("fault-500", times=2)
    scene.adopt(provider("a", standin.url), provider("b", standin.url))
    assert [found.failed_in_a_row for found in scene.round("a", "b", count=1)] == [1, 1]
    scene.adopt(provider("a", standin.url), provider("b", standin.url, headers={"x-other": "key"}))
    assert [scene.found("a", 1).failed_in_a_row, scene.found("b", 0).failed_in_a_row] == [1, 0]
    scene.adopt(provider("b", standin.url, headers={"x-other": "key"}))
    assert list(scene.prober.found()) == ["b"]
    scene.round("b", count=1)
    assert len(standin.journal.requests()) == 3
    assert standin.journal.last.header("x-other") == "key"


def test_a_shorter_interval_does_not_wait_for_the_longer_one(scene: Scene, standin: StandIn) -> None:
    scene.adopt(provider("a", standin.url), interval=3600.0)
    scene.after(1.0)
    scene.found("a", 1)
    scene.adopt(provider("a", standin.url), interval=2.0)
    scene.after(2.0)
    scene.found("a", 2)


def test_a_probe_that_ends_after_its_provider_is_gone_says_nothing(
    scene: Scene, standin: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    standin.script("fault-500", times=1)
    standin.script("held-fault-500", times=1)
    scene.adopt(provider("a", standin.url))
    scene.round("a", count=1)
    scene.after(1.0)
    standin.journal.wait(2)
    scene.adopt()
    standin.release("")
    until(lambda: not any("probe a" in thread.name for thread in threading.enumerate()), "end of the thread")
    assert scene.prober.found() == {}
    assert not caplog.records


def test_a_mistake_of_ours_says_nothing_of_the_provider_and_does_not_end_its_probes(
    scene: Scene, standin: StandIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("app.health.probe.verdict.of_answer", lambda *_: 1 / 0)
        scene.adopt(provider("a", standin.url))
        scene.after(1.0)
        until(lambda: "probing provider a failed" in caplog.text, "line in the log")
        until(lambda: not any("probe a" in thread.name for thread in threading.enumerate()), "end of the thread")
    scene.found("a", 0)
    scene.after(INTERVAL - 1.0)
    scene.round("a", count=1)


def test_a_list_that_is_too_long_is_not_read_to_its_end(scene: Scene, standin: StandIn) -> None:
    standin.script("fault-huge-32", times=None)
    scene.adopt(provider("a", standin.url))
    scene.after(1.0)
    assert scene.found("a", 1).counts[Result.SUCCESS] == 1
    (request,) = standin.journal.wait(1, outcome="aborted")
    assert request.bytes_sent < 32 << 20


def test_its_own_thread_asks_until_it_is_stopped(standin: StandIn) -> None:
    prober = Prober(ManualClock(), select.poll, chance=lambda: 0.0)
    one = provider("a", standin.url)
    prober.adopt([(one, f"{one.base_url}/models")], 60.0, 5.0)
    prober.start()
    standin.journal.wait(1, outcome="complete")
    prober.stop()
    until(lambda: not any(thread.name == "probes" for thread in threading.enumerate()), "end of the thread")
