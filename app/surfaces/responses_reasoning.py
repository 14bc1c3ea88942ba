"""Signed thoughts on their way to a client and back.

Some providers want their model's thoughts back as they gave them: signed, or unreadable. The Responses API has a place
for that, `encrypted_content` of a reasoning item, which clients send back without looking. What is put there is marked
as ours, for other providers have put theirs there, which nobody else can read.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from app.core.json import Json, NotJson, dumps, loads

_MARK = "gateway1."


def sealed(blocks: list[Json]) -> str:
    """`thinking_blocks` of a chat answer, in the form that a reasoning item carries."""
    return _MARK + urlsafe_b64encode(dumps(blocks)).decode()


def thoughts_of(item: Json) -> tuple[list[Json], str]:
    """Of a reasoning item: the blocks that we sealed, else none, and what can be read of it."""
    texts = [_string(part) for name in ("content", "summary") for part in _list(item.get(name))]
    return _opened(item.get("encrypted_content")), "".join(texts)


def _opened(content: Any) -> list[Json]:
    if not isinstance(content, str) or not content.startswith(_MARK):
        return []
    try:
        blocks = loads(urlsafe_b64decode(content.removeprefix(_MARK)))
    except (binascii.Error, NotJson, ValueError):
        return []
    return [block for block in _list(blocks) if isinstance(block, dict)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _string(part: Any) -> str:
    text = part.get("text") if isinstance(part, dict) else None
    return text if isinstance(text, str) else ""
