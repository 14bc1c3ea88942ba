"""The machine under the gateway: open files, and room in the run directory."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator
from pathlib import Path

from app.config.settings import Settings
from app.doctor.finding import Finding, bad, ok, warn
from app.instance.server import connections

_ROOM = 32 * 1024 * 1024  # bytes; metrics of many models and tenants
_BESIDE = 100  # files of a worker that are no connections


def files(settings: Settings, master: Path) -> Iterator[Finding]:
    """A call has two sockets, its client's and its provider's.

    `master`: where the process that runs says its id. Its limit counts, and not that of the shell that asks here.
    """
    most = settings.server.max_in_flight
    wanted = connections(most, settings.server.queue) + most + _BESIDE
    hard = _most_files(master)
    said = f"a worker may open {'any number' if hard == resource.RLIM_INFINITY else hard}, and may want {wanted}"
    if hard != resource.RLIM_INFINITY and hard < wanted:
        yield bad("open files", said, "raise the hard limit (LimitNOFILE, ulimits), or lower server.max_in_flight")
    else:
        yield ok("open files", said)


def _most_files(master: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        return resource.prlimit(int(master.read_text()), resource.RLIMIT_NOFILE)[1]
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def run_directory(path: Path) -> Iterator[Finding]:
    what = f"run directory {path}"
    try:
        seen, room = path.stat(), os.statvfs(path)
    except OSError as error:
        yield warn(
            what, f"cannot be looked at: {error.strerror}", "start the gateway, as this user, or set GATEWAY_RUN_DIR"
        )
        return
    if seen.st_mode & 0o077:
        yield bad(what, "is open to other users", "stop the gateway and remove it; it is made anew with mode 0700")
    if os.geteuid() not in (seen.st_uid, 0):
        yield warn(what, "belongs to another user", "ask as the gateway's user, or as root")
    free = room.f_bavail * room.f_frsize
    said = f"{free // 2**20} MiB free"
    if free < _ROOM:
        yield bad(what, said, "give it more room: without, metrics are lost (a tmpfs of 64 MiB is plenty)")
    else:
        yield ok(what, said)
