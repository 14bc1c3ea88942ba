"""Where clients put their key."""

from __future__ import annotations

from werkzeug.datastructures import Headers

#: header -> prefix that its value must have. Azure clients say api-key, Anthropic's say x-api-key or Bearer.
_BEARER, _ANTHROPIC, _AZURE = ("Authorization", "bearer "), ("X-Api-Key", ""), ("Api-Key", "")


def credential(headers: Headers, *, anthropic: bool) -> str | None:
    """The key as sent; where there are several, the one that this kind of client means."""
    order = (_ANTHROPIC, _BEARER, _AZURE) if anthropic else (_BEARER, _AZURE, _ANTHROPIC)
    for name, prefix in order:
        value = headers.get(name)
        if value is not None and value[: len(prefix)].lower() == prefix:
            return value[len(prefix) :].strip()
    return None
