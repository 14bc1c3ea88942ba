"""A reader's terminal: a fresh checkout, a shell that keeps its variables, and the addresses that the pages name."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import psutil
import requests

from tests.docs.pages import ROOT
from tests.gunicorn import free_port, until

#: What the pages say -> a port of this test's own.
ADDRESSES = ("127.0.0.1:8080", "127.0.0.1:9464", "127.0.0.1:11211")


def checkout(folder: Path) -> None:
    """What a clone has, as the files are now, with the .venv that is here already."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    would = subprocess.run(["make", "--dry-run", "run", "venv"], cwd=folder, check=True, capture_output=True, text=True)
    assert "-m pip" not in would.stdout, (
        "the .venv is not that of these lock files: make venv"
    )  # make would install into it


class Shell:
    def __init__(self, folder: Path, variables: Mapping[str, str], *, activated: bool) -> None:
        self.folder = folder
        self._ports = {address: f"127.0.0.1:{free_port()}" for address in ADDRESSES}
        self._state = folder.parent / "state"
        self._server: subprocess.Popen[bytes] | None = None
        self._variables = {
            "PATH": os.defpath,
            "HOME": str(folder.parent),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(folder),  # the .venv knows another checkout
            "GATEWAY_BIND": self._ports[ADDRESSES[0]],
            "GATEWAY_METRICS_BIND": self._ports[ADDRESSES[1]],
            "GATEWAY_RUN_DIR": str(folder.parent / "run"),
            "WEB_CONCURRENCY": "2",
            **variables,
        }
        self._state.write_text(f". {folder}/.venv/bin/activate" if activated else "")

    def here(self, text: str) -> str:
        """The text with this test's addresses."""
        for shown, own in self._ports.items():
            text = text.replace(shown, own)
        return text

    def shown(self, text: str) -> str:
        """And back."""
        for shown, own in self._ports.items():
            text = text.replace(own, shown)
        return text

    def run(self, text: str) -> tuple[int, str]:
        """The exit status, and what is on the screen."""
        done = self._start(f"trap 'export -p >{self._state}' EXIT\n{text}", subprocess.PIPE)
        try:
            output, _ = done.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            os.killpg(done.pid, signal.SIGKILL)
            raise
        return done.returncode, self.shown(output.decode())

    def python(self, text: str) -> tuple[int, str]:
        program = self.folder.parent / "program.py"
        program.write_text(self.here(text))
        return self.run(f"{sys.prefix}/bin/python {program}")

    def serve(self, text: str) -> None:
        """Start it, and wait until it answers. Whatever served before is stopped."""
        self.stop()
        log = self.folder.parent / "log"
        with log.open("wb") as file:
            self._server = server = self._start(text, file)

        def ready() -> bool:
            assert server.poll() is None, log.read_text()
            return requests.get(f"http://{self._ports[ADDRESSES[0]]}/health/ready", timeout=5).ok

        until(ready, "gateway")

    def stop(self) -> None:
        """As Ctrl-C does it, to all of the foreground."""
        if self._server is None:
            return
        family = [p for p in psutil.process_iter() if _session(p) == self._server.pid]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._server.pid, signal.SIGINT)
        _, alive = psutil.wait_procs(family, timeout=20)
        for process in alive:
            process.kill()
        self._server.wait(10)
        self._server = None

    def _start(self, text: str, output: int | IO[bytes]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            ["bash", "-c", f"source {self._state}; set -euo pipefail; {self.here(text)}"],
            cwd=self.folder,
            env=self._variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _session(process: psutil.Process) -> int:
    with contextlib.suppress(OSError, psutil.Error):
        return os.getsid(process.pid)
    return 0


@contextlib.contextmanager
def terminal(folder: Path, variables: Mapping[str, str], *, activated: bool) -> Iterator[Shell]:
    (folder / "llm-gateway").mkdir()
    checkout(folder / "llm-gateway")
    shell = Shell(folder / "llm-gateway", variables, activated=activated)
    try:
        yield shell
    finally:
        shell.stop()
