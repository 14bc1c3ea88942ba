"""The servers that are measured, and the provider behind them: how each starts, is reached and stops."""

import contextlib
import hashlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from app.instance import private

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".bench"
KEY = "sk-test"
MODEL = "gpt-4.1"
CHUNKS = 100
CHUNKS_PER_SECOND = 20
STREAM_SECONDS = CHUNKS / CHUNKS_PER_SECOND
SETTLING = 3
"""Seconds after the first answer until every process of a server is there."""
IDLE = 0.05
"""CPU seconds a second of a server that has nothing to do, at most."""
PATIENCE = 60
"""Seconds for coming to rest."""

MESSAGES = [
    {"role": "system", "content": "You are a helpful assistant that answers in short and precise sentences."},
    {"role": "user", "content": "Hello! Please explain what an LLM gateway does and why a team would run one."},
]


@dataclass(frozen=True, slots=True)
class Server:
    """A server that could be started: what to run, and what its clients must send beside the key."""

    name: str
    place: Path
    """A directory of this run, for logs and whatever else it writes."""
    command: Sequence[str]
    port: int
    environment: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    """Where it runs; `place` if none. gunicorn takes the settings that it finds there."""


class Running:
    """A server that has answered its first call."""

    def __init__(self, server: Server, process: psutil.Process, start_seconds: float) -> None:
        self.server = server
        self.process = process
        self.start_seconds = start_seconds

    def cpu(self) -> float:
        """CPU seconds spent so far by all its processes."""
        return sum(sum(member.cpu_times()[:2]) for member in self._family())

    def settle(self) -> None:
        """Wait until nothing is left to do: what a server starts beside its workers would be counted as its calls'."""
        ends_at = time.monotonic() + PATIENCE
        while time.monotonic() < ends_at:
            before = self.cpu()
            time.sleep(1)
            if self.cpu() - before < IDLE:
                return

    def memory(self) -> float:
        """PSS of all its processes, in bytes."""
        return float(sum(member.memory_full_info().pss for member in self._family()))

    def worker_memory(self) -> float:
        """Mean PSS of a worker, in bytes: of the direct children, or of the one process that has none."""
        workers = self.process.children() or [self.process]
        return float(sum(worker.memory_full_info().pss for worker in workers)) / len(workers)

    def _family(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


def settle(standing: Iterable[Running]) -> None:
    time.sleep(SETTLING)
    for server in standing:
        server.settle()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def bare(place: Path, upstream: int, worker_class: str, workers: int) -> Server:
    port = free_port()
    return Server(
        f"bare {worker_class}",
        place,
        [
            *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"),
            *("--worker-class", worker_class, "--workers", str(workers), "--threads", "1000"),
            *("--pythonpath", str(ROOT)),
            *("--worker-connections", "2000", "--keep-alive", "75", "--timeout", "120", "--no-control-socket"),
            f"bench.bare:create_app('http://127.0.0.1:{upstream}/v1')",
        ],
        port,
    )


def caching(place: Path, upstream: int, worker_class: str, workers: int, memcached: int | None) -> Server:
    """The gateway, keeping answers: in memcached on that port, or in its own memory.

    Where several programs share few cores, memcached may not run for longer than a call would wait for it, and then the
    gateway goes on without it for a while: a longer patience makes hits likelier here, and costs nothing else.
    """
    secret = "only-for-the-bench-" * 2
    servers = [] if memcached is None else [f"127.0.0.1:{memcached}"]
    more = f"cache: {{ttl: 600, secret: {secret}}}\nmemcached: {{servers: {servers}, timeout: 1}}\n"
    return gateway(place, upstream, worker_class, workers, more)


def limiting(place: Path, upstream: int, worker_class: str, workers: int, memcached: int, *, keeping: bool) -> Server:
    """The gateway, counting requests, tokens and calls at a time in memcached; `keeping` answers there, too."""
    secret = "only-for-the-bench-" * 2
    more = f"""
memcached: {{servers: ["127.0.0.1:{memcached}"]}}
limits: {{default: {{requests_per_minute: 1000000, tokens_per_minute: 1000000000, concurrent: 1000}}}}
cache: {{ttl: {600 if keeping else 0}, secret: {secret}}}
"""
    return gateway(place, upstream, worker_class, workers, more)


def gateway(place: Path, upstream: int, worker_class: str, workers: int, more: str = "") -> Server:
    port = free_port()
    config = place / f"{port}.yaml"
    config.write_text(
        f"""
providers: {{openai: {{base_url: "http://127.0.0.1:{upstream}/v1", api_key: sk-upstream}}}}
models: {{"{MODEL}": {{targets: ["openai/{MODEL}"]}}}}
tenants: {{bench: {{keys: ["sha256:{hashlib.sha256(KEY.encode()).hexdigest()}"]}}}}
{more}"""
    )
    return Server(
        f"gateway {worker_class}",
        place,
        [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"],
        port,
        {
            "GATEWAY_CONFIG": str(config),
            "GATEWAY_BIND": f"127.0.0.1:{port}",
            "GATEWAY_METRICS_BIND": f"127.0.0.1:{free_port()}",
            "GATEWAY_RUN_DIR": str(place / str(port)),
            "GATEWAY_WORKER_CLASS": worker_class,
            "WEB_CONCURRENCY": str(workers),
        },
        directory=ROOT,
    )


def request(server: Server, *, stream: bool, numbered: bool = False) -> bytes:
    """The HTTP request that the load repeats; `numbered`: with a place for a number that each has of its own."""
    body = b'{"model":"%s","temperature":0.7,"max_tokens":150,"stream":%s%s,"messages":[%s]}' % (
        MODEL.encode(),
        b"true" if stream else b"false",
        b',"user":"#NUMBER#"' if numbered else b"",
        b",".join(b'{"role":"%s","content":"%s"}' % (m["role"].encode(), m["content"].encode()) for m in MESSAGES),
    )
    lines = [
        "POST /v1/chat/completions HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "User-Agent: OpenAI/Python 3.54.0",
        "Accept: application/json",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"Authorization: Bearer {KEY}",
        *(f"{name}: {value}" for name, value in server.headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextlib.contextmanager
def provider() -> Iterator[int]:
    """The provider that all of them call; yields its port."""
    port = free_port()
    process = subprocess.Popen([WORK / "upstream", str(port), str(CHUNKS), str(1000 / CHUNKS_PER_SECOND)])
    try:
        yield port
    finally:
        process.kill()
        process.wait()


def hit_share(server: Server) -> float:
    """Of the looks into its cache so far, in per cent."""
    page = private.get(Path(server.environment["GATEWAY_RUN_DIR"]) / "private.sock", "/metrics", None)[2].decode()
    looks = dict(re.findall(r'cache_operations_total{operation="get",result="(\w+)"} (\S+)', page))
    return 100 * float(looks["hit"]) / max(1.0, sum(map(float, looks.values())))


@contextlib.contextmanager
def memcached() -> Iterator[int | None]:
    """A memcached of its own; yields its port, None where it is not installed."""
    program = shutil.which("memcached")
    if program is None:
        yield None
        return
    port = free_port()
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    process = subprocess.Popen([program, "-l", "127.0.0.1", "-p", str(port), "-U", "0", *user])
    try:
        yield port
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def running(server: Server, *, patience: float = 60) -> Iterator[Running]:
    """Start a server, wait for its first answer, and stop all of its processes at the end."""
    log = server.place / f"{server.port}.log"
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            server.command,
            cwd=server.directory or server.place,
            env=os.environ | server.environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        while not answers(server):
            if process.poll() is not None or time.monotonic() - began > patience:
                raise SystemExit(f"{server.name} does not answer; its log ends in:\n{log.read_text()[-2000:]}")
            time.sleep(0.005)
        yield Running(server, psutil.Process(process.pid), time.monotonic() - began)
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and whatever it started."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def answers(server: Server) -> bool:
    """Whether a plain call gets a 200."""
    head, _, body = request(server, stream=False).partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("POST", "/v1/chat/completions", body, headers)
        answer = connection.getresponse()
        answer.read()
    except OSError:
        return False
    finally:
        connection.close()
    return answer.status == 200


@contextlib.contextmanager
def prepared() -> Iterator[Path]:
    """Compile the load and the provider where their sources are newer; yields an empty directory for this run."""
    WORK.mkdir(exist_ok=True)
    for name in ("upstream", "load"):
        source, program = ROOT / "bench" / f"{name}.c", WORK / name
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            subprocess.run(["cc", "-O2", "-Wall", "-o", program, source], check=True)
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as place:
        yield Path(place)
