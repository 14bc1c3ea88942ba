"""gunicorn's worker classes, but for three things.

No error page is HTML, a worker that cannot boot is survived, and one that is told to stop hangs up on nobody.
"""

from __future__ import annotations

import contextlib
import errno
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from gunicorn.workers import gthread  # type: ignore[import-untyped]

from app.instance import closing, heads
from app.instance.crowd import EXHAUSTED, Crowd
from app.instance.failing import HALT, exit_code
from app.instance.refusals import Page, answer, quiet
from app.metrics.slots import DRAINING, REPLACED

#: Seconds that a kept connection may still send a request after a SIGTERM. Longer than nginx keeps it idle
#: (deploy/nginx), so that nginx hangs up first: what is sent while the other side hangs up is lost.
LINGER = 5.0


class ThreadWorker(gthread.ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    def init_process(self) -> None:
        self.crowd = Crowd()
        boot(self, super().init_process)

    def accept(self, listener: Any) -> None:
        """As gunicorn's, which ends its worker where there are no files left."""
        super().accept(Gate(listener, self.crowd))

    def murder_pending(self) -> None:
        super().murder_pending()
        self.crowd.sweep()

    def handle_exit(self, sig: int, frame: Any) -> None:
        stopping(self)
        super().handle_exit(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:
        """gunicorn turns it off before it waits for its calls, and closes the listeners when they have ended."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            stop_listening(self, listener, partial(self._take, listener), time.sleep)

    def _cap_keepalive(self, deadline: float) -> None:
        super()._cap_keepalive(time.monotonic() + LINGER)

    def _take(self, listener: Any) -> bool:
        before = self.nr_conns
        self.accept(listener)
        return bool(self.nr_conns > before)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        page, told = Page(), quiet(exc)
        super().handle_error(req, page, addr, told)
        answer(self, page, req or getattr(exc, "req", None), client, told)


class Gate:
    """All that a worker asks of its listener when it takes a connection: nobody gets in whom there are no files for."""

    def __init__(self, listener: Any, crowd: Crowd) -> None:
        self._listener = listener
        self._crowd = crowd
        self.getsockname = listener.getsockname

    def accept(self) -> Any:
        try:
            taken = self._listener.accept()
        except OSError as error:
            if error.errno not in EXHAUSTED:
                raise
            with contextlib.suppress(OSError):
                self._crowd.turn_away_next(self._listener.accept)
            raise BlockingIOError(errno.EAGAIN, "nobody was let in") from error
        if self._crowd.is_full(taken[0].fileno()):
            self._crowd.turn_away(taken[0].detach())
            raise BlockingIOError(errno.EAGAIN, "nobody was let in")
        return taken


def stop_listening(worker: Any, listener: Any, take: Callable[[], bool], sleep: Callable[[float], object]) -> None:
    """Take whoever has been let in, then close; `take` takes one connection, False where nobody is left."""
    if worker.owns_listeners and closing.is_let_go(listener, worker.ppid) and closing.turn_away(listener):
        sleep(closing.HANDSHAKE)
    with contextlib.suppress(OSError):
        while take():
            pass
    listener.close()


def stopping(worker: Any) -> None:
    """It was told to stop: whoever asks for its health while it finishes its calls shall know.

    While the master still listens, others go on.
    """
    with contextlib.suppress(OSError):
        goes_on = worker.owns_listeners and not any(closing.is_let_go(one, worker.ppid) for one in worker.sockets)
        worker.slot.mark(REPLACED if goes_on else DRAINING)


def boot(worker: Any, run: Callable[[], None]) -> None:
    """Run a worker to its end; `run` returns when it is done."""
    heads.together()
    try:
        run()
    except Exception:
        if worker.booted:
            raise
        fail(worker)


def fail(worker: Any) -> NoReturn:
    """Inside an except clause: this worker cannot boot."""
    code = exit_code(worker.run_dir)
    if code == HALT:
        worker.log.exception("the gateway cannot start")
    else:
        worker.log.exception("this worker cannot boot; the others go on")
    sys.exit(code)
