"""A provider that breaks in every way a provider can: a server on a raw socket, for tests and load programs."""

from tests.standin.journal import ConnectionRecord, Journal, RequestRecord
from tests.standin.message import Answer, Cuts, End, Framing, Part, Piece, Request
from tests.standin.plan import text, word
from tests.standin.recording import Exchange, load_index, load_recording, recordings_dir, replay
from tests.standin.server import StandIn

__all__ = [
    "Answer",
    "ConnectionRecord",
    "Cuts",
    "End",
    "Exchange",
    "Framing",
    "Journal",
    "Part",
    "Piece",
    "Request",
    "RequestRecord",
    "StandIn",
    "load_index",
    "load_recording",
    "recordings_dir",
    "replay",
    "text",
    "word",
]
