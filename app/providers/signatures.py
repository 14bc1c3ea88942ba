"""Google's thought signatures in conversations with clients, and out of what is sent to anybody else.

OpenAI's clients have them in `extra_content` beside a call or a message. In Anthropic's language they go where it has
a place for what only its author can read: the `signature` of a thinking block, or the `data` of a redacted one, before
the call that they belong to. They are marked there, so that neither of the two is ever shown the other's: both refuse
a conversation that holds a signature which is not theirs.
"""

from __future__ import annotations

from typing import Any

from app.core.json import Json

_MARK = "google:"  # base64 has no colon
_EXTRA = "extra_content"


def of_call(call: Any) -> str | None:
    """The signature of a tool call, or of a message, of chat; where Google's own endpoint puts it."""
    extra = call.get(_EXTRA) if isinstance(call, dict) else None
    google = extra.get("google") if isinstance(extra, dict) else None
    signature = google.get("thought_signature") if isinstance(google, dict) else None
    return signature if isinstance(signature, str) and signature else None


def extra_content(signature: str) -> Json:
    """The reverse: what a call or a message of chat has beside it."""
    return {"google": {"thought_signature": signature}}


def wants(model: str) -> bool:
    """Whether a model is Google's, by whatever way it is asked."""
    return "gemini" in model.lower()


def leave_out(body: Json, model: str) -> tuple[str, ...]:
    """Take Google's fields out of a chat request for a model that is not Google's, which may refuse what it does not
    know. `body` is a copy of its top level. The names of what was left out."""
    messages = body.get("messages")
    if wants(model) or not isinstance(messages, list) or not any(map(_has_extra, messages)):
        return ()
    body["messages"] = [_bare_message(each) if _has_extra(each) else each for each in messages]
    return (f"messages[].{_EXTRA}",)


def _has_extra(message: Any) -> bool:
    if not isinstance(message, dict):
        return False
    calls = message.get("tool_calls")
    return _is_signed(message) or (isinstance(calls, list) and any(map(_is_signed, calls)))


def _is_signed(holder: Any) -> bool:
    extra = holder.get(_EXTRA) if isinstance(holder, dict) else None
    return isinstance(extra, dict) and "google" in extra


def _bare_message(message: Json) -> Json:
    made = dict(_bare(message))
    if isinstance(calls := message.get("tool_calls"), list):
        made["tool_calls"] = [_bare(call) for call in calls]
    return made


def _bare(holder: Any) -> Any:
    return {name: value for name, value in holder.items() if name != _EXTRA} if _is_signed(holder) else holder


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
