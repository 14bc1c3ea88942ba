"""A configuration that changes while calls run: good or bad, in every worker, and nobody is failed by it."""

import signal

import pytest
import requests

from app.core import json
from app.core.json import Json
from tests.gunicorn import CLASSES, Server, gunicorn, until
from tests.metrics.page import page_of
from tests.pressure import without_pause

PROVIDERS = "providers: {simulated: {latency: 0.05, tokens_per_second: 200, words: 5}}\n"
ONE = PROVIDERS + "models: {fast: {targets: [simulated/x]}, one: {targets: [simulated/x]}}\n"
TWO = PROVIDERS + "models: {fast: {targets: [simulated/x]}, two: {targets: [simulated/x]}}\n"
BAD = PROVIDERS + "models: {fast: {targets: [nobody/x]}}\n"


def outcome(server: Server, session: requests.Session) -> object:
    """Of a call on a connection that is kept: its status, or what went wrong."""
    body = {"model": "fast", "messages": [{"role": "user", "content": "Hello"}]}
    try:
        return session.post(server.url + "/v1/chat/completions", json=body, timeout=30).status_code
    except requests.RequestException as error:
        return repr(error)


def hashes(server: Server) -> list[float]:
    """Of the configuration that each worker has built."""
    return sorted(value for _, value in page_of(server).series("config_hash"))


def state(server: Server) -> Json:
    found: Json = json.loads(server.private("/state")[2])
    return found


def ready(server: Server) -> str:
    answer = requests.get(server.url + "/health/ready", timeout=10)
    assert answer.status_code == 200
    return answer.text


def models(server: Server) -> list[str]:
    return [model["id"] for model in requests.get(server.url + "/v1/models", timeout=10).json()["data"]]


@pytest.mark.parametrize("worker_class", CLASSES)
def test_a_change_reaches_every_worker_and_a_bad_one_none(worker_class: str) -> None:
    with gunicorn(ONE, workers=3, worker_class=worker_class) as server:
        until(lambda: len(hashes(server)) == 3, "hash of every worker")
        first = hashes(server)[0]
        with requests.Session() as session, without_pause(*[lambda: outcome(server, session)] * 4) as calls:
            server.config.write_text(TWO)
            until(lambda: first not in hashes(server), "new configuration in every worker")
            second = hashes(server)
            assert len(second) == 3
            assert len(set(second)) == 1

            server.config.write_text(BAD)
            until(lambda: state(server)["config"]["error"], "word about the bad one")
            assert "no such provider" in state(server)["config"]["error"]["message"]
            assert "the file has errors" in ready(server)
            assert hashes(server) == second
            until(lambda: page_of(server).sum("config_last_reload_successful") == 0, "metric of the bad one")

            server.config.write_text(ONE)
            until(lambda: set(hashes(server)) == {first}, "first configuration in every worker")
            assert state(server)["config"]["error"] is None
            assert "the file has errors" not in ready(server)
            until(lambda: page_of(server).sum("config_last_reload_successful") == 1, "metric of the good one")
        assert set(calls) == {200}
        assert server.log().count("is not taken over") == 1


@pytest.mark.parametrize("worker_class", CLASSES)
def test_a_sighup_renews_the_workers_and_fails_no_call_and_a_bad_file_ends_nothing(worker_class: str) -> None:
    with gunicorn(ONE, worker_class=worker_class) as server:
        with requests.Session() as session, without_pause(*[lambda: outcome(server, session)] * 4) as calls:
            for text, seen in ((TWO, lambda: "two" in models(server)), (BAD, lambda: "has errors" in ready(server))):
                old = server.workers()
                server.config.write_text(text)
                server.process.send_signal(signal.SIGHUP)

                def renewed(gone: list[int] = old) -> bool:
                    found = server.workers()
                    return len(found) == 2 and not set(found) & set(gone)

                until(renewed, "two new workers")
                until(seen, "the new configuration, or word about it")
        assert set(calls) == {200}
        assert "two" in models(server)


def test_a_worker_that_comes_later_has_the_configuration_in_force_and_not_the_file() -> None:
    with gunicorn(ONE) as server:
        until(lambda: len(hashes(server)) == 2, "hash of every worker")
        in_force = hashes(server)
        server.config.write_text(BAD)
        until(lambda: state(server)["config"]["error"], "word about the bad one")
        old = server.workers()
        server.process.send_signal(signal.SIGTTIN)
        until(lambda: len(server.workers()) == 3, "third worker")
        until(lambda: len(hashes(server)) == 3, "hash of the third worker")
        assert set(hashes(server)) == set(in_force)
        assert set(old) < set(server.workers())


def test_a_file_that_comes_after_a_start_without_one_is_taken_over() -> None:
    with gunicorn() as server:
        until(lambda: len(hashes(server)) == 2, "hash of every worker")
        built_in = hashes(server)[0]
        server.config.write_text(ONE)
        until(lambda: built_in not in hashes(server), "the file in every worker")
        server.config.unlink()
        until(lambda: state(server)["config"]["error"], "word about the file that is gone")
        assert built_in not in hashes(server)
