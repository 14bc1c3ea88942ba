"""What gunicorn calls on its way: gunicorn.conf.py hands these over by name.

In the master: on_starting, when_ready, pre_fork, child_exit, pre_exec. In a worker: post_fork, post_worker_init,
worker_abort, worker_exit. A hook that raises in the master ends the service, so those of a running master do not raise.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Any

from app.core import json
from app.instance import closing, environment, memory, rundir, server
from app.instance.published import Published
from app.instance.workers import fail
from app.metrics import slots


def on_starting(arbiter: Any) -> None:
    """Raises Refused, which gunicorn shows as one line before it ends."""
    if arbiter.cfg.forwarded_allow_ips or arbiter.cfg.forwarder_headers:
        raise rundir.Refused(
            "--forwarded-allow-ips and --forwarder-headers are not supported: whom to believe is server.trusted_proxies"
        )
    server.raise_file_limit()
    memory.give_back()  # its workers inherit it
    found = environment.read(os.environ)
    arbiter.run_dir = rundir.claim(found.run_dir)
    arbiter.log.info("Run directory: %s", found.run_dir)


def when_ready(arbiter: Any) -> None:
    """The addresses that are really bound, whatever bound them: what the guards of open mode judge."""
    _note_listeners(arbiter)
    for listener in arbiter.LISTENERS:
        closing.let_in(listener)
    gc.collect()
    gc.freeze()  # so that no worker's collector writes into the pages that it shares with the master


def pre_fork(arbiter: Any, _worker: Any) -> None:
    """A run directory that somebody has taken away would keep every worker from its start: it is made anew."""
    try:
        if arbiter.run_dir.is_there():
            return
        arbiter.log.error("The run directory is gone, and what was counted with it: %s", arbiter.run_dir.dir.path)
        arbiter.run_dir = rundir.renew(arbiter.run_dir)
        _note_listeners(arbiter)
        arbiter.run_dir.dir.started.touch()
    except Exception:
        arbiter.log.exception("the run directory could not be made anew")


def _note_listeners(arbiter: Any) -> None:
    names = [listener.getsockname() for listener in arbiter.LISTENERS]
    addresses = [str(name[0]) if isinstance(name, tuple) else "unix" for name in names]
    arbiter.run_dir.dir.listeners.write_bytes(json.dumps(addresses))


def pre_exec(arbiter: Any) -> None:
    """SIGUSR2 would start a second master over the run directory of the first; this is the process that would be it."""
    arbiter.log.error("SIGUSR2 is not supported: roll replicas instead")
    os._exit(1)


def child_exit(arbiter: Any, worker: Any) -> None:
    try:
        slots.reap(arbiter.run_dir.dir.metrics, worker.pid)
    except Exception:
        arbiter.log.exception("the metrics slot of a dead worker could not be cleaned")


def post_fork(arbiter: Any, worker: Any) -> None:
    """Everything that this worker counts goes to the slot that it takes here, and keeps until it ends."""
    arbiter.run_dir.leave()
    worker.run_dir = arbiter.run_dir.dir
    worker.owns_listeners = not arbiter.systemd and not any(bind.startswith("fd://") for bind in arbiter.cfg.bind)
    try:
        worker.slot = slots.claim(worker.run_dir.metrics)
        slots.adopt(worker.slot)
    except OSError:
        fail(worker)
    os.environ["GATEWAY_SLOT"] = f"{worker.slot.number}:{worker.slot.fd}"


def post_worker_init(worker: Any) -> None:
    """Its capacity is the configuration's: what the settings of gunicorn say is a guess from before there was one."""
    if Published(worker.run_dir.config).hash() is not None:
        from app.instance import member  # noqa: PLC0415 - the master imports this module, and has no use for settings

        limits = member.attach().configuration()[0].server
        worker.worker_connections = server.connections(limits.max_in_flight, limits.queue)
        worker.max_keepalived = worker.worker_connections - worker.cfg.threads
    worker.run_dir.started.touch()
    worker.slot.mark("ready")


def worker_abort(worker: Any) -> None:
    slots.note_exit(worker.slot.directory, "timeout")


def worker_exit(_arbiter: Any, worker: Any) -> None:
    """gunicorn calls this in the master, too, for a worker that is gone already.

    A worker that is done leaves at once: the interpreter's own way out waits for threads that still hold a stream which
    had its time, and a second Ctrl-C on that way is a traceback.
    """
    if worker.pid != os.getpid() or not hasattr(worker, "slot"):
        return
    slots.note_exit(worker.slot.directory, "graceful" if worker.booted else "failed")
    end = sys.exc_info()[1]
    if worker.booted and isinstance(end, SystemExit) and not end.code:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
