"""One run of everything: what is well, then every fault at once, then all of it mended; and what was seen of it."""

from __future__ import annotations

import contextlib
import math
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from app import cli
from monitoring.source.files import DASHBOARDS
from tests.gunicorn import Server, gunicorn, until
from tests.monitoring.dashboards import Target, filled, read, targets
from tests.monitoring.house import House, house, west
from tests.monitoring.servers import Json, Prometheus, Series
from tests.monitoring.traffic import LEAVE, PLAIN, STREAM, Flow, Traffic, held

#: Name, cluster, provider: as Prometheus.firing has them.
Alert = tuple[str, str, str]

GOOD = (
    Flow("chat", 0.4),
    Flow("chat", 0.25, STREAM),
    Flow("think", 1, STREAM),
    Flow("silent", 1, STREAM),
    Flow("mangled", 1, STREAM),
    Flow("long", 1, LEAVE),
    Flow("bad", 1),
    Flow("sick", 1),
    Flow("well", 0.2),
    Flow("kept", 0.5, content="always the same"),
    Flow("whole", 0.12, STREAM),
)
BAD = (
    Flow("again", 0.5),
    Flow("over", 0.5),
    Flow("rescued", 1, STREAM),
    Flow("broken", 0.1),
    Flow("unwell", 1.0),
    Flow("cut", 0.5, STREAM),
    Flow("refused", 0.5),
    Flow("limited", 0.25),
    Flow("costly", 0.7, PLAIN, 60_000),
    Flow("drowsy", 1, STREAM),
    Flow("kept", 0.08),
    Flow("chat", 0.25, tenant="busy"),
)

#: Now and then more at once than west takes at a time: some wait for their turn.
CROWD = tuple(Flow("lone", 1.3, tenant="") for _ in range(8))

#: What the faults make fire, each on a provider of its own.
FIFTEEN: Mapping[str, Alert] = {
    name: (name, cluster, provider)
    for name, cluster, provider in (
        ("LLMGatewayProviderUnhealthy", "east", "sick"),
        ("LLMGatewayAllProvidersUnhealthy", "west", ""),
        ("LLMGatewayCircuitBreakerOpen", "east", "broken"),
        ("LLMGatewayHighLatencyP95", "east", "sluggish"),
        ("LLMGatewayHighLatencyP99", "south", "slow"),
        ("LLMGatewayHighTTFT", "south", "tardy"),
        ("LLMGatewayHighErrorRate", "east", "flaky"),
        ("LLMGatewayCriticalErrorRate", "east", "broken"),
        ("LLMGatewayAuthenticationErrors", "east", "refusing"),
        ("LLMGatewayRateLimitErrors", "east", "limiting"),
        ("LLMGatewayHighActiveRequests", "south", "slow"),
        ("LLMGatewayRateLimitHits", "east", ""),
        ("LLMGatewayHighTokenUsage", "east", "costly"),
        ("LLMGatewayLowTokenThroughput", "east", "drowsy"),
        ("LLMGatewayLowCacheHitRate", "east", ""),
    )
}
OWN: Mapping[str, Alert] = {
    name: (name, cluster, provider)
    for name, cluster, provider in (
        ("LLMGatewayInstanceDown", "west", ""),
        ("LLMGatewayDown", "west", ""),
        ("LLMGatewayMetricsAbsent", "stranger", ""),
        ("LLMGatewayProviderErrorRate", "east", "shaky"),
        ("LLMGatewayOwnErrors", "south", ""),
        ("LLMGatewayStreamsBroken", "east", "cutting"),
        ("LLMGatewaySaturated", "south", ""),
        ("LLMGatewayWorkerCrashes", "west", ""),
        ("LLMGatewayMemcachedDown", "east", ""),
        ("LLMGatewayConfigReloadFailed", "west", ""),
        ("LLMGatewayConfigurationsDiffer", "twins", ""),
        ("LLMGatewayErrorBudgetBurn", "east", ""),
        ("LLMGatewayTTFTBudgetBurn", "south", ""),
    )
}
#: Alerts that the run does not cause, and why.
NOT_CAUSED: Mapping[str, str] = {
    "LLMGatewayScrapeSlow": "a scrape of 2 s needs a hundred thousand series",
    "LLMGatewayHealthCheckStale": "its threshold is three minutes, and a housekeeper that stops is replaced",
}

