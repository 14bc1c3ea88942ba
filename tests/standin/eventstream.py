"""AWS's binary frames, written: `application/vnd.amazon.eventstream`."""

from __future__ import annotations

import binascii
import json
import struct
from typing import Any

_STRING = 7  # the type of a header's value


def frame(name: str, data: dict[str, Any] | bytes) -> bytes:
    """An event; bytes travel as they are."""
    return _frame({":event-type": name, ":content-type": "application/json", ":message-type": "event"}, _json(data))


def exception(name: str, data: dict[str, Any] | bytes) -> bytes:
    """What the service says went wrong: one of the exceptions of its model."""
    told = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return _frame(told, _json(data))


def trouble(code: str, message: str) -> bytes:
    """What goes wrong below the service's own protocol."""
    return _frame({":message-type": "error", ":error-code": code, ":error-message": message}, b"")


def _json(data: dict[str, Any] | bytes) -> bytes:
    return data if isinstance(data, bytes) else json.dumps(data, ensure_ascii=False).encode()


def _frame(headers: dict[str, str], payload: bytes) -> bytes:
    block = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", 12 + len(block) + len(payload) + 4, len(block))
    begun = prelude + struct.pack(">I", binascii.crc32(prelude)) + block + payload
    return begun + struct.pack(">I", binascii.crc32(begun))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return bytes([len(key)]) + key + bytes([_STRING]) + struct.pack(">H", len(text)) + text
