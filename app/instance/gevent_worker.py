"""The gevent worker, in a file of its own so that gthread runs without gevent."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Literal, Self

import gevent
import gevent.socket
from gunicorn.workers import ggevent  # type: ignore[import-untyped]

from app.instance.refusals import Page, answer, drain, quiet
from app.instance.workers import boot, stopping

_LINGER = 2.0  # seconds that a kept connection may still send a request after a SIGTERM; gthread has the same
_LOOK = 0.5  # seconds


class GeventWorker(ggevent.GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    quitting = False

    def init_process(self) -> None:
        self.idle: set[Idle] = set()
        boot(self, super().init_process)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        client.__class__ = Client
        super().handle(listener, client, addr)

    def run(self) -> None:
        gevent.spawn(self._hang_up)
        super().run()

    def timeout_ctx(self) -> Idle:
        return Idle(self.idle, self.cfg.keepalive if self.alive else _LINGER)

    def handle_exit(self, sig: int, frame: Any) -> None:
        stopping(self)
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Ctrl-C comes from the terminal and again from the master: one way out is enough."""
        if not self.quitting:
            self.quitting = True
            super().handle_quit(sig, frame)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        page, told = Page(), quiet(exc)
        super().handle_error(req, page, addr, told)
        answer(self, page, req or getattr(exc, "req", None), client, told)
        drain(client)  # gthread does this by itself

    def _hang_up(self) -> None:
        """A worker that is told to stop waits for its connections, and those that are merely kept may last a minute."""
        while self.alive:
            gevent.sleep(_LOOK)
        gevent.sleep(_LINGER)
        for wait in list(self.idle):
            gevent.get_hub().loop.run_callback(wait.cut)


class Client(gevent.socket.socket):
    """gevent asks for the size of the send buffer before each `sendall`; nearly all that we send fits at once."""

    __slots__ = ()

    def sendall(self, data: Any, flags: int = 0) -> None:
        sent = self.send(data, flags)
        if sent < len(data):
            super().sendall(memoryview(data)[sent:], flags)


class Idle(gevent.Timeout):
    """The wait for the next request of a connection; quietly over when its time is up."""

    def __init__(self, waits: set[Idle], seconds: float) -> None:
        super().__init__(seconds, False)  # type: ignore[arg-type]  # no exception leaves the block
        self._waits = waits
        self._greenlet = gevent.getcurrent()

    def __enter__(self) -> Self:
        self._waits.add(self)
        super().__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> Literal[True] | None:
        self._waits.discard(self)
        return super().__exit__(kind, value, trace)

    def cut(self) -> None:
        """In the event loop: end the wait now, if it has not ended."""
        if self in self._waits:
            self._greenlet.throw(self)
