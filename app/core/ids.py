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


#: What the ids of thoughts begin with that no provider of Responses has ever seen: it would look for them in vain.
OUR_THOUGHTS = "rs_gateway_"


def item_id(kind: str) -> str:
    """Of an item of a response: `kind` is msg or fc."""
    return f"{kind}_{secrets.token_hex(24)}"


def thought_id() -> str:
    """Of a reasoning item."""
    return f"{OUR_THOUGHTS}{secrets.token_hex(20)}"
