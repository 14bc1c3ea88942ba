"""requests' adapter, taught six things.

To hand a connection's socket to the Guard of the call, so that it bounds what is sent and what is read before the first
header; to find its pool without parsing the URL anew for each call; to be given the certificates that it trusts, which
each connection would read for itself and keep (18 ms and 700 KB each time); to make a Response without a cookie jar,
which a proxy must not have; to read heads with a parser for HTTP (app/upstream/head.py); and to read chunks with a
buffer of their size, and none without an end.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse
from urllib3.util import create_urllib3_context

from app.core.provider import Provider
from app.upstream import head
from app.upstream.watch import Guard, Poll

BUFFER = 2048  # bytes that an open answer holds: a chunk and its frame, or a head; larger bodies are read past it
SMALL = 65_536  # bytes of a request that is worth copying
KEPT = 1024  # connections a provider that a worker keeps open; more are opened and thrown away


class Holder(threading.local):
    """The Guard of the call that this thread is making: nothing that urllib3 passes on could carry it."""

    guard: Guard | None = None

    def __init__(self, poll: Callable[[], Poll]) -> None:
        self.poll = poll


def trusted(ca_file: str | None) -> ssl.SSLContext:
    """Whoever has a certificate of these authorities, or of the usual ones. Raises OSError."""
    context = create_urllib3_context()
    context.load_verify_locations(ca_file or DEFAULT_CA_BUNDLE_PATH)
    return context


class Adapter(HTTPAdapter):
    """One for each provider, since proxies and certificates differ."""

    def __init__(self, provider: Provider, holder: Holder, trust: ssl.SSLContext | None) -> None:
        """`trust` is what `trusted()` gives, None where nothing speaks TLS."""
        self._trust = trust
        super().__init__(pool_connections=4, pool_maxsize=KEPT)
        self._classes = {"http": partial(_Pool, holder), "https": partial(_SecurePool, holder)}
        self._proxies = {"http": provider.proxy, "https": provider.proxy} if provider.proxy else {}
        self._pools: dict[str, Any] = {}
        self.poolmanager.pool_classes_by_scheme = self._classes

    def ask(self, request: requests.PreparedRequest, connect: float) -> requests.Response:
        """Send, and give back the head of the answer. `connect`: seconds; what follows is the Guard's to bound."""
        return self.send(request, stream=True, timeout=(connect, None), verify=True, proxies=self._proxies)

    def init_poolmanager(self, *sizes: Any, **more: Any) -> None:
        super().init_poolmanager(*sizes, ssl_context=self._trust, **more)

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        trust = {"ssl_context": self._trust, "proxy_ssl_context": self._trust}
        manager = super().proxy_manager_for(proxy, **trust, **more)
        manager.pool_classes_by_scheme = self._classes
        return manager

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        url = request.url or ""
        origin = url[: url.find("/", 8)]
        pool = self._pools.get(origin)
        if pool is None:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            self._pools[origin] = pool
        return pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """What is trusted has been read already."""

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        if proxies:
            return super().request_url(request, proxies)
        url = request.url or ""
        return url[url.find("/", 8) :]

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        response = _Answer()
        response.status_code = resp.status
        response.headers = resp.headers
        response.raw = resp
        response.request = req
        return response


class _Answer(requests.Response):
    def __init__(self) -> None:
        """Without what nobody reads here, and above all without a jar: that alone takes longer than all the rest."""


class _Response(http.client.HTTPResponse):
    """Holds a smaller buffer than the standard library's, since thousands run at once, and refuses a chunk of negative
    size, which that and urllib3 read to the end of the connection.
    """

    begin = head.begin

    def __init__(self, sock: Any, *given: Any, **named: Any) -> None:
        super().__init__(_Small(sock), *given, **named)  # type: ignore[arg-type]  # it asks nothing else of a socket

    def _safe_read(self, amt: int) -> bytes:
        if amt < 0:
            raise http.client.HTTPException("a chunk of a negative size")
        data: bytes = self.fp.read(amt)  # and not super()'s: twice a chunk
        if len(data) < amt:
            raise http.client.IncompleteRead(data, amt - len(data))
        return data


class _Small:
    """A socket as the standard library's response sees it."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def makefile(self, mode: str) -> Any:
        return self._sock.makefile(mode, BUFFER)


class _Connection(HTTPConnection):
    response_class = _Response

    def __init__(self, holder: Holder, **settings: Any) -> None:
        super().__init__(**settings)
        self._holder = holder
        self._held: list[bytes] | None = None  # of a request, while its pieces come

    @property
    def is_connected(self) -> bool:
        return _is_connected(self._holder, self.sock)

    def request(self, *given: Any, **named: Any) -> None:
        _before_sending(self._holder, self)
        self._held = []
        try:
            super().request(*given, **named)
        finally:
            pieces, self._held = self._held, None
        for piece in _joined(pieces):
            sent = self.sock.send(piece)
            if sent < len(piece):  # `sendall` at once would ask gevent's socket for its size each time
                self.sock.sendall(memoryview(piece)[sent:])

    def send(self, data: Any) -> None:
        """The head goes with the body in one packet."""
        if self._held is None:
            super().send(data)
        else:
            self._held.append(data)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # urllib3 says so itself
        _hand_over(self._holder, self.sock)
        return super().getresponse()


class _SecureConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    def __init__(self, holder: Holder, *where: Any, **settings: Any) -> None:
        super().__init__(*where, **settings)
        self.ConnectionCls = partial(_Connection, holder)  # type: ignore[assignment]


class _SecurePool(HTTPSConnectionPool):
    def __init__(self, holder: Holder, *where: Any, **settings: Any) -> None:
        super().__init__(*where, **settings)
        self.ConnectionCls = partial(_SecureConnection, holder)  # type: ignore[assignment]


def _before_sending(holder: Holder, connection: HTTPConnection) -> None:
    """The time for connecting is not one for sending: a large body on a slow line takes longer. The Guard bounds it."""
    if connection.sock is None:
        connection.connect()
    connection.timeout = None
    _hand_over(holder, connection.sock)


def _joined(pieces: list[bytes]) -> list[bytes]:
    return [b"".join(pieces)] if sum(map(len, pieces)) <= SMALL else pieces


def _hand_over(holder: Holder, connected: socket.socket) -> None:
    if holder.guard is not None:
        holder.guard.hold(partial(connected.shutdown, socket.SHUT_RDWR))


def _is_connected(holder: Holder, connected: socket.socket | None) -> bool:
    """A kept connection that can be read from before anything was asked has been closed by the other side."""
    if connected is None:
        return False
    poll = holder.poll()
    poll.register(connected.fileno(), select.POLLIN)
    return not poll.poll(0)
