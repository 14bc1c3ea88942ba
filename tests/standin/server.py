"""The stand-in: one thread, one selector, any number of connections, and the scripts that say what to answer."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import math
import selectors
import socket
import ssl
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.standin.channel import Channel
from tests.standin.connection import Connection
from tests.standin.control import controlled
from tests.standin.journal import Journal
from tests.standin.message import Answer, End, Piece, Request
from tests.standin.scripts import Behaviour, Match, Scripts

LOOK = 0.02  # seconds between two looks at what a control call waits for


class StandIn:
    """A provider on 127.0.0.1 that answers from scripts, else from the model's name. Use it as a context manager."""

    def __init__(
        self, *, port: int = 0, tls: ssl.SSLContext | None = None, keep: int | None = None, seed: int = 0
    ) -> None:
        self.journal = Journal(keep)
        self.scripts = Scripts(seed)
        self.failures: list[str] = []
        self._tls = tls
        self._listener = _listen(port)
        self.port: int = self._listener.getsockname()[1]
        self._arrivals: deque[tuple[End, int]] = deque()
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._soon: deque[Callable[[], object]] = deque()
        self._calls: deque[Callable[[], None]] = deque()
        self._gates: dict[str, float] = {}
        self._held: dict[str, deque[Callable[[], bool]]] = {}
        self._conditions: list[tuple[Callable[[], bool], Callable[[], object]]] = []
        self._seen_version = -1
        self._look_again = 0.0
        self._connections: set[Connection] = set()
        self._bell, self._ear = socket.socketpair()
        self._ear.setblocking(False)
        self._is_closing = False
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name=f"stand-in:{self.port}", daemon=True)
        self._thread.start()

    # For tests, from any thread

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`, without a path."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def script(self, behaviour: Behaviour, *, times: int | None = 1, **match: Match) -> None:
        """Answer the next `times` calls that match so (None: all from now on); behaviours queue in the order given.

        `behaviour`: words of the grammar ("fault-429-after-2"), an Answer, or a function of the Request giving one.
        `match`: method, path, model as equal text or a predicate on it; a header as `header_x_name`; `when` a
        predicate on the whole Request.
        """
        self.scripts.add(behaviour, times, match)

    def script_connections(self, how: End, times: int = 1) -> None:
        """Treat the next connections so before any request: End.RST, End.FIN, or End.HANG (accepted, never served)."""
        self._from_loop(lambda: self._arrivals.append((how, times)))

    def release(self, gate: str, times: float = math.inf) -> None:
        """Let answers that hold at this gate (`hold-3` holds at its model's name) pass: so many, or all for good."""
        self._from_loop(lambda: self._open_gate(gate, times))

    def down(self, *, resetting: bool = False) -> None:
        """Refuse connections on this port until `up()`; `resetting` ends the live ones too."""
        self._from_loop(lambda: self._stop_listening(resetting))

    def up(self) -> None:
        self._from_loop(self._listen_again)

    def close(self) -> None:
        """End everything at once: waits, streams, connections, the thread."""
        if not self._is_closing:
            self._is_closing = True
            with contextlib.suppress(OSError):  # it may have seen it by itself, and be gone
                self._ring()
            self._thread.join(10.0)
            if self._thread.is_alive():
                raise AssertionError("the stand-in's thread did not end")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if error is None and self.failures:
            raise AssertionError("behaviours failed:\n" + "\n".join(self.failures))

    # For connections, from the loop's thread

    def watch(self, connection: Connection, events: int) -> None:
        if connection in self._connections:
            if self._selector.get_key(connection.channel.socket).events != events:
                self._selector.modify(connection.channel.socket, events, connection)
        else:
            self._connections.add(connection)
            self._selector.register(connection.channel.socket, events, connection)

    def forget(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._selector.unregister(connection.channel.socket)

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), call))

    def soon(self, call: Callable[[], object]) -> None:
        self._soon.append(call)

    def at_gate(self, name: str, call: Callable[[], bool]) -> None:
        if self._gates.get(name, 0) > 0:
            self._gates[name] -= 1
            self._soon.append(call)
        else:
            self._held.setdefault(name, deque()).append(call)

    def when(self, condition: Callable[[], bool], call: Callable[[], object]) -> None:
        self._conditions.append((condition, call))
        self._look_again = 0.0

    def answer(self, request: Request) -> tuple[str, Answer]:
        try:
            if request.path.startswith("/__control/"):
                return "control", controlled(self, request)
            return self.scripts.answer(request)
        except Exception as error:
            self.failed(error)
            body = f"the stand-in failed: {error}".encode()
            return "failure", Answer(500, (("content-type", "text/plain"),), (Piece(body),), end=End.CLOSE)

    def failed(self, error: Exception) -> None:
        """A script or a name was wrong: the test that wrote it shall fail, at the latest when the stand-in closes."""
        self.failures.append("".join(traceback.format_exception(error)))

    # The loop

    def _run(self) -> None:
        try:
            while not self._is_closing:
                for key, events in self._selector.select(self._patience()):
                    if key.data is not None:
                        key.data.on_events(events)
                    elif key.fileobj is self._ear:
                        self._hear()
                    else:
                        self._accept()
                self._turn()
        except Exception as error:
            self.failed(error)
            raise
        finally:
            self._shut()

    def _patience(self) -> float | None:
        if self._soon:
            return 0
        instants = [self._timers[0][0]] if self._timers else []
        if self._conditions and self._seen_version != self.journal.version:
            instants.append(self._look_again)
        return max(0.0, min(instants) - time.monotonic()) if instants else None

    def _turn(self) -> None:
        while self._calls:
            self._calls.popleft()()
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()
        for _ in range(len(self._soon)):
            self._soon.popleft()()
        if self._conditions and now >= self._look_again:
            self._look_again = now + LOOK
            self._seen_version = self.journal.version
            waiting, self._conditions = self._conditions, []
            for condition, call in waiting:
                if condition():
                    self._soon.append(call)
                else:
                    self._conditions.append((condition, call))

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            try:
                connection = Connection(self, Channel(accepted, self._tls), self.journal.opened())
            except OSError:  # reset between the kernel's accept and ours
                accepted.close()
                continue
            self._greet(connection)

    def _greet(self, connection: Connection) -> None:
        if self._arrivals:
            how, times = self._arrivals.popleft()
            if times > 1:
                self._arrivals.appendleft((how, times - 1))
            if how is End.HANG:
                connection.ignore()
            else:
                connection.refuse(how)

    def _hear(self) -> None:
        try:
            while self._ear.recv(4096):
                pass
        except BlockingIOError:
            pass

    def _ring(self) -> None:
        self._bell.send(b"!")

    def _from_loop(self, call: Callable[[], None]) -> None:
        """Run it in the loop's thread, and return when it has run."""
        if threading.current_thread() is self._thread:
            call()
            return
        done = threading.Event()
        self._calls.extend((call, done.set))
        self._ring()
        if not done.wait(10.0):
            raise AssertionError("the stand-in's thread does not answer")

    def _open_gate(self, name: str, times: float) -> None:
        self._gates[name] = self._gates.get(name, 0) + times
        held = self._held.get(name, deque())
        while held and self._gates[name] > 0:
            if held.popleft()():  # a client that left in the meantime uses no permit
                self._gates[name] -= 1

    def _stop_listening(self, resetting: bool) -> None:
        if self._listener.fileno() >= 0:
            self._selector.unregister(self._listener)
            self._listener.close()
        for connection in list(self._connections) if resetting else ():
            connection.break_off()

    def _listen_again(self) -> None:
        if self._listener.fileno() < 0:
            self._listener = _listen(self.port)
            self._selector.register(self._listener, selectors.EVENT_READ)

    def _shut(self) -> None:
        for connection in list(self._connections):
            connection.shut()
        for one in (self._listener, self._bell, self._ear):
            one.close()
        self._selector.close()


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(2048)
    listener.setblocking(False)
    return listener
