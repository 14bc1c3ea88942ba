"""Keys, secrets and providers that change while calls run: every worker follows, and no call is failed by it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from app.core import json
from tests.gunicorn import CLASSES, Server, gunicorn, until
from tests.journeys.house import hashed
from tests.journeys.plainly import CHAT, call
from tests.metrics.page import page_of
from tests.pressure import without_pause
from tests.standin import StandIn

STAYS, REVOKED, LATER, EXPIRED = "sk-gw-stays", "sk-gw-revoked", "sk-gw-later", "sk-gw-expired"
WORKERS = 3


def text(provider: StandIn, secret: Path, *keys: str) -> str:
    expired = f'{{hash: "{hashed(EXPIRED)}", expires: "2020-01-01T00:00:00Z"}}'
    return f"""
providers:
  up: {{kind: compatible, base_url: "{provider.url}/v1", api_key_file: "{secret}", models: ["*"]}}
tenants:
  team: {{keys: [{", ".join(f'"{hashed(key)}"' for key in keys)}, {expired}]}}
"""


class House:
    """A server of three workers whose file and secret may change."""

    def __init__(self, server: Server, provider: StandIn, secret: Path) -> None:
        self.server = server
        self.provider = provider
        self.secret = secret

    def status(self, key: str, model: str = "up/words-1", **more: Any) -> int:
        """Of one call, over a connection of its own."""
        return self.ask(key, model, **more).status_code

    def ask(self, key: str, model: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        return requests.post(
            self.server.url + CHAT, data=call(model, **more), headers=headers, timeout=30, stream=bool(more)
        )

    def published(self) -> str:
        """The hash of the configuration in force."""
        found: str = json.loads(self.server.private("/state")[2])["config"]["hash"]
        return found

    def change(self, act: Callable[[], object]) -> float:
        """Do it, and wait until all workers have what it made: seconds that it took."""
        before = self.published()
        began = time.monotonic()
        act()
        hash_ = until(lambda: (found := self.published()) != before and found, "another configuration")
        expected = [float(int(str(hash_)[:12], 16))] * WORKERS
        until(
            lambda: [value for _, value in page_of(self.server).series("config_hash")] == expected,
            "the change in every worker",
        )
        return time.monotonic() - began


@pytest.fixture(scope="module", params=CLASSES)
def house(
    request: pytest.FixtureRequest, provider: StandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    secret = tmp_path_factory.mktemp("secrets") / "key"
    secret.write_text("provider-key-one")
    with gunicorn(text(provider, secret, STAYS, REVOKED), workers=WORKERS, worker_class=request.param) as server:
        yield House(server, provider, secret)


@pytest.fixture(autouse=True)
def as_it_began(house: House) -> None:
    """One change after another, each of them one."""
    if house.secret.read_text() != "provider-key-one":
        house.change(lambda: house.secret.write_text("provider-key-one"))
    began = text(house.provider, house.secret, STAYS, REVOKED)
    if house.server.config.read_text() != began:
        house.change(lambda: house.server.config.write_text(began))


def test_an_expired_key_is_refused_though_it_stands_in_the_file(house: House) -> None:
    assert house.status(EXPIRED) == 401


def test_a_secret_that_is_gone_or_empty_keeps_the_last_one_and_is_said(house: House) -> None:
    for spoil in (lambda: house.secret.write_text(""), house.secret.unlink):
        spoil()
        until(lambda: "configuration" in _ready(house), "word about the secret")
        assert house.status(STAYS) == 200
        house.secret.write_text("provider-key-one")
        until(lambda: "configuration" not in _ready(house), "end of the trouble")


def test_a_provider_that_moves_is_followed_and_the_old_place_left(house: House) -> None:
    with StandIn() as elsewhere, without_pause(lambda: house.status(STAYS)) as calls:
        before = house.server.config.read_text()
        took = house.change(lambda: house.server.config.write_text(before.replace(house.provider.url, elsewhere.url)))
        print(f"moved in every worker after {took:.1f} s")
        model = f"moved-{house.server.run_dir.parent.name}/words-1"
        assert {house.status(STAYS, f"up/{model}") for _ in range(15)} == {200}
        assert len(elsewhere.journal.requests(model=model)) == 15
        assert house.provider.journal.requests(model=model) == []
        house.change(lambda: house.server.config.write_text(before))
    assert set(calls) == {200}


def test_a_secret_that_rotates_in_its_file_is_used_by_every_worker(house: House) -> None:
    with without_pause(lambda: house.status(STAYS)) as calls:
        took = house.change(lambda: house.secret.write_text("provider-key-two\n"))
        print(f"rotated in every worker after {took:.1f} s")
        model = f"rotated-{house.server.run_dir.parent.name}/words-1"
        assert {house.status(STAYS, f"up/{model}") for _ in range(30)} == {200}
        sent = {one.header("authorization") for one in house.provider.journal.requests(model=model)}
        assert sent == {"Bearer provider-key-two"}
    assert set(calls) == {200}


def test_a_revoked_key_is_refused_everywhere_and_its_stream_in_flight_goes_on(house: House) -> None:
    model = f"words-4-hold-2-{house.server.run_dir.parent.name}/words-4-hold-2"
    with house.ask(REVOKED, f"up/{model}", stream=True) as stream, without_pause(lambda: house.status(STAYS)) as calls:
        house.provider.journal.wait(model=model)
        took = house.change(lambda: house.server.config.write_text(text(house.provider, house.secret, STAYS, LATER)))
        print(f"revoked in every worker after {took:.1f} s")
        assert {house.status(REVOKED) for _ in range(30)} == {401}
        assert {house.status(LATER) for _ in range(10)} == {200}
        house.provider.release(model)
        assert stream.text.endswith("data: [DONE]\n\n")
    assert set(calls) == {200}


def _ready(house: House) -> str:
    answer = requests.get(house.server.url + "/health/ready", timeout=10)
    assert answer.status_code == 200
    assert json.loads(answer.content)
    return answer.text
