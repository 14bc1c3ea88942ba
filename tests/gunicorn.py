"""The real gunicorn with the real gunicorn.conf.py, for tests: started on free ports, ready, and gone at the end.

    with gunicorn(CONFIG, workers=4, worker_class="gthread") as server:
        requests.get(server.url + "/health/live")

An exception that leaves the block carries the server's log as a note.
"""

import contextlib
import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from app.instance import private
from app.metrics import slots

ROOT = Path(__file__).parent.parent
CLASSES = ("gevent", "gthread")
_PORTS = itertools.count(random.randrange(17_000))  # other tests may run beside these

T = TypeVar("T")


@dataclass(frozen=True)
class Server:
    url: str
    metrics_url: str  # of the housekeeper's own port
    run_dir: Path
    config: Path  # the configuration file, where there is one
    log_file: Path
    process: "subprocess.Popen[bytes]"

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def workers(self) -> list[int]:
        """Process ids of the workers that are ready."""
        return [int(s.split()[0]) for s in slots.held(self.run_dir / "metrics").values() if s.endswith("ready")]

    def private(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, Mapping[str, str], bytes]:
        """Ask the housekeeper on its private socket: status, headers, body. Waits until there is one."""
        return until(lambda: private.get(self.run_dir / "private.sock", path, headers), "an answer of the housekeeper")

    def family(self) -> list[psutil.Process]:
        """Every living process of this server: whatever it starts stays in its session."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                if os.getsid(process.pid) == self.process.pid and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def stop(self, patience: float = 30) -> int:
        """SIGTERM, and wait: the exit code of the master."""
        self.process.terminate()
        return self.process.wait(patience)


@contextlib.contextmanager
def gunicorn(
    config: str | None = None,
    *,
    workers: int = 2,
    worker_class: str = "gevent",
    app: str = "wsgi:app",
    environment: Mapping[str, str] | None = None,
    stderr: int | None = None,
) -> Iterator[Server]:
    """Start it, wait until every worker is ready, stop it.

    `config` is the text of a gateway.yaml; None: there is no file. `environment` comes on top of what this sets, an
    empty value takes a variable away. `stderr`: an open file in place of the log.
    """
    with starting(
        config, workers=workers, worker_class=worker_class, app=app, environment=environment, stderr=stderr
    ) as server:

        def ready() -> bool:
            assert server.process.poll() is None, f"gunicorn ended with exit code {server.process.returncode}"
            master = (server.run_dir / "lock").read_text().strip()
            return master == str(server.process.pid) and len(server.workers()) == workers

        until(ready, f"{workers} workers")
        yield server


@contextlib.contextmanager
def starting(
    config: str | None = None,
    *,
    workers: int = 2,
    worker_class: str = "gevent",
    app: str = "wsgi:app",
    environment: Mapping[str, str] | None = None,
    stderr: int | None = None,
) -> Iterator[Server]:
    """The same without waiting: for starts that fail."""
    with tempfile.TemporaryDirectory(prefix="gateway-test-") as work:
        file, log_file, run_dir = Path(work, "gateway.yaml"), Path(work, "log"), Path(work, "run")
        if config is not None:
            file.write_text(config)
        port, metrics_port = free_port(), free_port()
        variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "PROMETHEUS_"))},
            "GATEWAY_BIND": f"127.0.0.1:{port}",
            "GATEWAY_METRICS_BIND": f"127.0.0.1:{metrics_port}",
            "GATEWAY_RUN_DIR": str(run_dir),
            "GATEWAY_WORKER_CLASS": worker_class,
            "WEB_CONCURRENCY": str(workers),
            "PYTHONPATH": str(ROOT),
            **(environment or {}),
        }
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), app],
                cwd=work,
                env={name: value for name, value in variables.items() if value},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log if stderr is None else stderr,
                start_new_session=True,
            )
        server = Server(
            url=f"http://127.0.0.1:{port}",
            metrics_url=f"http://127.0.0.1:{metrics_port}",
            run_dir=Path(variables["GATEWAY_RUN_DIR"]),
            config=file,
            log_file=log_file,
            process=process,
        )
        try:
            yield server
        except BaseException as error:
            told = "\n".join(line for line in server.log().splitlines() if '"status":"success"' not in line)
            error.add_note(f"the log of gunicorn, without calls that went well:\n{told[-20_000:]}")
            raise
        finally:
            _end(server)


def until(attempt: Callable[[], T], what: str, patience: float = 30) -> T:
    """Ask again and again until the answer is true and no OSError; the last word is an AssertionError."""
    ends_at = time.monotonic() + patience
    while True:
        try:
            if found := attempt():
                return found
        except OSError as error:
            trouble: OSError | None = error
        else:
            trouble = None
        assert time.monotonic() < ends_at, f"no {what} after {patience:.0f} s{f' ({trouble})' if trouble else ''}"
        time.sleep(0.02)


def free_port() -> int:
    """Another one each time, below those that the system gives to connections.

    Whoever tries a server that is down for a while would get its port for the own end, and be connected to itself.
    """
    while True:
        port = 15_000 + next(_PORTS) % 17_000
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _end(server: Server) -> None:
    """Gently, then not. What outlives its master is found by its session."""
    if server.process.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.stop(patience=10)
    try:
        until(lambda: not server.family(), "end of every process", patience=5)
    except AssertionError:
        for process in server.family():
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)
    server.process.wait()
