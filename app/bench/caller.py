"""One call as a client makes it, by its clock: when it began, what came when, how it ended."""

from __future__ import annotations

import http.client
import ssl
import time
from array import array
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from app.core.json import Json, NotJson, dumps, loads
from app.upstream.sse import Splitter

_WORDS = "Tell me, in a few sentences, what a gateway is. This is question number"
_PIECE = 65536  # bytes that are read at once
_SHOWN = ("content", "reasoning_content", "reasoning", "tool_calls", "refusal")  # what a client sees of a chunk


class Unusable(Exception):
    """It makes no sense to begin; says why."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What every call of one run has in common. `base`: the URL of the gateway, with or without its /v1."""

    base: str
    model: str
    key: str | None = None
    stream: bool = False
    same: bool = False  # ask the same each time, so that a cache can answer
    max_tokens: int | None = None
    timeout: float = 120.0  # seconds of silence

    def body(self, number: str) -> Json:
        said = _WORDS if self.same else f"{_WORDS} {number}."
        body: Json = {"model": self.model, "messages": [{"role": "user", "content": said}]}
        if self.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if self.max_tokens is not None:
            body["max_tokens"] = self.max_tokens
        return body


@dataclass(slots=True)
class Sample:
    """Seconds; `wrong` is empty where the call went well, and says in a few words what went wrong where not."""

    began: float  # monotonic
    seconds: float = 0.0
    wrong: str = ""
    first: float | None = None  # from the beginning to the first content, of streams
    gaps: array[float] = field(default_factory=lambda: array("d"))  # between one content and the next
    read: int = 0  # tokens, as the answer counts them
    written: int = 0
    provider: str = ""
    model: str = ""
    attempts: int = 1
    cached: bool = False
    lost: bool = False  # there was no connection, or not to the end


class Caller:
    """A client with a connection of its own, that it keeps."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._at = urlsplit(ask.base)
        self._path = self._at.path.rstrip("/").removesuffix("/v1") + "/v1"
        self._headers = {"content-type": "application/json", "user-agent": "llm-gateway-bench"}
        if ask.key is not None:
            self._headers["authorization"] = f"Bearer {ask.key}"
        self._connection: http.client.HTTPConnection | None = None

    def models(self, name: str = "") -> list[str]:
        """The models that the key may use; with a name that one, if it may. Raises Unusable."""
        base = self._ask.base
        try:
            answer = self._send("GET", f"{self._path}/models{name and '/'}{quote(name)}")
            body = answer.read()
            if answer.status != 200:
                raise Unusable(f"{base} answers {answer.status}: {_said(body, 'message')}")
            found = loads(body)
            return [str(one["id"]) for one in ([found] if name else found["data"])]
        except (OSError, http.client.HTTPException) as error:
            raise Unusable(f"{base} does not answer: {error}") from error
        except (NotJson, KeyError, TypeError) as error:
            raise Unusable(f"{base} does not say which models there are: is it a gateway?") from error

    def call(self, number: str) -> Sample:
        """Never raises but for what ends the program: whatever happens to the call is in the sample."""
        sample = Sample(began=time.monotonic())
        try:
            answer = self._send("POST", f"{self._path}/chat/completions", dumps(self._ask.body(number)))
            sample.provider = answer.getheader("x-gateway-provider", "")
            sample.model = answer.getheader("x-gateway-model", "")
            sample.attempts = int(answer.getheader("x-gateway-attempts") or 0)
            sample.cached = answer.getheader("x-gateway-cache") == "hit"
            if answer.status != 200:
                sample.wrong = f"{answer.status} {_said(answer.read(), 'code')}"
            elif self._ask.stream:
                _stream(answer, sample)
            else:
                _usage(loads(answer.read()), sample)
        except TimeoutError:
            sample.wrong = f"silent for {self._ask.timeout:.0f} s"
        except (OSError, http.client.HTTPException) as error:
            sample.lost = True
            sample.wrong = f"connection: {getattr(error, 'strerror', None) or type(error).__name__}"
        except (ValueError, TypeError, KeyError, AttributeError):
            sample.wrong = "an answer that cannot be read"
        sample.seconds = time.monotonic() - sample.began
        if sample.wrong:
            self.close()  # whatever is left on it is not the next answer
        return sample

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, method: str, path: str, body: bytes | None = None) -> http.client.HTTPResponse:
        if self._connection is None:
            host, port = self._at.hostname or "", self._at.port
            if self._at.scheme == "https":
                self._connection = http.client.HTTPSConnection(
                    host, port, timeout=self._ask.timeout, context=ssl.create_default_context()
                )
            else:
                self._connection = http.client.HTTPConnection(host, port, timeout=self._ask.timeout)
        self._connection.request(method, path, body, self._headers)
        return self._connection.getresponse()


def _stream(answer: http.client.HTTPResponse, sample: Sample) -> None:
    """Read to its end, which is its [DONE]: whatever ends without it has broken off."""
    splitter, before = Splitter(), None
    while piece := answer.read1(_PIECE):
        now = time.monotonic()
        for event in splitter.feed(piece):
            if event.data == b"[DONE]":
                answer.read()
                return
            said = loads(event.data)
            if "error" in said:
                sample.wrong = f"in the stream: {said['error'].get('code')}"
                return
            _usage(said, sample)
            if not _shows(said):
                continue
            if before is None:
                sample.first = now - sample.began
            else:
                sample.gaps.append(now - before)
            before = now
    sample.wrong = "a stream that broke off"


def _shows(said: Json) -> bool:
    return any(choice["delta"].get(name) for choice in said.get("choices") or () for name in _SHOWN)


def _usage(said: Json, sample: Sample) -> None:
    if usage := said.get("usage"):
        sample.read, sample.written = int(usage["prompt_tokens"]), int(usage["completion_tokens"])


def _said(body: bytes, what: str) -> str:
    """Of an error as OpenAI's SDK knows it; whoever stands before the gateway may answer otherwise."""
    try:
        error: Any = loads(body)["error"]
        return str(error.get(what) or error.get("type"))
    except (NotJson, KeyError, TypeError, AttributeError):
        return "in words that are no gateway's"
