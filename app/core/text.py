"""How much a model will read, without asking it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from app.core.json import Json

BYTES_A_TOKEN = 4

#: Where text for the model stands in a body, whatever the language.
_TEXTS = ("messages", "input", "prompt", "system", "instructions", "tools", "functions", "documents", "query")
#: Members whose text is no text: pictures, sound, files, signatures.
_NO_TEXT = frozenset({"data", "url", "image_url", "file_data", "input_audio", "signature", "encrypted_content", "id"})


def prompt_tokens(body: Json) -> int:
    """A guess: the bytes of a body's text by four."""
    return math.ceil(_text_bytes(body) / BYTES_A_TOKEN)


def _text_bytes(body: Json) -> int:
    """UTF-8 bytes of what the model will read as text."""
    bytes_ = 0
    stack: list[object] = [body[name] for name in _TEXTS if name in body]
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            bytes_ += len(value) if value.isascii() else len(value.encode("utf-8", "replace"))
        elif isinstance(value, int):
            bytes_ += BYTES_A_TOKEN  # a token, where somebody has cut the text up already
        elif isinstance(value, Mapping):
            stack += [inner for name, inner in value.items() if name not in _NO_TEXT]
        elif isinstance(value, list):
            stack += value
    return bytes_
