"""Free probes by the real housekeeper: what they ask, what they find, and who is left in peace."""

from collections.abc import Iterator

import pytest

from app.metrics.catalogue import PREFIX
from tests.gunicorn import Server, gunicorn, until
from tests.health.house import KEY, OFTEN, checks, gauges, health
from tests.metrics.page import page_of
from tests.standin import StandIn, make_authority


def configured(a: StandIn, b: StandIn, *, of_b: str = "", often: str = OFTEN) -> str:
    return f"""
{often}
providers:
  a: {{kind: compatible, base_url: "{a.url}/v1", api_key: {KEY}}}
  b: {{kind: compatible, base_url: "{b.url}/v1", api_key: {KEY}{of_b}}}
  simulated: {{}}
models: {{x: {{targets: [a/x, b/x]}}, z: {{targets: [simulated/z]}}}}
"""


@pytest.fixture
def a() -> Iterator[StandIn]:
    with StandIn() as standin:
        yield standin


@pytest.fixture
def b() -> Iterator[StandIn]:
    with StandIn() as standin:
        yield standin


@pytest.fixture
def server(a: StandIn, b: StandIn) -> Iterator[Server]:
    with gunicorn(configured(a, b), workers=1) as running:
        yield running


def test_a_provider_that_goes_down_is_unwell_after_two_probes_and_well_again_when_it_is_up(
    server: Server, a: StandIn
) -> None:
    until(lambda: gauges(server, "provider_health") == {"a": 1, "b": 1, "simulated": 1}, "three that are well")
    a.down()
    until(lambda: gauges(server, "provider_health") == {"a": 0, "b": 1, "simulated": 1}, "one that is down")
    assert checks(server, "a")["connection"] >= 2
    assert health(server, "a")["probe"]["result"] == "connection"
    seen = len(a.journal.requests())
    a.up()
    a.journal.wait(seen + 1)
    until(lambda: gauges(server, "provider_health")["a"] == 1, "that it is well again")
    assert health(server, "a")["probe"]["failed_in_a_row"] == 0
    assert server.log().count("provider a fails its health checks: connection") == 1


def test_one_failure_alone_says_nothing(server: Server, a: StandIn) -> None:
    a.journal.wait(1)
    a.script("fault-500", times=1)
    until(lambda: checks(server, "a").get("server_error") == 1 and checks(server, "a")["success"] >= 2, "a success")
    assert "fails its health checks" not in server.log()
    assert gauges(server, "provider_health")["a"] == 1


def test_one_that_hangs_delays_no_other(server: Server, a: StandIn, b: StandIn) -> None:
    a.script("fault-hang", times=None)
    a.journal.wait(1, behaviour="fault-hang", outcome="open")
    seen = len(b.journal.requests())
    b.journal.wait_for(lambda journal: len(journal.requests()) >= seen + 5)
    a.journal.wait(2, behaviour="fault-hang", outcome="aborted")
    until(lambda: gauges(server, "provider_health") == {"a": 0, "b": 1, "simulated": 1}, "one that hangs")
    assert checks(server, "a")["timeout"] >= 2
    assert set(checks(server, "b")) == {"success"}


def test_a_key_that_is_refused_is_no_health(server: Server, a: StandIn) -> None:
    a.script("fault-key-401", times=None)
    until(lambda: gauges(server, "provider_health")["a"] == 0, "that it is unwell")
    found = health(server, "a")
    assert (found["probe"]["result"], found["probe"]["status"], found["quarantine"]) == ("authentication", 401, 0)
    assert gauges(server, "circuit_breaker_state")["a"] == 0


