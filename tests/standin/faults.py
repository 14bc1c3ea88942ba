"""Every fault by its name: one table from names to what each does to an answer that would have been fine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tests.standin import broken_bodies, broken_streams, broken_wire
from tests.standin.message import Answer


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number, with the value that it has when it is left out."""

    default: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these words; the first when it is left out."""

    options: tuple[str, ...]


Parameter = Number | Choice


@dataclass(frozen=True, slots=True)
class Row:
    """`make(answer, request, plan, *arguments)` gives the broken answer."""

    parameters: tuple[Parameter, ...]
    meaning: str
    make: Callable[..., Answer]


_HOW = Choice(("fin", "rst"))

FAULTS: Mapping[str, Row] = MappingProxyType(
    {
        # Refusals in the dialect of the request
        "status": Row(
            (Number(500),), "that status with the dialect's error body; also fault-NNN", broken_bodies.status
        ),
        "quota": Row((), "the account is empty: 429 insufficient_quota, 402 billing_error", broken_bodies.quota),
        "context": Row((), "400, the prompt is too long", broken_bodies.context_length),
        "filter": Row((), "400, blocked by a content filter", broken_bodies.content_filter),
        "key": Row((Choice(("401", "400", "403")),), "the key is refused, by that status", broken_bodies.bad_key),
        # The connection
        "hang": Row((), "never a first byte", broken_wire.hang),
        "reset": Row((), "RST before the head", broken_wire.reset),
        "close": Row((), "FIN before the head", broken_wire.close),
        "stale": Row((_HOW,), "closed at the second request of a connection", broken_wire.stale),
        "garbage": Row((), "a status line that is none", broken_wire.garbage),
        "midhead": Row((_HOW,), "half a head, then the end", broken_wire.mid_head),
        "headonly": Row((Choice(("hang", "fin", "rst")),), "the head, then nothing", broken_wire.head_only),
        "cut": Row((Number(3), _HOW), "the end after N words; half of a plain body", broken_wire.cut),
        "midevent": Row((Number(3), _HOW), "the end inside the event after N words", broken_wire.mid_event),
        "stall": Row((Number(3),), "silence after N words; half of a plain body", broken_wire.stall),
        "headers": Row((Number(150),), "N more headers", broken_wire.many_headers),
        "bigheader": Row((Number(100),), "one header of N KiB", broken_wire.big_header),
        "redirect": Row((Number(302),), "that status, to /v1/elsewhere", broken_wire.redirect),
        # Streams
        "errorfirst": Row((Number(529),), "an error event as the first event of a 200", broken_streams.error_first),
        "errormid": Row(
            (Number(3), Number(529)), "an error event after N words, then the end", broken_streams.error_mid
        ),
        "malformed": Row((Number(2), Number(1)), "after N words M events of broken JSON", broken_streams.malformed),
        "malformedlast": Row((), "broken JSON where the stream should finish", broken_streams.malformed_last),
        "nodone": Row((), "no [DONE], no message_stop", broken_streams.no_done),
        "nofinish": Row((), "no finish_reason, no message_delta", broken_streams.no_finish),
        "noevents": Row((), "a head, no event, a clean end", broken_streams.no_events),
        "afterdone": Row((Number(3),), "N more words after the end of the stream", broken_streams.after_done),
        "duplicates": Row((), "every word twice", broken_streams.duplicates),
        "reorder": Row((), "every two words exchanged", broken_streams.reorder),
        "endless": Row((), "words for ever", broken_streams.endless),
        "hugeline": Row((Number(2),), "one event of N MiB", broken_streams.huge_line),
        "crlf": Row((), "events with CRLF line ends (allowed)", broken_streams.crlf),
        "cr": Row((), "events with CR line ends (allowed)", broken_streams.carriage_return),
        "comments": Row((), "a comment before every event (allowed)", broken_streams.comments),
        "bom": Row((), "a byte order mark first (allowed)", broken_streams.byte_order_mark),
        # Bodies
        "badjson": Row((), "a body that is not JSON", broken_bodies.bad_json),
        "truncated": Row((), "half the JSON, rightly framed", broken_bodies.truncated),
        "emptybody": Row((), "200 and no byte", broken_bodies.empty_body),
        "nochoices": Row((), "no choices, no content", broken_bodies.no_choices),
        "wrongshape": Row((), "JSON of other types than promised", broken_bodies.wrong_shape),
        "swap": Row((), "JSON where a stream was asked for, a stream where JSON was", broken_bodies.swap),
        "mislabel": Row((Choice(("html", "json", "sse", "none")),), "another content type", broken_bodies.mislabel),
        "huge": Row((Number(32),), "a body of N MiB", broken_bodies.huge),
        "gzip": Row((), "gzip (allowed)", broken_bodies.zipped),
        "badgzip": Row((), "gzip, corrupt in the middle", broken_bodies.bad_gzip),
        "bomb": Row((Number(64),), "N MiB in a little gzip", broken_bodies.bomb),
        "coding": Row((), "a content coding that nobody knows", broken_bodies.unknown_coding),
    }
)
