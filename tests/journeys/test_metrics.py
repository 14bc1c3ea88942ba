"""What the metrics say is what clients saw: a mixed run over two workers, every kind of ending in it."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from tests.gunicorn import CLASSES, Server, gunicorn, until
from tests.journeys.house import COUNTED, GUEST, KEY, configuration
from tests.journeys.plainly import CHAT, MESSAGES, RESPONSES, call
from tests.metrics.page import Page
from tests.standin import StandIn

FAULTS = ("fault-500", "fault-429", "fault-401", "fault-reset", "fault-badjson", "fault-529")
STREAM_FAULTS = ("fault-errormid-3", "fault-cut-3", "fault-errorfirst", "fault-noevents")

Ending = tuple[str, str, str]  # provider, status, streaming: labels of requests_total


@dataclass
class Seen:
    """By the clients, in words of the metrics."""

    endings: Counter[Ending] = field(default_factory=Counter)
    with_content: int = 0  # streams that showed any
    output: Counter[str] = field(default_factory=Counter)  # tokens, by provider, as told to clients


def own(upstream: str, fault: str, how: str) -> str:
    """The provider of this fault: each has its own, so that no breaker and no quarantine is in the way of another."""
    return f"{upstream}-{fault.removeprefix('fault-')}-{how}"


PLANNED = [
    (own(upstream, fault, how), "")
    for upstream in ("up", "claude")
    for how, faults in (("plain", FAULTS), ("stream", (*FAULTS, *STREAM_FAULTS)))
    for fault in faults
]


class Run:
    """Calls of every kind against one server, all at once."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._pool = ThreadPoolExecutor(8)

    def all(self) -> Seen:
        with self._pool:
            seen = Seen()
            for ending, content, output in [future.result() for future in list(self._begun())]:
                if ending is not None:
                    seen.endings[ending] += 1
                    seen.with_content += content
                    seen.output[ending[0]] += output
            return seen

    def _begun(self) -> Iterator[Any]:
        submit = self._pool.submit
        for n in range(6):
            for path in (CHAT, MESSAGES, RESPONSES):
                for upstream in ("up", "claude", "simulated", "open"):
                    for stream in (False, True):
                        yield submit(self._call, f"{upstream}/words-{n + 2}", path, stream=stream)
        for path, more in (
            ("/v1/completions", {"prompt": "x"}),
            ("/v1/embeddings", {"input": "x"}),
            ("/v1/moderations", {"input": "x"}),
        ):
            yield submit(self._call, "up/words-3", path, **more)
        for name, upstream, fault, how in self._faults():
            path = CHAT if fault < "fault-5" else MESSAGES
            yield submit(self._call, f"{name}/{fault}", path, expected="error", stream=how == "stream")
            yield submit(self._call, f"{upstream}/fault-400", path, expected="client_error", stream=how == "stream")
        for stream in (False, True):
            yield submit(self._call, "nothing", CHAT, expected="client_error", who="none", stream=stream)
            yield submit(self._call, "other", CHAT, GUEST, expected="client_error", who="none", stream=stream)
        yield submit(self._call, "simulated", CHAT, "wrong key", expected="client_error", who="none")
        yield submit(self._call, "simulated", CHAT, expected="client_error", who="none", messages="none")
        for name in ("up-left", "claude-left"):
            yield submit(self._leave, name)
        for path in (f"{MESSAGES}/count_tokens", "/v1/models", "/health"):
            yield submit(self._uncounted, path)

    def _faults(self) -> Iterator[tuple[str, str, str, str]]:
        for upstream in ("up", "claude"):
            for how, faults in (("plain", FAULTS), ("stream", (*FAULTS, *STREAM_FAULTS))):
                for fault in faults:
                    yield own(upstream, fault, how), upstream, fault, how

    def _post(self, path: str, body: bytes, key: str = KEY, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        return requests.post(self._server.url + path, data=body, headers=headers, timeout=30, **more)

    def _call(
        self,
        model: str,
        path: str,
        key: str = KEY,
        *,
        expected: str = "success",
        who: str | None = None,
        **more: Any,
    ) -> tuple[Ending, bool, int]:
        stream = more.get("stream", False)
        if stream and path == CHAT:
            more["stream_options"] = {"include_usage": True}
        answer = self._post(path, call(model, path=path, **more), key)
        content, output = told(answer, stream)
        status = judged(answer)
        assert status == expected, (model, path, more, answer.status_code, answer.text)
        return (who or model.partition("/")[0], status, str(stream).lower()), content and stream, output

    def _leave(self, name: str) -> tuple[Ending, bool, int]:
        """After the third word."""
        answer = self._post(CHAT, call(f"{name}/words-9-hold-3", stream=True), stream=True)
        with answer:
            read = b""
            for piece in answer.iter_content(None):
                read += piece
                if "世界2".encode() in read:
                    break
        return (name, "cancelled", "true"), True, 0  # what such a call costs is an estimate

    def _uncounted(self, path: str) -> tuple[None, bool, int]:
        if "count" in path:
            assert self._post(path, call("claude/plain", path=MESSAGES)).status_code == 200
        else:
            headers = {"Authorization": f"Bearer {KEY}"}
            assert requests.get(self._server.url + path, headers=headers, timeout=30).status_code == 200
        return None, False, 0


def judged(answer: requests.Response) -> str:
    """What a client would call this ending."""
    if answer.status_code >= 500 or answer.status_code == 429 or (answer.ok and '"error":{' in answer.text):
        return "error"
    return "success" if answer.ok else "client_error"


def told(answer: requests.Response, stream: bool) -> tuple[bool, int]:
    """Whether there was content, and the output tokens that the answer names."""
    events = [line[6:] for line in answer.text.splitlines() if line.startswith("data: {")]
    bodies = [json.loads(event) for event in (events if stream else [answer.text])]
    usages = [body.get("usage") or (body.get("response") or {}).get("usage") or {} for body in bodies]
    output = [usage.get("completion_tokens") or usage.get("output_tokens") or 0 for usage in usages]
    return "alpha0" in answer.text or '"This ' in answer.text, max(output, default=0)


@pytest.fixture(scope="module", params=CLASSES)
def server(request: pytest.FixtureRequest, provider: StandIn) -> Iterator[Server]:
    with gunicorn(
        configuration(provider, others=[*PLANNED, *COUNTED, ("open", "")]), worker_class=request.param
    ) as server:
        yield server


def page_of(server: Server) -> Page:
    answer = requests.get(f"{server.url}/metrics", timeout=10)
    answer.raise_for_status()  # an OSError, which `until` waits for: the housekeeper may only just have begun
    return Page(answer.text)


def endings(page: Page) -> Counter[Ending]:
    found: Counter[Ending] = Counter()
    for labels, value in page.series("requests_total"):
        if value:
            found[labels["provider"], labels["status"], labels["streaming"]] += int(value)
    return found


def test_the_metrics_are_what_the_clients_saw(server: Server, provider: StandIn) -> None:
    provider.journal.clear()
    seen = Run(server).all()
    assert seen.endings.total() > 140

    timed = sum(count for (_, status, _), count in seen.endings.items() if status in ("success", "error"))

    def settled() -> bool:
        page = page_of(server)
        told = (endings(page).total(), page.sum("request_duration_seconds_count"), page.sum("active_requests"))
        return told == (seen.endings.total(), timed, 0)

    with contextlib.suppress(AssertionError):  # what is wrong is told better below
        until(settled, "all calls on the page")
    page = page_of(server)
    assert endings(page) == seen.endings
    assert page.sum("request_duration_seconds_count") == timed
    assert page.sum("ttft_seconds_count") == seen.with_content
    assert {value for _, value in page.series("active_requests")} == {0}

    for name, output in seen.output.items():
        if output > 0:
            assert page.sum("tokens_total", provider=name, type="output") == output

    failed = Counter(
        f"{'claude' if one.path == MESSAGES else 'up'}-{one.model.removeprefix('fault-')}"
        for one in provider.journal.requests()
        if one.model.startswith("fault-") and one.model != "fault-400"
    )
    for name, attempts in failed.items():
        assert (
            page.sum("errors_total", provider=f"{name}-plain") + page.sum("errors_total", provider=f"{name}-stream")
            == attempts
        )
    ours = {
        labels["error_type"]: value for labels, value in page.series("errors_total") if labels["provider"] == "none"
    }
    assert {name: value for name, value in ours.items() if value} == {
        "client_authentication": 1,
        "invalid_request": 1,
        "model_not_found": 2,
        "permission": 2,
    }
    for upstream in ("up", "claude"):
        refused = page.sum("errors_total", provider=upstream, error_type="invalid_request")
        assert refused == page.sum("errors_total", provider=upstream) == len(FAULTS) * 2 + len(STREAM_FAULTS)
