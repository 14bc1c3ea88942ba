"""What travels: asks on the way in, frames on the way out, and the raw ends of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from app.core.json import Json
from app.core.usage import Usage


class Operation(StrEnum):
    """What kind of call, and so which language its bodies are in. CHAT is the canonical one."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    MODERATIONS = "moderations"
    RESPONSES = "responses"
    RERANK = "rerank"
    MESSAGES = "messages"
    COUNT_TOKENS = "count_tokens"


#: What only Anthropic's clients say.
ANTHROPIC = frozenset({Operation.MESSAGES, Operation.COUNT_TOKENS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One call as a dialect sees it: a body in a language that the dialect speaks. Nobody changes `body`."""

    operation: Operation
    body: Json
    stream: bool
    wants_usage: bool  # may the stream's usage be shown to whoever reads the frames?
    headers: Mapping[str, str] = field(default_factory=dict)  # client headers that may travel on, lower case
    created: int = 0  # Unix second, for answers whose provider gives none
    marks: bool = False  # who is asked knows Anthropic's own words in chat: cache_control and thinking_blocks
    max_output: int | None = None  # tokens that the model can write, as far as the configuration knows
    id: str = ""  # the call's id; ids that must be minted are derived from fresh randomness, not from this


class Framing(StrEnum):
    """How the events of a stream are set apart, by the media type that asks for it."""

    SSE = "text/event-stream"
    AWS = "application/vnd.amazon.eventstream"


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """What to send. `dropped` are the fields of the ask that this provider cannot be told, for x-gateway-dropped."""

    url: str
    headers: Mapping[str, str] = field(repr=False)  # credentials included
    body: Json
    stream: bool
    dropped: tuple[str, ...] = ()
    framing: Framing = Framing.SSE  # of the answer, where it is a stream


class Event(NamedTuple):
    """One event of a stream, however it was framed; `name` is None where the provider gave none.

    A tuple, since one is made for every event: a frozen dataclass takes twice the time.
    """

    data: bytes
    name: bytes | None = None


def is_event_name(name: object) -> bool:
    """Whether a frame may be called so: it stands in a line of its own."""
    return isinstance(name, str) and name != "" and "\n" not in name and "\r" not in name


class Unreadable(ValueError):
    """Nothing more can be read from this stream. `events` came whole before that, in the same piece."""

    def __init__(self, why: str, events: Sequence[Event] = ()) -> None:
        super().__init__(why)
        self.events = events


@dataclass(slots=True)
class Frame:
    """One piece of an answer, in the language of the ask: a plain reply as a whole, or one event of a stream.

    `data` None is a frame for the books only: it is counted and not shown. `chars` counts the characters of text,
    reasoning and tool arguments in it, so a frame with content has chars > 0. `last` ends the stream.
    """

    data: Json | None
    event: str | None = None  # SSE event name, in languages that have them
    chars: int = 0
    finish: str | None = None  # the canonical (OpenAI) finish reason, once it is known
    usage: Usage | None = None  # cumulative: the last one seen counts
    last: bool = False
    encoded: bytes | None = None  # the data as JSON, where somebody has written it already
    comment: str | None = None  # said beside the answer, in an SSE comment; such a frame has no data