AT_THE_END = ("LLMGatewayInstanceDown", "LLMGatewayDown", "LLMGatewayMemcachedDown")

#: Held back because of something worse.
INHIBITED: frozenset[Alert] = frozenset(
    {
        ("LLMGatewayProviderUnhealthy", "west", "lone"),
        ("LLMGatewayHighErrorRate", "east", "broken"),
        ("LLMGatewayHighLatencyP95", "south", "slow"),
        ("LLMGatewayCircuitBreakerOpen", "east", "broken"),
        ("LLMGatewayInstanceDown", "west", ""),
    }
)

RATE_WINDOW = "10s"
PATIENCE = 180  # seconds until everything has fired, or ended: a quarter of that is usual
_OPEN = "application/openmetrics-text; version=1.0.0"
_PROVIDERS = ("main", "shaky", "broken", "sick", "drowsy")  # whose details are looked at


@dataclass(slots=True)
class Seen:
    """`fired` and `calmed`: seconds since the faults began; `values`: by target, of the provider that had the most."""

    calm: set[Alert] = field(default_factory=set)
    fired: dict[Alert, float] = field(default_factory=dict)
    calmed: dict[Alert, float] = field(default_factory=dict)
    inhibited: set[Alert] = field(default_factory=set)
    rules: list[Json] = field(default_factory=list)
    values: dict[Target, list[Series]] = field(default_factory=dict)
    variables: dict[str, set[str]] = field(default_factory=dict)  # values, by query
    pages: list[tuple[str, str]] = field(default_factory=list)  # what east and south expose, as text and OpenMetrics


def samples(found: list[Series]) -> int:
    return sum(not math.isnan(value) for series in found for _, value in series.values)


def moved(found: list[Series]) -> bool:
    """Some series has had two values, of which nothing (0/0) may be one."""
    return any(len({repr(value) for _, value in one.values}) > 1 for one in found) and samples(found) > 0


def run(directory: Path, report: Path | None = None) -> Seen:
    """With `report`, the dashboards are drawn there as long as Prometheus runs."""
    seen = Seen()
    with house(directory) as all_of_it, Traffic(all_of_it.east.url) as traffic, Traffic(all_of_it.west.url) as crowd:
        began = time.time()
        traffic.begin(*GOOD)
        crowd.begin(*CROWD)
        _wait_for_scrapes(all_of_it.prometheus)
        time.sleep(6)  # what fires without a reason does so within the longest `for`
        seen.calm = all_of_it.prometheus.firing()
        with _watching(all_of_it, seen):
            _break(all_of_it, traffic, seen)
        seen.rules = all_of_it.prometheus.rules()
        seen.pages = [_page(all_of_it.east), _page(all_of_it.south)]
        _look(all_of_it.prometheus, seen, began, time.time())
        _choose(all_of_it.prometheus, seen)
        if report is not None:
            _draw(all_of_it.prometheus, report, time.time() - began)
    return seen


def _wait_for_scrapes(prometheus: Prometheus) -> None:
    def all_are_up() -> bool:
        return len([one for one in prometheus.ask("query", query="up == 1")["result"]]) == 3

    until(all_are_up, "scrape of each gateway")


