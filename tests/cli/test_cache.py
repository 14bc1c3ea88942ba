"""`llm-gateway cache flush`, against a real memcached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.clock import SystemClock
from app.store.memcached import Memcached as Store
from tests.cache.given import SECRET, Clock, Worker, asks, plain
from tests.cli.test_commands import command
from tests.memcached import Memcached, memcached

HASH = "sha256:" + "ab" * 32


@pytest.fixture(scope="module")
def server() -> Iterator[Memcached]:
    with memcached() as server:
        yield server


@pytest.fixture
def here(server: Memcached, tmp_path: Path) -> Path:
    (tmp_path / "gateway.yaml").write_text(
        f"""
providers: {{simulated: {{}}}}
models: {{fast: {{targets: [simulated/x]}}}}
memcached: {{servers: ["{server.name}"], connect_timeout: 1, timeout: 1}}
cache: {{ttl: 100, secret: "{SECRET.decode()}"}}
tenants:
  acme: {{keys: ["{HASH}"]}}
  guests: {{keys: []}}
"""
    )
    return tmp_path


class Later(Clock):
    """So far after the last look at generations that they are looked at again."""

    def time(self) -> float:
        return SystemClock().time()


@pytest.fixture
def worker(server: Memcached) -> Iterator[Worker]:
    """It has kept an answer for each tenant."""
    server.send(b"flush_all\r\n")
    store = Store((server.name,), (), 1.0, 1.0, 4)
    worker = Worker(store, Later())
    for tenant in ("acme", "guests"):
        first = worker.call(tenant=tenant)
        first.fetch()
        first.answered(plain())
        assert not asks(worker, tenant=tenant)
    worker.clock.now += 2
    yield worker
    store.close()


def test_a_tenants_answers_are_forgotten_and_no_others(worker: Worker, here: Path) -> None:
    done = command("cache", "flush", "--tenant", "acme", cwd=here)

    assert (done.returncode, done.stderr) == (0, "")
    assert "answers of acme" in done.stdout
    assert asks(worker, tenant="acme")
    assert not asks(worker, tenant="guests")


def test_all_answers_are_forgotten(worker: Worker, here: Path) -> None:
    assert command("cache", "flush", cwd=here).returncode == 0

    assert asks(worker, tenant="acme")
    assert asks(worker, tenant="guests")


def test_what_cannot_be_done_is_said(server: Memcached, here: Path) -> None:
    text = (here / "gateway.yaml").read_text()
    wrong = command("cache", "flush", "--tenant", "acm", cwd=here)
    (here / "gateway.yaml").write_text(text.replace(server.name, "127.0.0.1:1"))
    gone = command("cache", "flush", cwd=here)
    (here / "gateway.yaml").write_text(text.replace(f'"{server.name}"', ""))
    alone = command("cache", "flush", cwd=here)

    assert (wrong.returncode, "did you mean 'acme'?" in wrong.stderr) == (1, True)
    assert (gone.returncode, "nothing was forgotten" in gone.stderr) == (1, True)
    assert (alone.returncode, "there is no memcached" in alone.stderr) == (1, True)
    assert command("cache", "flush", "--tenant", "acme", "--shared", cwd=here).returncode == 2
