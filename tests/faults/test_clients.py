"""What clients do wrong, and clients that leave: rows of the table of faults."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults.table import load
from tests.gunicorn import CLASSES, Server, until
from tests.journeys.house import GUEST, KEY, hashed
from tests.journeys.plainly import CHAT, dial, request, send
from tests.metrics.page import Page, page_of
from tests.soak.scene import gateway, inside, total
from tests.standin import StandIn

DOCUMENT = load().document
REQUESTS: Mapping[str, Mapping[str, Any]] = DOCUMENT["requests"]
MARGIN = 15.0  # seconds that a busy machine may need for what takes one; a silence lasts 30


@dataclass(frozen=True, slots=True)
class Leaving:
    name: str
    row: Mapping[str, Any]
    streamed: bool

    def __str__(self) -> str:
        return self.name


LEAVING = [
    Leaving(f"{name}-{mode[0]}", row, mode == "streamed")
    for name, row in DOCUMENT["leaving"].items()
    for mode in ("plain", "streamed")
    if row.get("only", mode) == mode
]


@dataclass(frozen=True, slots=True)
class House:
    server: Server
    standin: StandIn


@pytest.fixture(scope="module", params=CLASSES)
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    models: dict[str, Any] = {name: {"targets": ["spare/words-5"]} for name in ("fine", "secret")}
    with StandIn() as standin:
        for one in LEAVING:
            others = [one.row["other"]] if "other" in one.row else []
            models[one.name] = {
                "targets": [f"{one.name}/{one.name}/{one.row['provider']}", *others],
                "timeouts": one.row.get("timeouts", {}),
                **one.row.get("settings", {}),
            }
        providers = dict.fromkeys(["spare", *(one.name for one in LEAVING)], standin.port)
        tenants = {
            "team": {"keys": [hashed(KEY)]},
            "guests": {"keys": [hashed(GUEST)], "models": ["fine"]},
        }
        kind, bounds = request.param, {"max_body": 100_000}
        with gateway(providers, models, workers=1, worker_class=kind, tenants=tenants, server=bounds) as server:
            yield House(server, standin)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_bad_request_is_told_what_is_wrong(house: House, name: str) -> None:
    row = REQUESTS[name]
    fine = {"model": "fine", "messages": [{"role": "user", "content": "hi"}]}
    body = {key: value for key, value in {**fine, **row.get("body", {})}.items() if value is not None}
    raw = row["raw"] * row.get("times", 1) if "raw" in row else json.dumps(body)
    method = row.get("method", "POST")
    key = GUEST if name == "other-model" else row.get("key", KEY)
    sent = request(
        method, row.get("path", CHAT), raw.encode() if method == "POST" else None, headers=row.get("headers"), key=key
    )
    answer = send(house.server, sent)
    assert f"{answer.status} {answer.error['code']}" == row["answer"]
    assert answer.headers["content-type"] == "application/json"


def test_bad_requests_are_counted_as_the_clients_own(house: House) -> None:
    """All of the above."""
    wanted = Counter(row["counts"] for row in REQUESTS.values() if "counts" in row)

    def counted() -> Page | None:
        page = page_of(house.server)
        return page if page.sum("requests_total", provider="none") >= wanted.total() else None

    page = until(counted, "every call on the page")
    assert page
    found = page.series("errors_total")
    assert {kind["error_type"]: value for kind, value in found if kind["provider"] == "none" and value} == wanted
    assert page.sum("requests_total", provider="none") == wanted.total()
    assert page.sum("requests_total", provider="none", status="client_error") == wanted.total()


def test_who_leaves_is_noticed_everywhere(house: House) -> None:
    """All rows at once, since one of them waits for a comment that comes after ten seconds."""
    with ThreadPoolExecutor(len(LEAVING)) as pool:
        complaints = {
            str(one): told for one, told in zip(LEAVING, pool.map(lambda one: left(house, one), LEAVING), strict=True)
        }
    assert {name: told for name, told in complaints.items() if told} == {}
    held = total(inside(house.server))
    assert (held["guards"], held["clients watched"], held["places"]) == (0, 0, 0)


def left(house: House, one: Leaving) -> list[str]:
    row = one.row
    body = {"model": one.name, "stream": one.streamed, "messages": [{"role": "user", "content": one.name}]}
    with dial(house.server) as connection:
        connection.sendall(request("POST", CHAT, json.dumps(body).encode(), key=KEY, keep=True))
        house.standin.journal.wait_for(lambda _: len(asked(house, one)) == row["asked"], 20)
        if row.get("waits"):
            until(lambda: errors(house, one), "the failure that is waited after")
        seen = b""
        while "reads" in row and row["reads"].encode() not in seen:
            seen += connection.recv(65536)
        at = go(connection, row.get("how", "close"))
        complaints = list(closed(house, one, at))
    if (found := ends(house, one)) != {"cancelled": 1}:
        complaints.append(f"counted as {found}")
    if (found := errors(house, one)) != ({row["error"]: 1} if "error" in row else {}):
        complaints.append(f"errors {found}")
    if len(asked(house, one)) != row["asked"]:
        complaints.append("somebody was asked after it had left")
    return complaints


def asked(house: House, one: Leaving) -> list[Any]:
    found = house.standin.journal.requests()
    return [each for each in found if each.json and each.json["messages"][0]["content"] == one.name]


def go(connection: socket.socket, how: str) -> float:
    at = time.monotonic()
    if how == "half":
        connection.shutdown(socket.SHUT_WR)
    else:
        if how == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    return at


def closed(house: House, one: Leaving, at: float) -> Iterator[str]:
    """The last call to a provider is closed, soon."""
    if one.row.get("waits"):
        return
    house.standin.journal.wait_for(lambda _: asked(house, one)[-1].outcome == "aborted", 20)
    if (waited := (asked(house, one)[-1].ended or 0.0) - at) > MARGIN:
        yield f"closed upstream only after {waited:.2f} s"


def errors(house: House, one: Leaving) -> dict[str, float]:
    found = page_of(house.server).series("errors_total")
    return {labels["error_type"]: value for labels, value in found if labels["provider"] == one.name and value}


def ends(house: House, one: Leaving) -> dict[str, float]:
    def counted() -> dict[str, float]:
        found = page_of(house.server).series("requests_total")
        return {labels["status"]: value for labels, value in found if labels["model"] == one.name and value}

    return until(counted, f"count of {one.name}")
