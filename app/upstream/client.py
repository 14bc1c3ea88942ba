"""Providers over HTTP: requests' own adapter, one a provider, fed with requests that are already prepared.

A Session would add what we must not have (cookies, .netrc, proxies from the environment, redirects) and costs a third
of a call. Every exception of requests and urllib3 becomes a GatewayError here and nowhere else.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from app.core.errors import ErrorType, GatewayError
from app.core.json import dumps
from app.core.provider import Provider
from app.core.wire import UpstreamRequest

MAX_BODY = 16 * 1024 * 1024  # of a plain answer; more is not an answer
PIECE = 65536
KEPT = 1024  # connections a provider that a worker keeps open; more are opened and thrown away
LEFTOVER = 65536  # bytes after the end of a stream that are worth reading to keep the connection
LEFTOVER_WAIT = 0.1


class HttpTransport:
    """Sends over pooled connections; one object a worker and configuration."""

    def __init__(self) -> None:
        self._adapters: dict[str, HTTPAdapter] = {}

    def send(self, provider: Provider, request: UpstreamRequest, connect: float, silence: float) -> HttpAnswer:
        body = dumps(request.body)
        prepared = requests.PreparedRequest()
        prepared.method = "POST"
        prepared.url = request.url
        prepared.body = body
        prepared.headers = CaseInsensitiveDict(
            {
                "Content-Type": "application/json",
                "Accept": "text/event-stream" if request.stream else "application/json",
                "Accept-Encoding": "identity",  # saves both sides the work, and us the bombs
                "User-Agent": "llm-gateway",
                **request.headers,
                "Content-Length": str(len(body)),
            }
        )
        with _named(provider):
            response = self._adapter(provider).send(
                prepared,
                stream=True,
                timeout=(connect, silence),
                verify=provider.ca_file or True,
                proxies={"http": provider.proxy, "https": provider.proxy} if provider.proxy else None,
            )
        return HttpAnswer(provider, response)

    def _adapter(self, provider: Provider) -> HTTPAdapter:
        adapter = self._adapters.get(provider.name)
        if adapter is None:
            adapter = self._adapters.setdefault(provider.name, HTTPAdapter(pool_connections=4, pool_maxsize=KEPT))
        return adapter


class HttpAnswer:
    def __init__(self, provider: Provider, response: requests.Response) -> None:
        self.status = response.status_code
        self._provider = provider
        self._response = response
        self._raw: urllib3.BaseHTTPResponse = response.raw

    @property
    def headers(self) -> Mapping[str, str]:
        return {name.lower(): value for name, value in self._response.headers.items()}

    def read(self) -> bytes:
        with _named(self._provider):
            body: bytes = self._raw.read(MAX_BODY + 1)
            if len(body) > MAX_BODY:
                self.close()
                raise self._failure(ErrorType.INVALID_RESPONSE, "answered with more than 16 MiB")
            if self._raw.read(1):  # tells urllib3 that the body is over, so that the connection is kept
                self.close()
                raise self._failure(ErrorType.INVALID_RESPONSE, "answered with more than it announced")
        return body

    def piece(self) -> bytes:
        with _named(self._provider):
            piece: bytes = self._raw.read1(PIECE)
        return piece

    def allow_silence(self, seconds: float) -> None:
        connection = getattr(self._raw, "connection", None)
        if connection is not None and connection.sock is not None:
            connection.sock.settimeout(max(seconds, 0.001))

    def finish(self) -> None:
        self.allow_silence(LEFTOVER_WAIT)
        left = LEFTOVER
        with contextlib.suppress(urllib3.exceptions.HTTPError, OSError):
            while left > 0 and (piece := self._raw.read1(PIECE)):
                left -= len(piece)
        self._raw.close() if not self._raw.closed else None

    def close(self) -> None:
        self._raw.close()

    def _failure(self, error_type: ErrorType, what: str) -> GatewayError:
        return GatewayError(error_type, f"provider {self._provider.name} {what}", provider=self._provider.name)


@contextlib.contextmanager
def _named(provider: Provider) -> Iterator[None]:
    """Exceptions of the packages below as ours. Their text names hosts and ports: callers never see it."""
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        error_type, what = _meaning(error)
        raise GatewayError(error_type, f"provider {provider.name} {what}", provider=provider.name) from error


def _meaning(error: Exception) -> tuple[ErrorType, str]:
    """requests wraps what urllib3 raises, and a silence while reading comes as either: look at what is inside."""
    inner = error.args[0] if error.args and isinstance(error.args[0], Exception) else None
    silent = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
    if isinstance(error, silent) or isinstance(inner, silent):
        return ErrorType.TIMEOUT, "did not answer in time"
    if isinstance(error, (requests.exceptions.SSLError, urllib3.exceptions.SSLError)):
        return ErrorType.CONNECTION, "could not be reached securely: its TLS handshake or certificate failed"
    if isinstance(error, (requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError)):
        return ErrorType.INVALID_RESPONSE, "sent a body that cannot be decoded"
    if isinstance(error, requests.exceptions.ProxyError):
        return ErrorType.CONNECTION, "could not be reached through its proxy"
    return ErrorType.CONNECTION, "could not be reached, or closed the connection"
