"""Ids in the forms that clients know, for answers whose provider gives none or one of another form."""

from __future__ import annotations

import secrets


def completion_id() -> str:
    return f"chatcmpl-{secrets.token_hex(15)[:29]}"


def tool_call_id() -> str:
    return f"call_{secrets.token_hex(12)}"


def message_id() -> str:
    return f"msg_01{secrets.token_hex(11)}"


def tool_use_id() -> str:
    return f"toolu_01{secrets.token_hex(11)}"


def response_id() -> str:
    return f"resp_{secrets.token_hex(24)}"


def item_id(kind: str) -> str:
    """Of an item of a response: `kind` is msg, fc or rs."""
    return f"{kind}_{secrets.token_hex(24)}"
