"""The gevent worker, in a file of its own so that gthread runs without gevent.

Its run is ours: gunicorn's closes its listeners up to a second after it was told to stop, with whoever waits there.
"""

from __future__ import annotations

from functools import partial
from types import TracebackType
from typing import Any, Literal, Self

import gevent
import gevent.event
import gevent.pool
import gevent.server
import gevent.socket
from gunicorn.workers import ggevent  # type: ignore[import-untyped]

from app.instance.crowd import EXHAUSTED, Crowd
from app.instance.refusals import Page, answer, drain, quiet
from app.instance.workers import LINGER, boot, stop_listening, stopping

_ALIVE = 1.0  # seconds between two signs of life to the master
_LOOK = 0.2  # seconds between two looks whether all calls have ended


class GeventWorker(ggevent.GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    quitting = False

    def init_process(self) -> None:
        self.idle: set[Idle] = set()
        self.told_to_stop = gevent.event.Event()
        boot(self, super().init_process)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        client.__class__ = Client
        super().handle(listener, client, addr)

    def run(self) -> None:
        """Until the last call has ended, however long that takes: what bounds it is `server.drain`."""
        pools = [gevent.pool.Pool(self.worker_connections) for _ in self.sockets]
        self.crowd = Crowd()
        servers = [self._serve(listener, pool) for listener, pool in zip(self.sockets, pools, strict=True)]
        while self.alive:
            self.notify()
            self.crowd.sweep()
            self.told_to_stop.wait(_ALIVE)
        for server in servers:
            self._stop(server)
        gevent.spawn_later(LINGER, self._hang_up)
        while any(map(len, pools)):
            self.notify()
            gevent.sleep(_LOOK)

    def timeout_ctx(self) -> Idle:
        """Before the next request of a connection. Nothing else makes a greenlet whose data is always there already let
        the others run: one client, or a few with a quick provider, would have the worker for themselves.
        """
        gevent.sleep(0)
        return Idle(self.idle, self.cfg.keepalive if self.alive else LINGER)

    def handle_exit(self, sig: int, frame: Any) -> None:
        stopping(self)
        super().handle_exit(sig, frame)
        self.told_to_stop.set()

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

    def _serve(self, listener: Any, pool: gevent.pool.Pool) -> gevent.server.StreamServer:
        listener.setblocking(1)
        server = Server(listener, handle=partial(self.handle, Named(listener)), spawn=pool)
        server.crowd = self.crowd
        if self.cfg.workers > 1:
            server.max_accept = 1  # the next connection may be another worker's
        server.start()
        return server

    def _stop(self, server: gevent.server.StreamServer) -> None:
        server.stop_accepting()

        def take() -> bool:
            taken = server.do_read()
            if taken:
                server.do_handle(*taken)
            return bool(taken)

        stop_listening(self, server.socket, take, gevent.sleep)

    def _hang_up(self) -> None:
        """Connections that are merely kept may last a minute, and nobody shall wait for them."""
        for wait in list(self.idle):
            gevent.get_hub().loop.run_callback(wait.cut)


class Server(gevent.server.StreamServer):
    """Takes no more than there are files for."""

    crowd: Crowd

    def do_read(self) -> Any:
        """Called by the event loop: nothing here waits."""
        try:
            taken = super().do_read()
        except OSError as error:
            if error.errno not in EXHAUSTED:
                raise
            self.crowd.turn_away_next(super().do_read)
            return None
        if taken and self.crowd.is_full(taken[0].fileno()):
            self.crowd.turn_away(taken[0].detach())
            return None
        return taken


class Client(gevent.socket.socket):
    """gevent asks for the size of the send buffer before each `sendall`; nearly all that we send fits at once."""

    __slots__ = ()

    def sendall(self, data: Any, flags: int = 0) -> None:
        sent = self.send(data, flags)
        if sent < len(data):
            super().sendall(memoryview(data)[sent:], flags)


class Named:
    """All that a call asks of its listener, which may be closed by then."""

    def __init__(self, listener: Any) -> None:
        self._name = listener.getsockname()

    def getsockname(self) -> Any:
        return self._name


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
