"""Google's thought signatures in a conversation that is held in Anthropic's language.

They go where that language has a place for what only its author can read: the `signature` of a thinking block, or the
`data` of a redacted one, before the call that they belong to. They are marked there, so that neither of the two is ever
shown the other's: both refuse a conversation that holds a signature which is not theirs.
"""

from __future__ import annotations

from typing import Any

from app.core.json import Json

_MARK = "google:"  # base64 has no colon


def of_call(call: Any) -> str | None:
    """The signature of a tool call, or of a message, of chat; where Google's own endpoint puts it."""
    extra = call.get("extra_content") if isinstance(call, dict) else None
    google = extra.get("google") if isinstance(extra, dict) else None
    signature = google.get("thought_signature") if isinstance(google, dict) else None
    return signature if isinstance(signature, str) and signature else None


def extra_content(signature: str) -> Json:
    """The reverse: what a call or a message of chat has beside it."""
    return {"google": {"thought_signature": signature}}


def marked(signature: str) -> str:
    return _MARK + signature


def of_block(block: Json) -> str | None:
    """The signature that a block of Anthropic's language carries for Google; None where it carries none."""
    value = block.get({"thinking": "signature", "redacted_thinking": "data"}.get(str(block.get("type")), ""))
    return value[len(_MARK) :] or None if isinstance(value, str) and value.startswith(_MARK) else None


def without_others(body: Json) -> Json:
    """A Messages request without thoughts that Anthropic has not signed: others', and those that nobody signed.

    The same object where there are none.
    """
    messages = body.get("messages")
    if not isinstance(messages, list) or not any(map(_has_others, messages)):
        return body
    made = [{**each, "content": _own(each["content"])} if _has_others(each) else each for each in messages]
    return {**body, "messages": [each for each in made if each["content"] != []]}


def _has_others(message: Any) -> bool:
    content = message.get("content") if isinstance(message, dict) and message.get("role") == "assistant" else None
    return isinstance(content, list) and any(map(_is_others, content))


def _own(content: list[Any]) -> list[Any]:
    return [block for block in content if not _is_others(block)]


def _is_others(block: Any) -> bool:
    if not isinstance(block, dict):
        return False
    return of_block(block) is not None or (block.get("type") == "thinking" and block.get("signature") == "")
