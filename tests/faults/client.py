"""OpenAI's SDK without its own retries, and every byte that it was sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx2
import openai

PATIENCE = 30.0  # seconds; no call of the table may take that long


@dataclass(slots=True)
class Seen:
    """One call as its caller has it in the end. Times are seconds from the call's beginning."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    finish: str | None = None
    error: Mapping[str, Any] | None = None  # the body's error object, or that of the event
    raised: str | None = None  # the SDK's class
    raw: bytes = b""
    took: float = 0.0
    first: float | None = None  # to the first word
    broken: str | None = None  # the connection ended where the answer did not
    model: str | None = None  # as the answer has it
    usages: list[int] = field(default_factory=list)  # tokens of output, each time that they are told


class Client:
    """Safe to be used by many threads at once."""

    def __init__(self, url: str, patience: float = PATIENCE, key: str = "sk-none") -> None:
        self._tapes = Tapes()
        self._http = httpx2.Client(transport=self._tapes, timeout=patience)
        self._sdk = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, http_client=self._http)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._sdk.close()

    def call(
        self, name: str, model: str, *, stream: bool, headers: Mapping[str, str] | None = None, **fields: Any
    ) -> Seen:
        """`name`: of this call alone; it is what the provider is asked and the id of the request."""
        seen, began = Seen(), time.monotonic()
        try:
            self._call(seen, began, name, headers or {}, {"model": model, "stream": stream, **fields})
        except openai.APIStatusError as error:
            seen.raised = type(error).__name__
            seen.status, seen.headers = error.status_code, dict(error.response.headers)
            seen.error = error.body if isinstance(error.body, dict) else None
        except openai.APIConnectionError as error:
            seen.raised, seen.broken = type(error).__name__, repr(error.__cause__ or error)
        except openai.APIError as error:  # an event that is an error
            seen.raised = type(error).__name__
            seen.error = error.body if isinstance(error.body, dict) else None
        except Exception as error:  # what the SDK does not expect itself is a bare end
            seen.raised, seen.broken = type(error).__name__, repr(error)
        seen.took = time.monotonic() - began
        tape = self._tapes.of(name)
        seen.raw, seen.broken = b"".join(tape.parts), seen.broken or tape.broken
        return seen

    def _call(self, seen: Seen, began: float, name: str, headers: Mapping[str, str], fields: dict[str, Any]) -> None:
        answer = self._sdk.chat.completions.with_raw_response.create(
            messages=[{"role": "user", "content": name}],
            extra_headers={**headers, "x-request-id": name},
            **fields,
        )
        seen.status, seen.headers = answer.http_response.status_code, dict(answer.headers)
        parsed: Any = answer.parse()
        if not fields["stream"]:
            (choice,) = parsed.choices
            seen.text, seen.finish, seen.model = choice.message.content or "", choice.finish_reason, parsed.model
            seen.usages.append(parsed.usage.completion_tokens)
            return
        with parsed:
            for chunk in parsed:
                seen.model = chunk.model
                if chunk.usage:
                    seen.usages.append(chunk.usage.completion_tokens)
                for choice in chunk.choices:
                    if choice.delta.content and seen.first is None:
                        seen.first = time.monotonic() - began
                    seen.text += choice.delta.content or ""
                    seen.finish = choice.finish_reason or seen.finish


@dataclass(slots=True)
class Tape:
    parts: list[bytes] = field(default_factory=list)
    broken: str | None = None


class Tapes(httpx2.BaseTransport):
    """Keeps what came in, by the request's id. A body is read to its end whenever its reader gives it up."""

    def __init__(self) -> None:
        self._inner = httpx2.HTTPTransport(limits=httpx2.Limits(max_connections=200, max_keepalive_connections=200))
        self._lock = threading.Lock()
        self._tapes: dict[str, Tape] = {}

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        tape = Tape()
        with self._lock:
            self._tapes[request.headers["x-request-id"]] = tape
        response = self._inner.handle_request(request)
        assert isinstance(response.stream, httpx2.SyncByteStream)
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Taped(response.stream, tape),
            extensions=response.extensions,
        )

    def close(self) -> None:
        self._inner.close()

    def of(self, name: str) -> Tape:
        with self._lock:
            return self._tapes.pop(name, Tape())


class _Taped(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, tape: Tape) -> None:
        self._stream = stream
        self._parts = iter(stream)
        self._tape = tape

    def __iter__(self) -> Iterator[bytes]:
        try:
            for part in self._parts:
                self._tape.parts.append(part)
                yield part
        except Exception as error:
            self._tape.broken = repr(error)
            raise

    def close(self) -> None:
        try:
            self._tape.parts.extend(self._parts)
        except Exception as error:
            self._tape.broken = self._tape.broken or repr(error)
        finally:
            self._stream.close()