def test_probes_cost_nothing_and_carry_what_calls_carry(a: StandIn) -> None:
    config = f"""
providers:
  open: {{kind: compatible, base_url: "{a.url}/open/v1", api_key: {KEY}, headers: {{X-Team: search}}}}
  claude: {{kind: anthropic, base_url: "{a.url}", api_key: {KEY}}}
  azure: {{kind: azure, base_url: "{a.url}/azure", api_key: {KEY}, api_version: "2024-10-21"}}
  through: {{kind: compatible, base_url: "http://provider.invalid/v1", api_key: {KEY}, proxy: "{a.url}"}}
models: {{x: {{targets: [open/x, claude/x, azure/x, through/x]}}}}
"""
    with gunicorn(OFTEN + config, workers=1) as server:
        for path in ("/open/v1/models", "/v1/models", "/azure/openai/models"):
            a.journal.wait(2, path=path)
        until(lambda: all("success" in checks(server, name) for name in ("open", "claude", "through")), "successes")
    asked = {one.target: one for one in a.journal.requests()}
    assert {(one.method, one.body) for one in a.journal.requests()} == {("GET", b"")}
    assert set(asked) == {
        "/open/v1/models",
        "/v1/models",
        "/azure/openai/models?api-version=2024-10-21",
        "http://provider.invalid/v1/models",
    }
    assert asked["/open/v1/models"].header("authorization") == f"Bearer {KEY}"
    assert asked["/open/v1/models"].header("x-team") == "search"
    assert asked["/v1/models"].header("x-api-key") == KEY
    assert asked["/v1/models"].header("anthropic-version")
    assert asked["/azure/openai/models?api-version=2024-10-21"].header("api-key") == KEY


def test_a_probe_trusts_whom_a_call_trusts(tmp_path_factory: pytest.TempPathFactory) -> None:
    authority = make_authority(tmp_path_factory.mktemp("authority"))
    with StandIn(tls=authority.context()) as a:
        config = f"""
providers:
  trusting: {{kind: compatible, base_url: "{a.url}/v1", ca_file: "{authority.ca_file}"}}
  careful: {{kind: compatible, base_url: "{a.url}/v1"}}
models: {{x: {{targets: [trusting/x, careful/x]}}}}
"""
        with gunicorn(OFTEN + config, workers=1) as server:
            until(lambda: gauges(server, "provider_health") == {"trusting": 1, "careful": 0}, "one of them well")
            assert set(checks(server, "careful")) == {"connection"}


def test_who_shall_not_be_asked_is_not(a: StandIn, b: StandIn) -> None:
    with gunicorn(configured(a, b, of_b=", probe: false"), workers=1) as server:
        a.journal.wait(3)
        assert not b.journal.connections()
        assert health(server, "b") == {"healthy": True, "breaker": "closed", "quarantine": 0, "probe": None}
        assert health(server, "simulated")["probe"] is None
        labels = [labels["provider"] for labels, _ in page_of(server).series("provider_health_checks_total")]
        assert set(labels) == {"a"}
        stamped = gauges(server, "provider_health_last_check_timestamp_seconds")
        assert list(stamped) == ["a"]

        server.config.write_text(configured(a, b, often="health: {probe: false}"))
        until(lambda: health(server, "a")["probe"] is None, "end of the probes")
        seen = len(a.journal.requests())
        server.config.write_text(configured(a, b))
        b.journal.wait(1)
        a.journal.wait(seen + 1)


def test_a_provider_that_is_removed_disappears(server: Server, a: StandIn, b: StandIn) -> None:
    b.down()
    until(lambda: gauges(server, "provider_health").get("b") == 0, "that it is down")
    config = [line for line in configured(a, b).splitlines() if not line.startswith("  b:")]
    server.config.write_text("\n".join(config).replace("[a/x, b/x]", "[a/x]"))
    until(lambda: "b" not in gauges(server, "provider_health"), "that it is gone")
    b.up()
    body = server.private("/metrics")[2].decode()
    for name in ("provider_health", "circuit_breaker_state", "provider_health_checks_total"):
        assert f'{PREFIX}{name}{{provider="a"' in body
        assert f'{PREFIX}{name}{{provider="b"' not in body
    assert not health(server, "b")
    seen = len(a.journal.requests())
    a.journal.wait(seen + 3)
    assert not [one for one in b.journal.connections() if one.opened > a.journal.requests()[seen].at]


def test_the_next_housekeeper_goes_on(server: Server, a: StandIn) -> None:
    a.journal.wait(1)
    (keeper,) = [process for process in server.family() if "app.housekeeper" in process.cmdline()]
    keeper.kill()
    keeper.wait()
    seen = len(a.journal.requests())
    a.journal.wait(seen + 2)
    until(lambda: checks(server, "a"), "probes of the next one")


def test_nobody_is_told_keys_or_addresses(server: Server, a: StandIn) -> None:
    a.script("fault-key-401", times=None)
    until(lambda: health(server, "a")["healthy"] is False, "that it is unwell")
    told = [server.private(path)[2].decode() for path in ("/state", "/health/providers", "/metrics")]
    for text in (*told, server.log()):
        assert KEY not in text
    for text in told[1:]:
        assert f":{a.port}" not in text
