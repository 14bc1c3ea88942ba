"""The settings of gunicorn, as gunicorn.conf.py hands them over."""

from __future__ import annotations

import contextlib
import functools
import os
import resource
import sys
from collections.abc import Mapping

from app.instance import environment

GRACE = 25 * 3600  # seconds until the master kills its workers: they see to `server.drain` (a day at most) themselves
CONNECTIONS = 1300  # until a worker knows its configuration
THREADS = 64  # calls of a gthread worker: each takes one
WAITING = 16  # calls that may wait for their turn there, each in a thread, too
SPARE = 16  # threads beyond, for those who only ask how it is, and to tell the rest that there is no room


@functools.cache
def settings() -> Mapping[str, object]:
    """Made once a process: a reload sees the same, so that nothing in it can end a service that runs.

    Leaves with a clear text at the first start if the environment is wrong.
    """
    try:
        found = environment.read(os.environ)
    except environment.BadEnvironment as error:
        sys.exit(str(error))
    gevent = found.worker_class == "gevent"
    return {
        "bind": list(found.binds),
        "workers": found.workers,
        "worker_class": "app.instance.gevent_worker.GeventWorker" if gevent else "app.instance.workers.ThreadWorker",
        "worker_connections": CONNECTIONS,
        "threads": 1 if gevent else THREADS + WAITING + SPARE,
        "keepalive": 75,  # longer than nginx keeps its own side
        "graceful_timeout": GRACE,
        "timeout": 30,  # of a worker that gives no sign of life: calls are bounded by their own deadlines
        "max_requests": 0,
        "preload_app": False,
        "http_parser": "python",
        # What a proxy says of scheme and path changes nothing here, nor on a unix socket, where gunicorn trusts all;
        # of its clients' addresses the application judges (server.trusted_proxies).
        "forwarded_allow_ips": "",
        "forwarder_headers": "",
        "secure_scheme_headers": {},
        "http_protocols": "h1",
        "limit_request_line": 4094,
        "limit_request_fields": 100,
        "limit_request_field_size": 8190,
        "control_socket_disable": True,
        "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,  # noqa: S108 - a disk may block
        "proc_name": "llm-gateway",
    }


def connections(max_in_flight: int, queue: int) -> int:
    """What a worker may hold: the calls that run, those that wait, and connections that are merely kept."""
    return max_in_flight + queue + 200


def raise_file_limit() -> None:
    """A stream holds two sockets; the usual soft limit of 1024 is 500 streams."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
