"""That there is one housekeeper: each worker tries its lock, and whoever gets it starts one.

The lock is handed over with the open file: it is the new process's alone, and free again whenever that ends. The
process is spawned, never forked: under gevent a fork would carry the patched runtime along.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Mapping

from app.instance.rundir import RunDir, try_lock

log = logging.getLogger(__name__)

_PAUSE = 10.0  # seconds after one that gave up by itself, so that a broken installation does not spin

#: What belongs to a worker and must not reach a process that it starts.
_OWN = ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir", "GATEWAY_SLOT", "SERVER_SOFTWARE", "NOTIFY_SOCKET")


#: Each scrape is a thread of its own, and glibc keeps what a thread once needed in one of 16 arenas, megabytes each.
_ONE_ARENA: Mapping[str, str] = {"MALLOC_ARENA_MAX": "1"}


class Housekeeping:
    def __init__(self, run_dir: RunDir, environ: Mapping[str, str]) -> None:
        self._run_dir = run_dir
        self._environ = environ
        self._child: int | None = None
        self._not_before = 0.0

    def ensure(self) -> None:
        """Raises OSError if the process cannot be started."""
        self._bury()
        if time.monotonic() < self._not_before:
            return
        fd = try_lock(self._run_dir.housekeeper)
        if fd is None:
            return
        try:
            os.set_inheritable(fd, True)
            self._child = os.posix_spawn(sys.executable, self._command(fd), self._clean())
        finally:
            os.close(fd)

    def _command(self, fd: int) -> list[str]:
        return [
            *(sys.executable, "-m", "app.housekeeper"),
            *("--run-dir", str(self._run_dir.path), "--lock", str(fd), "--master", str(os.getppid())),
        ]

    def _clean(self) -> dict[str, str]:
        return {**_ONE_ARENA, **{name: value for name, value in self._environ.items() if name not in _OWN}}

    def _bury(self) -> None:
        if self._child is None:
            return
        try:
            pid, status = os.waitpid(self._child, os.WNOHANG)
        except ChildProcessError:
            pid, status = self._child, 0
        if pid == self._child:
            self._child = None
            if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
                log.error("the housekeeper gave up with exit code %s", os.WEXITSTATUS(status))
                self._not_before = time.monotonic() + _PAUSE
