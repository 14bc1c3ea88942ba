"""The proxy: one thread and one selector for all its connections."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

from app.instance import closing
from tests.wire.pipe import Pipe, reset

TICK = 0.005  # seconds between two looks while something waits for its time


class Cut(StrEnum):
    FIN = "fin"
    RST = "rst"


@dataclass(slots=True)
class _Link:
    """One client's connection and ours to whom it wants to reach."""

    up: Pipe  # from the client
    down: Pipe  # to the client
    cut_after: int | None
    how: Cut

    @property
    def pipes(self) -> tuple[Pipe, Pipe]:
        return self.up, self.down


class Wire:
    """Forwards a port of its own to another one of 127.0.0.1. Use it as a context manager."""

    def __init__(self, target: int) -> None:
        self.latency = 0.0
        self.rate: float | None = None
        self.arrivals: list[float] = []  # when each connection came (monotonic), since the start
        self._target = target
        self._cut: tuple[int | None, Cut] = (None, Cut.FIN)
        self._is_black = self._is_closing = False
        self._selector = selectors.DefaultSelector()
        self._links: list[_Link] = []
        self._calls: deque[Callable[[], object]] = deque()
        self._bell, self._ear = socket.socketpair()
        self._listener = _listen(0)
        self.port: int = self._listener.getsockname()[1]
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name=f"wire:{self.port}", daemon=True)
        self._thread.start()

    @property
    def open(self) -> int:
        """Connections that neither side has ended."""
        return len(self._links)

    def cut(self, after: int | None, how: Cut = Cut.FIN) -> None:
        """End each connection that begins from now on after so many bytes towards the client; None: no more."""
        self._cut = (after, how)

    def reset(self) -> None:
        """Reset every connection, on both sides."""
        self._from_loop(self._reset)

    def blackhole(self, connects: bool = True) -> None:
        """`connects`: whether the kernel still lets clients in; else they hear nothing at all."""
        if not connects:
            assert closing.turn_away(self._listener)
        self._from_loop(lambda: self._blacken(True))

    def restore(self) -> None:
        closing.let_in(self._listener)
        self._from_loop(lambda: self._blacken(False))

    def down(self) -> None:
        """Refuse, and reset what is open."""
        self._from_loop(self._go_down)

    def up(self) -> None:
        self._from_loop(self._come_up)

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            with contextlib.suppress(BrokenPipeError):  # it may have noticed already
                self._bell.send(b"!")
            self._thread.join(10)
            self._bell.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _from_loop(self, call: Callable[[], object]) -> None:
        done = threading.Event()
        self._calls.extend((call, done.set))
        self._bell.send(b"!")
        assert done.wait(10), "the wire's thread does not answer"

    def _run(self) -> None:
        while not self._is_closing:
            waiting = not self._is_black and any(pipe.waits for link in self._links for pipe in link.pipes)
            for key, _ in self._selector.select(TICK if waiting else None):
                if key.fileobj is self._ear:
                    self._ear.recv(4096)
                elif key.fileobj is self._listener:
                    self._accept()
                else:
                    key.data.read(time.monotonic() + self.latency)
            while self._calls:
                self._calls.popleft()()
            if not self._is_black:
                self._move()
        self._reset()
        for one in (self._listener, self._ear, self._selector):
            one.close()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        self.arrivals.append(time.monotonic())
        try:
            server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        except OSError:
            reset(client)
            return
        for one in (client, server):
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = _Link(Pipe(client, server), Pipe(server, client), *self._cut)
        self._links.append(link)
        self._listen_to(link)

    def _listen_to(self, link: _Link) -> None:
        for pipe in link.pipes:
            if not pipe.ended:
                self._selector.register(pipe.source, selectors.EVENT_READ, pipe)

    def _move(self) -> None:
        now = time.monotonic()
        for link in list(self._links):
            for pipe in link.pipes:
                left = None if link.cut_after is None or pipe is link.up else link.cut_after - pipe.moved
                pipe.write(now, self.rate, left)
                if pipe.ended and pipe.source in self._selector.get_map():
                    self._selector.unregister(pipe.source)
            if link.cut_after is not None and link.down.moved >= link.cut_after:
                self._end(link, link.how)
            elif any(pipe.broken for pipe in link.pipes):
                self._end(link, Cut.RST)
            elif all(pipe.ended and not pipe.waits for pipe in link.pipes):
                self._end(link, Cut.FIN)

    def _end(self, link: _Link, how: Cut) -> None:
        self._links.remove(link)
        for pipe in link.pipes:
            if pipe.source in self._selector.get_map():
                self._selector.unregister(pipe.source)
        for pipe in link.pipes:
            if how is Cut.RST:
                reset(pipe.source)
            else:
                pipe.source.close()

    def _reset(self) -> None:
        for link in list(self._links):
            self._end(link, Cut.RST)

    def _blacken(self, is_black: bool) -> None:
        if is_black == self._is_black:
            return
        self._is_black = is_black
        if is_black:
            for key in list(self._selector.get_map().values()):
                if key.fileobj is not self._ear:
                    self._selector.unregister(key.fileobj)
            return
        if self._listener.fileno() >= 0:
            self._selector.register(self._listener, selectors.EVENT_READ)
        for link in self._links:
            self._listen_to(link)

    def _go_down(self) -> None:
        if self._listener.fileno() >= 0:
            if not self._is_black:
                self._selector.unregister(self._listener)
            self._listener.close()
        self._reset()

    def _come_up(self) -> None:
        if self._listener.fileno() < 0:
            self._listener = _listen(self.port)
            if not self._is_black:
                self._selector.register(self._listener, selectors.EVENT_READ)


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(1024)
    return listener
