"""Two instances of the gateway over one memcached, and what is asked of them all at once."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psutil
import requests

from tests.gunicorn import Server, gunicorn, until
from tests.journeys.house import hashed
from tests.memcached import Memcached, memcached
from tests.standin import StandIn

UP_KEY = "Zf9canary7Qx2provider4c1d"
SECRET = "Zf9canary7Qx2signing" * 2
KEYS = {"acme": "sk-gw-Zf9canary-acme", "guests": "sk-gw-Zf9canary-guests"}
PROMPT = "Zf9canary prompt"  # of every call, so that it can be looked for


@dataclass(frozen=True)
class House:
    servers: Sequence[Server]
    memcached: Memcached
    provider: StandIn
    workers: int

    def ask(self, nth: int = 0, *, tenant: str = "acme", headers: Mapping[str, str] | None = None, **body: Any) -> Any:
        """A plain chat call to the nth instance; `model` is the stand-in's word for what happens."""
        body = {"messages": [{"role": "user", "content": PROMPT}], **body, "model": f"up/{body.get('model', 'plain')}"}
        return requests.post(
            self.servers[nth % len(self.servers)].url + "/v1/chat/completions",
            json=body,
            headers={"authorization": f"Bearer {KEYS[tenant]}", **(headers or {})},
            timeout=60,
        )

    def ask_together(self, count: int, **how: Any) -> list[Any]:
        """So many at the same time; an exception in place of an answer that did not come."""
        start = threading.Barrier(count)

        def one(nth: int) -> Any:
            start.wait(30)
            try:
                return self.ask(nth, **how)
            except requests.RequestException as error:
                return error

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(one, range(count)))

    def upstream(self, model: str) -> int:
        return len(self.provider.journal.requests(model=model))

    def counted(self, name: str, **labels: str) -> float:
        """A counter of both instances."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        total = 0.0
        for server in self.servers:
            for line in server.private("/metrics")[2].decode().splitlines():
                if line.startswith(f"llm_gateway_llm_gateway_{name}{{") and all(one in line for one in wanted):
                    total += float(line.rpartition(" ")[2])
        return total

    def ready(self) -> None:
        until(lambda: all(len(server.workers()) == self.workers for server in self.servers), "every worker")

    def asking(self) -> list[int]:
        """Workers that have a connection to the provider."""
        port = int(self.provider.url.rpartition(":")[2])
        pids = [pid for server in self.servers for pid in server.workers()]
        return [
            pid
            for pid in pids
            if any(one.raddr and one.raddr.port == port for one in psutil.Process(pid).net_connections())
        ]

    def stored(self) -> dict[str, bytes]:
        """Everything that memcached holds, by key, as it tells it itself."""
        listed = whole(self.memcached, b"lru_crawler metadump all\r\n", b"END\r\n").decode()
        names = re.findall(r"key=(\S+)", listed)
        return {name: got(self.memcached, name) for name in names}


@contextlib.contextmanager
def house(worker_class: str, *, instances: int = 2, workers: int = 2) -> Iterator[House]:
    with contextlib.ExitStack() as stack:
        server, provider = stack.enter_context(memcached()), stack.enter_context(StandIn())
        text = json.dumps(
            {
                "health": {"probe": False},
                "logging": {"level": "info"},
                "memcached": {"servers": [server.name], "connect_timeout": 1, "timeout": 1},  # the machine may be busy
                "cache": {"ttl": 300, "secret": SECRET},
                "resilience": {"breaker": {"min_calls": 1_000_000, "consecutive": 1_000_000}},
                "providers": {
                    "up": {
                        "kind": "compatible",
                        "base_url": f"{provider.url}/v1",
                        "api_key": UP_KEY,
                        "models": ["*"],
                    }
                },
                "tenants": {name: {"keys": [hashed(key)]} for name, key in KEYS.items()},
            }
        )
        servers = [
            stack.enter_context(gunicorn(text, workers=workers, worker_class=worker_class)) for _ in range(instances)
        ]
        yield House(servers, server, provider, workers)


def kill(pid: int) -> None:
    os.kill(pid, 9)


def got(server: Memcached, key: str) -> bytes:
    answer = whole(server, b"get %s\r\n" % key.encode(), b"END\r\n")
    return answer.partition(b"\r\n")[2][: -len(b"\r\nEND\r\n")] if answer.startswith(b"VALUE") else b""


def put(server: Memcached, key: str, value: bytes, ttl: int = 0) -> None:
    whole(server, b"set %s 0 %d %d\r\n%s\r\n" % (key.encode(), ttl, len(value), value), b"\r\n")


def whole(server: Memcached, command: bytes, end: bytes) -> bytes:
    """The answer to a command, to its end."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
        sock.sendall(command)
        answer = b""
        while not answer.endswith(end):
            piece = sock.recv(1 << 20)
            if not piece:
                break
            answer += piece
        return answer
