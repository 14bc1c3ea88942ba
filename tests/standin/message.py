"""What comes in and what goes out: a request as it was read, an answer as it shall be written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

Headers = tuple[tuple[str, str], ...]

_DEPLOYMENT = re.compile(r"/deployments/([^/]+)/")
_GEMINI = re.compile(r"/models/(.+):\w+")
_BEDROCK = re.compile(r"/model/([^/]+)/converse(-stream)?")


class Framing(StrEnum):
    """How the reader is told where the body ends."""

    CHUNKED = "chunked"
    LENGTH = "length"
    CLOSE = "close"


class End(StrEnum):
    """What happens to the connection after the last piece."""

    KEEP = "keep"  # complete; kept open when the client wishes it
    CLOSE = "close"  # complete; closing is announced in the head
    HANGUP = "hangup"  # complete; closed although the head promised to keep it
    FIN = "fin"  # cut: the end is missing, the connection closed in order
    RST = "rst"  # cut: the end is missing, the connection reset
    HANG = "hang"  # cut: nothing more comes and nothing is closed


class Part(StrEnum):
    """What a piece of a body is for, in any dialect; faults choose pieces by it."""

    START = "start"
    CONTENT = "content"
    FINISH = "finish"
    USAGE = "usage"
    DONE = "done"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a body that are written together; `pause` (seconds) and `gate` (a name to release) come before them."""

    data: bytes
    words: int = 0
    part: Part = Part.OTHER
    pause: float = 0.0
    gate: str | None = None


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where to cut a body: anywhere, the same for the same seed; `pause(i)` is waited before the i-th write."""

    seed: int
    pause: Callable[[int], float] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `preamble` replaces the whole head; `declared` is a Content-Length that the body may not reach.

    `delay` and `gate` are waited for before the first byte, `until` ends the delay early; `drip` is the pause between
    single bytes.
    """

    status: int = 200
    headers: Headers = ()
    body: Iterable[Piece] = ()
    framing: Framing = Framing.LENGTH
    end: End = End.KEEP
    reason: str | None = None
    preamble: bytes | None = None
    declared: int | None = None
    delay: float = 0.0
    until: Callable[[], bool] | None = None
    gate: str | None = None
    cuts: Cuts | None = None
    drip: float | None = None

    @property
    def is_complete(self) -> bool:
        return self.end in {End.KEEP, End.CLOSE, End.HANGUP}


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `nth` counts from 1 on its connection, `json` is None where the body is none."""

    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""
    json: Any = None
    version: str = "HTTP/1.1"
    connection: int = 0
    nth: int = 1
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def model(self) -> str:
        """The model of the body, else the one (or Azure's deployment) in the path, else ''."""
        named = self.fields.get("model")
        if isinstance(named, str):
            return named
        if bedrock := _BEDROCK.fullmatch(self.path):
            return unquote(bedrock[1])
        if gemini := _GEMINI.search(self.path):
            return unquote(gemini[1])
        deployment = _DEPLOYMENT.search(self.path)
        if deployment:
            return deployment[1]
        return self.path.partition("/models/")[2]

    @property
    def is_stream(self) -> bool:
        return self.fields.get("stream") is True or self.path.endswith(("/converse-stream", ":streamGenerateContent"))

    @property
    def is_anthropic(self) -> bool:
        return "/messages" in self.path or self.header("anthropic-version") is not None

    @property
    def is_responses(self) -> bool:
        return self.path.endswith("/responses")

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def keeps_open(self) -> bool:
        wish = (self.header("connection") or "").lower()
        return "close" not in wish and (self.version == "HTTP/1.1" or "keep-alive" in wish)
