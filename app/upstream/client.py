"""Providers over HTTP: requests' own adapter, one a provider, fed with requests that are already prepared.

A Session would add what we must not have (cookies, .netrc, proxies from the environment, redirects) and costs a third
of a call. Every exception of requests and urllib3 becomes a GatewayError here and nowhere else.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import ssl
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import requests
import urllib3

from app.core.errors import ErrorType, GatewayError
from app.core.json import dumps
from app.core.provider import Provider
from app.core.wire import UpstreamRequest
from app.upstream.pool import Adapter, Holder, trusted
from app.upstream.watch import Guard, Poll

MAX_BODY = 16 * 1024 * 1024  # of a plain answer; more is not an answer
PIECE = 16384  # bytes of a stream at once: each that waits holds a buffer of that size where no chunks come
LEFTOVER = 65536  # bytes after the end of a stream that are worth reading to keep the connection
LEFTOVER_WAIT = 0.1
_OURS: Mapping[str, str] = {
    "Accept-Encoding": "identity",  # saves both sides the work, and us the bombs
    "User-Agent": "llm-gateway",
}
_UNCONNECTED = (urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.NewConnectionError)
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})  # of us, or of our machine
RETRY_AFTER = 1.0  # seconds
FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


class HttpTransport:
    """Sends over pooled connections; one object a worker and configuration."""

    def __init__(self, poll: Callable[[], Poll]) -> None:
        """`poll` makes what `select.poll()` makes, for a look at a connection before it is used again."""
        self._holder = Holder(poll)
        self._adapters: dict[str, Adapter] = {}
        self._trusted: dict[str | None, ssl.SSLContext] = {}  # by file

    def send(self, provider: Provider, request: UpstreamRequest, connect: float, guard: Guard) -> HttpAnswer:
        body = dumps(request.body)
        accepted = request.framing if request.stream else "application/json"
        ours = {"Content-Type": "application/json", "Accept": accepted, **_OURS}
        headers = _merged(ours, request.headers, {"Content-Length": str(len(body))})
        if provider.credentials is not None:
            headers = _merged(headers, provider.credentials.headers("POST", request.url, headers, body, guard))
        return self._ask(provider, _prepared("POST", request.url, headers, body), connect, guard)

    def get(self, provider: Provider, url: str, connect: float, guard: Guard) -> HttpAnswer:
        """Ask for what costs nothing, with the provider's credentials; as `send()`.

        On a connection of its own: who asks wants to know what the next new one would meet.
        """
        headers = _merged({"Accept": "application/json", **_OURS}, provider.headers, {"Connection": "close"})
        if provider.credentials is not None:
            headers = _merged(headers, provider.credentials.headers("GET", url, headers, b"", guard))
        return self._ask(provider, _prepared("GET", url, headers), connect, guard)

    def _ask(self, provider: Provider, prepared: requests.PreparedRequest, connect: float, guard: Guard) -> HttpAnswer:
        self._holder.guard = guard
        try:
            return HttpAnswer(provider, self._adapter(provider).ask(prepared, connect), guard)
        except FAILURES as error:
            raise _named(error, provider, guard, connecting=True) from error
        finally:
            self._holder.guard = None

    def _adapter(self, provider: Provider) -> Adapter:
        adapter = self._adapters.get(provider.name)
        if adapter is None:
            adapter = Adapter(provider, self._holder, self._trust(provider))
            adapter = self._adapters.setdefault(provider.name, adapter)
        return adapter

    def _trust(self, provider: Provider) -> ssl.SSLContext | None:
        """One for all providers that trust the same: it takes a megabyte."""
        if not (provider.base_url.startswith("https:") or (provider.proxy or "").startswith("https:")):
            return None
        if provider.ca_file not in self._trusted:
            self._trusted.setdefault(provider.ca_file, trusted(provider.ca_file))
        return self._trusted[provider.ca_file]


def _merged(*headers: Mapping[str, str]) -> dict[str, str]:
    """Of what has one name, in whatever letters, the last counts."""
    found: dict[str, tuple[str, str]] = {}
    for each in headers:
        for name, value in each.items():
            found[name.lower()] = (name, value)
    return dict(found.values())


def _prepared(method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> requests.PreparedRequest:
    prepared = requests.PreparedRequest()
    prepared.method = method
    prepared.url = url
    prepared.headers = headers  # type: ignore[assignment]  # requests' own kind of dict finds other spellings, slowly
    prepared.body = body
    return prepared


class HttpAnswer:
    """The Guard wakes its reads; it is let go before the connection can become somebody else's."""

    __slots__ = ("_coded", "_guard", "_provider", "_raw", "_read", "status")

    def __init__(self, provider: Provider, response: requests.Response, guard: Guard) -> None:
        """Of the response only what is below it is kept: it holds the request, whose body may be large, to its end."""
        self._raw: urllib3.HTTPResponse = response.raw
        self.status = response.status_code
        self._provider = provider
        self._guard = guard
        self._coded = "content-encoding" in self._raw.headers  # to decode what needs none costs each piece a detour
        self._read: Callable[[], bytes]
        if self._raw.chunked:  # a chunk at a time: what providers send as one, they mean as one, in half the steps
            self._read = self._raw.read_chunked(PIECE, self._coded).__next__
        else:
            self._read = partial(self._raw.read1, PIECE, self._coded)
        try:
            guard.hold(self._raw.shutdown)  # from here on it knows by itself when the connection has been given back
        except GatewayError:
            self._raw.close()
            raise

    @property
    def headers(self) -> Mapping[str, str]:
        return {name.lower(): value for name, value in self._raw.headers.items()}

    def read(self) -> bytes:
        try:
            body: bytes = self._raw.read(MAX_BODY + 1, self._coded)
            more = len(body) > MAX_BODY or self._raw.read(1, self._coded)  # the second tells urllib3 that it is over
        except FAILURES as error:
            self.close()
            raise _named(error, self._provider, self._guard) from error
        if more:
            self.close()
            message = f"provider {self._provider.name} answered with more than {MAX_BODY} bytes"
            raise GatewayError(ErrorType.INVALID_RESPONSE, message, provider=self._provider.name)
        self._over()
        return body

    def piece(self) -> bytes:
        try:
            piece = self._read()
        except StopIteration:
            piece = b""
        except FAILURES as error:
            self.close()
            raise _named(error, self._provider, self._guard) from error
        if not piece:
            self._over()
        return piece

    def finish(self) -> None:
        self._guard.let_go()
        left = LEFTOVER
        with contextlib.suppress(StopIteration, urllib3.exceptions.HTTPError, OSError):
            if sock := getattr(self._raw.connection, "sock", None):
                sock.settimeout(LEFTOVER_WAIT)
            while left > 0 and (piece := self._read()):
                left -= len(piece)
        self._raw.close()

    def close(self) -> None:
        self._guard.let_go()
        self._raw.close()

    def _over(self) -> None:
        """The body has ended; but where nothing marks its end, a socket that was shut down looks just the same."""
        self._guard.let_go()
        self._guard.check(self._provider.name)