def _break(house: House, traffic: Traffic, seen: Seen) -> None:
    """Everything at once; then, when all of it is seen, mend it, and wait until all of it is over."""
    expected = {**FIFTEEN, **OWN}
    with contextlib.ExitStack() as holds:
        for count in (20, 130):  # a histogram's first samples are its birth, and no rise
            holds.enter_context(held(house.east.url, "sluggish", count))
            holds.enter_context(held(house.south.url, "tardy", count, stream=True))
            time.sleep(2)
        traffic.begin(*BAD)
        holds.enter_context(held(house.south.url, "slow", 640))  # more than it takes at a time
        house.sick.down()
        house.scrape(wrong=True)
        house.west.config.write_text("providers: {lone: 5}")
        (house.east.run_dir / "metrics" / "counter_w99.db").write_bytes(b"not what it seems")
        _kill_workers(house)
        _until_fired(seen, [alert for name, alert in expected.items() if name not in AT_THE_END])
        house.memcached.kill()
        house.west.stop()
        _until_fired(seen, [expected[name] for name in AT_THE_END])
        traffic.end(*BAD)
    (house.east.run_dir / "metrics" / "counter_w99.db").unlink()
    house.sick.up()
    house.memcached.start()
    house.scrape(wrong=False)
    where = {
        "GATEWAY_BIND": urlsplit(house.west.url).netloc,
        "GATEWAY_METRICS_BIND": urlsplit(house.west.metrics_url).netloc,
    }
    with gunicorn(west(house.sick.port), environment=where):
        _until(lambda: set(expected.values()) & set(seen.fired) <= set(seen.calmed), PATIENCE)


def _until_fired(seen: Seen, alerts: Collection[Alert]) -> None:
    _until(lambda: set(alerts) <= set(seen.fired), PATIENCE)


def _until(whole: Callable[[], bool], patience: float) -> None:
    """Or until the time is over: which alerts were missed is for the tests to say."""
    with contextlib.suppress(AssertionError):
        until(whole, "alerts", patience)


def _kill_workers(house: House) -> None:
    for _ in range(4):
        os.kill(until(house.west.workers, "a worker")[0], signal.SIGKILL)
        time.sleep(0.5)  # for the master to notice


@contextlib.contextmanager
def _watching(house: House, seen: Seen) -> Iterator[None]:
    """Look twice a second."""
    done = threading.Event()
    began = time.monotonic()

    def look() -> None:
        while not done.wait(0.5):
            firing = house.prometheus.firing()
            now = time.monotonic() - began
            for alert in firing:
                seen.fired.setdefault(alert, now)
                seen.calmed.pop(alert, None)
            for alert in set(seen.fired) - firing:
                seen.calmed.setdefault(alert, now)
            seen.inhibited |= house.alertmanager.inhibited()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(30)


def _look(prometheus: Prometheus, seen: Seen, start: float, end: float) -> None:
    for target in targets():
        for provider in _PROVIDERS if '="$provider"' in target.expr else ("main",):
            expr = filled(target.expr, window=RATE_WINDOW, span="60s", provider=provider)
            found = prometheus.range(expr, start, end, 1)
            best = seen.values.get(target, [])
            if (moved(found), samples(found)) > (moved(best), samples(best)):
                seen.values[target] = found


def _page(server: Server) -> tuple[str, str]:
    texts = [server.private("/metrics", {"Accept": accept})[2] for accept in ("text/plain", _OPEN)]
    return texts[0].decode(), texts[1].decode()


def _choose(prometheus: Prometheus, seen: Seen) -> None:
    """What Grafana would offer in each drop-down."""
    for name in DASHBOARDS:
        for variable in read(name)["templating"]["list"]:
            query = re.fullmatch(r"label_values\((.*), (\w+)\)", str(variable["query"]))
            if query is not None:
                match = filled(query[1], window=RATE_WINDOW, span="60s", provider="main")
                found = {series.get(query[2], "") for series in prometheus.series(match)}
                seen.variables[variable["query"]] = found - {""}


def _draw(prometheus: Prometheus, report: Path, seconds: float) -> None:
    times = ["--range", f"{seconds:.0f}s", "--scrape-interval", "2s"]
    assert cli.main(["report", "--prometheus", prometheus.url, "--output", str(report), *times]) == 0
