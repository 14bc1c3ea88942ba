"""A kept answer, and how it is sealed for a store that others may write to.

    tag (32 bytes) | length of the head (2) | head (JSON) | body

The tag is an HMAC over the key and all that follows. So an answer cannot be altered, nor given out under another key
(to another tenant, say), nor live longer than it was meant to.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.json import dumps, loads
from app.core.usage import Usage

#: In place of a secret, where nobody else can write: in a worker's own memory.
UNSIGNED = b"nobody else writes here"

_TAG = 32


class Corrupt(ValueError):
    """Nobody who has the secret wrote this under this key."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`body` is the plain answer in the client's language, as it goes out. Unix seconds."""

    body: bytes
    made: int
    ends: int
    provider: str
    model: str
    usage: Usage | None = None
    dropped: tuple[str, ...] = ()


class Seal:
    """The first secret signs, and all are believed, so that one can be replaced by another."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = secrets

    def close(self, key: str, entry: Entry) -> bytes:
        usage = entry.usage
        counts = usage and (
            *(usage.input, usage.output, usage.cached_input, usage.cache_write_input, usage.reasoning_output),
        )
        head = dumps([entry.made, entry.ends, entry.provider, entry.model, counts, entry.dropped])
        payload = len(head).to_bytes(2, "big") + head + entry.body
        return self.tag(key, payload) + payload

    def open(self, key: str, value: bytes) -> Entry:
        """Raises Corrupt."""
        payload = value[_TAG:]
        if not self.is_good(key, value[:_TAG], payload):
            raise Corrupt
        size = 2 + int.from_bytes(payload[:2], "big")
        made, ends, provider, model, counts, dropped = loads(payload[2:size])
        return Entry(payload[size:], made, ends, provider, model, Usage(*counts) if counts else None, tuple(dropped))

    def tag(self, key: str, payload: bytes) -> bytes:
        return _tag(self._secrets[0], key, payload)

    def is_good(self, key: str, tag: bytes, payload: bytes) -> bool:
        return any(hmac.compare_digest(tag, _tag(secret, key, payload)) for secret in self._secrets)


def _tag(secret: bytes, key: str, payload: bytes) -> bytes:
    """Keys have one length, so that no key and payload can pass for others."""
    return hmac.digest(secret, key.encode() + payload, "sha256")
