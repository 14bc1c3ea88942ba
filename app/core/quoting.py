"""A stranger's value in a message: short, on one line, and plainly not ours."""

from __future__ import annotations

LONGEST = 160  # bytes of UTF-8, quotation marks and all


def quoted(value: object) -> str:
    """A value out of JSON as Python writes it, control characters by their numbers; cut where it is long."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    text = repr(value[:LONGEST] if isinstance(value, str) else value)
    raw = text.encode()
    if len(raw) <= LONGEST and not (isinstance(value, str) and len(value) > LONGEST):
        return text
    return raw[: LONGEST - 4].decode(errors="ignore") + "..." + text[-1]
