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

#: Where a model that writes finds what it reads as it stands, and where within messages and their parts.
_READ = ("messages", "input", "system", "instructions")
_PARTS = ("content", "text", "output")
#: Fields that let a provider leave out a part of a prompt that is too long.
_SHORTENED = ("truncation", "context_management", "transforms", "plugins")
#: Each byte of UTF-8 as a space, or as part of a word.
_MARKED = bytes(0x20 if byte in b" \t\n\r\v\f" else 0x78 for byte in range(256))


def prompt_tokens(body: Json) -> int:
    """A guess: the bytes of a body's text by four."""
    return math.ceil(_text_bytes(body) / BYTES_A_TOKEN)


def least_tokens(body: Json, more_than: int) -> int:
    """Tokens that a prompt has at least, whoever counts; 0 where they cannot be `more_than` that.

    Counted are the words of what the model is told, asked, and answered by tools. No tokenizer in use joins what white
    space parts, so a word is one token or more: 1.3 in English, and many in a language that writes none between them.
    Characters or bytes give no such bound, since one token may stand for a run of a hundred spaces. What a provider may
    leave out (schemas of tools; of the model's own turns the thinking, wherever it stands in them) or cut (where the
    call allows it to) counts as nothing.
    """
    if any(body.get(name) not in (None, "disabled") for name in _SHORTENED):
        return 0
    texts: list[str] = []
    prompt = body.get("prompt")
    stack: list[object] = [body.get(name) for name in _READ]
    stack.append(prompt if isinstance(prompt, str) else None)  # a list is of prompts, each by itself
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list):
            stack += value
        elif isinstance(value, Mapping) and value.get("role") != "assistant" and value.get("type") != "reasoning":
            stack += [value.get(name) for name in _PARTS]
    if (sum(map(len, texts)) + len(texts)) // 2 <= more_than:  # a word has a character, and one before the next
        return 0
    return sum(map(_words, texts))


def _words(text: str) -> int:
    """As many as `text.split()` has where white space is ASCII's, without making them."""
    marked = text.encode("utf-8", "replace").translate(_MARKED)
    return marked.count(b"x ") + marked.endswith(b"x")


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
