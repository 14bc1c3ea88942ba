"""What only a restart changes: addresses, run directory, workers. Read from the environment and from nowhere else."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_NAMED = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\[\]:/\s]+)):(?P<port>[0-9]{1,5})")


class BadEnvironment(Exception):
    """The text says which variable is wrong, and what was expected."""


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """A name is judged by everything that it stands for."""
        try:
            found = {str(info[4][0]) for info in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)}
        except OSError:
            return False
        return bool(found) and all(map(is_loopback, found))


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    default: str
    text: str


#: Every variable that there is, for the reference. GATEWAY_CONFIG is read where the file is looked for.
VARIABLES = (
    Variable("GATEWAY_CONFIG", "`./gateway.yaml`, else built in", "the configuration file"),
    Variable(
        "GATEWAY_BIND",
        "`127.0.0.1:8080`",
        "where clients come in: `host:port`, `[IPv6]:port` or `unix:/path`, several with commas between",
    ),
    Variable("GATEWAY_METRICS_BIND", "`127.0.0.1:9464`", "where Prometheus comes in: `host:port` or `[IPv6]:port`"),
    Variable(
        "GATEWAY_RUN_DIR",
        "`llm-gateway-PORT` below `$XDG_RUNTIME_DIR`, else `llm-gateway-PORT-UID` below `/tmp`",
        "locks, sockets and metrics of this instance; mode 0700, its own",
    ),
    Variable("WEB_CONCURRENCY", "one a core, at least 2", "workers, 1 to 999"),
    Variable(
        "GATEWAY_WORKER_CLASS",
        "`gevent`",
        "or `gthread`: real threads, at most 64 calls a worker, and about 1.7 times the CPU a call",
    ),
)


@dataclass(frozen=True, slots=True)
class Environment:
    binds: tuple[str, ...]  # as gunicorn takes them
    metrics: Address
    run_dir: Path
    workers: int
    worker_class: str  # gevent | gthread


def read(environ: Mapping[str, str]) -> Environment:
    """Raises BadEnvironment, with everything that is wrong."""
    wrong: list[str] = []
    binds = tuple(part.strip() for part in environ.get("GATEWAY_BIND", "127.0.0.1:8080").split(",") if part.strip())
    if not binds or not all(_is_bind(part) for part in binds):
        wrong.append("GATEWAY_BIND: expected host:port, [IPv6]:port or unix:/path, several with commas between")
    metrics = address(environ.get("GATEWAY_METRICS_BIND", "127.0.0.1:9464"))
    if metrics is None:
        wrong.append("GATEWAY_METRICS_BIND: expected host:port or [IPv6]:port")
    workers = environ.get("WEB_CONCURRENCY", str(max(2, len(os.sched_getaffinity(0)))))
    if not re.fullmatch(r"[1-9][0-9]{0,2}", workers):
        wrong.append("WEB_CONCURRENCY: expected a number of workers, 1 to 999")
    worker_class = environ.get("GATEWAY_WORKER_CLASS", "gevent")
    if worker_class not in ("gevent", "gthread"):
        wrong.append("GATEWAY_WORKER_CLASS: expected gevent or gthread")
    if environ.get("FORWARDED_ALLOW_IPS"):
        wrong.append("FORWARDED_ALLOW_IPS: expected to be unset; whom to believe is server.trusted_proxies in the file")
    if wrong or metrics is None:
        raise BadEnvironment("\n".join(wrong))
    return Environment(binds, metrics, run_dir(environ, binds[0]), int(workers), worker_class)


def run_dir(environ: Mapping[str, str], bind: str) -> Path:
    """Where an instance with this first address lives. Pure: nothing is made or checked."""
    if named := environ.get("GATEWAY_RUN_DIR"):
        return Path(named).absolute()
    found = address(bind)
    name = f"llm-gateway-{found.port if found else format(zlib.crc32(bind.encode()), '08x')}"
    if (runtime := environ.get("XDG_RUNTIME_DIR")) and os.path.isdir(runtime):
        return Path(runtime, name)
    return Path(tempfile.gettempdir(), f"{name}-{os.geteuid()}")


def address(text: str) -> Address | None:
    """`host:port` or `[IPv6]:port`, else None."""
    found = _NAMED.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65536:
        return None
    return Address(found["six"] or found["host"], int(found["port"]))


def is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _is_bind(text: str) -> bool:
    return (
        address(text) is not None or bool(re.fullmatch(r"unix:/.+", text)) or bool(re.fullmatch(r"fd://[0-9]+", text))
    )
