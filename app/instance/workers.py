"""gunicorn's worker classes, but for two things: no error page is HTML, and a worker that cannot boot is survived."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from gunicorn.workers import gthread  # type: ignore[import-untyped]

from app.instance.failing import HALT, exit_code
from app.instance.refusals import Page, answer, quiet
from app.metrics.slots import DRAINING


class ThreadWorker(gthread.ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    def init_process(self) -> None:
        boot(self, super().init_process)

    def handle_exit(self, sig: int, frame: Any) -> None:
        stopping(self)
        super().handle_exit(sig, frame)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        page, told = Page(), quiet(exc)
        super().handle_error(req, page, addr, told)
        answer(self, page, req or getattr(exc, "req", None), client, told)


def stopping(worker: Any) -> None:
    """It was told to stop: whoever asks for its health while it finishes its calls shall know."""
    with contextlib.suppress(OSError):
        worker.slot.mark(DRAINING)


def boot(worker: Any, run: Callable[[], None]) -> None:
    """Run a worker to its end; `run` returns when it is done."""
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