def _named(error: Exception, provider: Provider, guard: Guard, *, connecting: bool = False) -> GatewayError:
    """An exception of the packages below as ours. Its text names hosts and ports: callers never see it.

    `connecting`: nothing bounds what comes after the connection but the guard, so that a timeout is the connection's.
    """
    guard.let_go()
    inside = tuple(_causes(error))
    try:
        guard.check(provider.name)  # it was us who hung up, and why
    except GatewayError as ours:
        ours.silent &= not any(isinstance(each, _UNCONNECTED) for each in inside)
        raise
    if any(isinstance(each, OSError) and each.errno in EXHAUSTED for each in inside):
        message = "this worker has no files left for another connection; try again in a moment"
        return GatewayError(ErrorType.SATURATED, message, retry_after=RETRY_AFTER)  # no fault of the provider's
    error_type, what = _meaning(error, inside)
    message = f"provider {provider.name} {what}"
    silent = error_type is ErrorType.TIMEOUT and not connecting
    lasting = any(isinstance(each, ssl.SSLCertVerificationError) for each in inside)
    return GatewayError(error_type, message, provider=provider.name, silent=silent, lasting=lasting)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _meaning(error: Exception, inside: tuple[BaseException, ...]) -> tuple[ErrorType, str]:
    """requests wraps what urllib3 raises, and that what Python does: what counts is often inside."""
    wrapped = error.args[0] if error.args and isinstance(error.args[0], Exception) else None
    silent = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
    if isinstance(error, silent) or isinstance(wrapped, silent):
        return ErrorType.TIMEOUT, "did not answer in time"
    if isinstance(error, (requests.exceptions.SSLError, urllib3.exceptions.SSLError)):
        return ErrorType.CONNECTION, "could not be reached securely: its TLS handshake or certificate failed"
    if isinstance(error, (requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError)):
        return ErrorType.INVALID_RESPONSE, "sent a body that cannot be decoded"
    if isinstance(error, requests.exceptions.ProxyError):
        return ErrorType.CONNECTION, "could not be reached through its proxy"
    if any(_is_no_http(each) for each in inside):
        return ErrorType.INVALID_RESPONSE, "sent what is not HTTP, or headers without end"
    return ErrorType.CONNECTION, "could not be reached, or closed the connection"


def _is_no_http(error: BaseException) -> bool:
    """http.client's own, but for the two that say that the end came too early."""
    early = (http.client.RemoteDisconnected, http.client.IncompleteRead)
    return isinstance(error, http.client.HTTPException) and not isinstance(error, early)
