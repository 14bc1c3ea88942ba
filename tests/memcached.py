"""A real memcached for tests: on a free port of this machine, and gone at the end."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.gunicorn import free_port, until
from tests.tools import tool


class Memcached:
    """Use it as a context manager. `options` come on top, such as "-M" (no eviction) or "-m", "1" (megabytes)."""

    def __init__(self, port: int | None = None, *, options: Sequence[str] = (), path: Path | None = None) -> None:
        self.port = port or free_port()
        self._options = options
        self._path = path
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """As the configuration has it."""
        return f"unix:{self._path}" if self._path else f"127.0.0.1:{self.port}"

    def start(self) -> None:
        where = ["-s", str(self._path)] if self._path else ["-l", "127.0.0.1", "-p", str(self.port), "-U", "0"]
        user = ["-u", "nobody"] if os.getuid() == 0 and not self._path else ["-u", "root"] if os.getuid() == 0 else []
        self._process = subprocess.Popen(
            ["memcached", *where, *user, "-t", "2", *self._options], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(lambda: self.send(b"version\r\n").startswith(b"VERSION"), "memcached")

    def send(self, command: bytes) -> bytes:
        """The answer to a command, or its first 64 KiB."""
        family, address = (
            (socket.AF_UNIX, str(self._path)) if self._path else (socket.AF_INET, ("127.0.0.1", self.port))
        )
        with socket.socket(family) as sock:
            sock.settimeout(5)
            sock.connect(address)
            sock.sendall(command)
            return sock.recv(65_536)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(10)
        self._process = None

    def stop(self) -> None:
        """It says nothing from now on, and keeps everything."""
        self._signal(signal.SIGSTOP)
        assert self._process is not None
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)  # until then its threads may answer

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def __enter__(self) -> "Memcached":
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.kill()


def needed() -> None:
    """Without memcached a test is skipped where somebody works, and fails where everything has to be shown."""
    tool("memcached")


@contextlib.contextmanager
def memcached(*options: str) -> Iterator[Memcached]:
    needed()
    with Memcached(options=options) as server:
        yield server


@contextlib.contextmanager
def on_a_socket() -> Iterator[Memcached]:
    needed()
    with tempfile.TemporaryDirectory() as work, Memcached(path=Path(work, "socket")) as server:
        yield server
