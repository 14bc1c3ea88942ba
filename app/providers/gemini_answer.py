"""What Gemini says, in the words of chat: parts, reasons, log probabilities, sources; and plain answers whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.core.errors import ErrorType, GatewayError
from app.core.ids import completion_id, tool_call_id
from app.core.json import Json, dumps
from app.core.provider import Provider
from app.core.wire import Ask, Frame
from app.providers.anthropic_usage import chat_usage
from app.providers.chat_writing import said as as_text
from app.providers.gemini_usage import usage_of
from app.providers.signatures import extra_content

_FILTERED = (
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "MODEL_ARMOR",
    "ESCALATION",
)

#: Why an answer ended, in OpenAI's words. What stands nowhere here (MALFORMED_FUNCTION_CALL, OTHER ...) went wrong.
FINISH: Mapping[str, str] = {
    "STOP": "stop",
    "FINISH_REASON_UNSPECIFIED": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(_FILTERED, "content_filter"),
}

#: Servers that write enums as numbers.
_NUMBERS = ("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "BLOCKLIST",
            "PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """One part of an answer: text, thought, or a tool call. `signature` belongs to the part."""

    text: str = ""
    thought: str = ""
    call: Json | None = None
    signature: str | None = None

    @property
    def chars(self) -> int:
        if self.call is None:
            return len(self.text) + len(self.thought)
        function = self.call["function"]
        return len(function["name"]) + len(function["arguments"])


def parts_of(candidate: Json) -> Iterator[Said]:
    """What of a candidate is said to the client. The calls and results of Google's own tools are not."""
    content = candidate.get("content")
    for part in (content.get("parts") or ()) if isinstance(content, dict) else ():
        signature = part.get("thoughtSignature")
        if called := part.get("functionCall"):
            yield Said(call=_call(called, signature), signature=signature)
        elif (text := part.get("text")) is not None:
            text = as_text(text)
            if part.get("thought"):
                yield Said(thought=text)
            else:
                yield Said(text=text, signature=signature)


def reason_of(candidate: Json) -> str | None:
    """Gemini's word for why a candidate ended, None while it has not."""
    reason = candidate.get("finishReason")
    if isinstance(reason, int) and not isinstance(reason, bool):
        reason = _NUMBERS[reason] if 0 <= reason < len(_NUMBERS) else "OTHER"
    return reason if isinstance(reason, str) and reason else None


def finish_of(reason: str, provider: Provider, *, called: bool, said: bool) -> str:
    """The same in OpenAI's words: Gemini says STOP over calls, too.

    Raises:
        GatewayError: invalid_response: the model went wrong before it said anything.
    """
    finish = FINISH.get(reason)
    if finish is None and not said:
        message = f"{provider.name} ended its answer with {reason[:64]} and without content"
        raise GatewayError(ErrorType.INVALID_RESPONSE, message, provider=provider.name)
    if called and finish in (None, "stop"):
        return "tool_calls"
    return finish or "stop"


def blocked(body: Json, provider: Provider) -> GatewayError | None:
    """A prompt that was blocked has no candidates but a reason."""
    feedback = body.get("promptFeedback")
    reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
    if not reason or body.get("candidates"):
        return None
    more = feedback.get("blockReasonMessage") if isinstance(feedback, dict) else None
    message = f"{provider.name} blocked the prompt: {str(reason)[:64]}" + (f": {str(more)[:512]}" if more else "")
    return GatewayError(ErrorType.CONTENT_FILTER, message, provider=provider.name)


def completion(ask: Ask, provider: Provider, body: Json) -> Frame:
    """A GenerateContent answer as a chat completion.

    Raises:
        GatewayError: the prompt was blocked, or the model went wrong before it said anything.
    """
    if error := blocked(body, provider):
        raise error
    candidates = body["candidates"]
    if not isinstance(candidates, list) or not candidates:
        raise ValueError("no candidates")
    usage = usage_of(body.get("usageMetadata"))
    choices, chars = [], 0
    for at, candidate in enumerate(candidates):
        choice, length = _choice(candidate, at, provider)
        choices.append(choice)
        chars += length
    made: Json = {
        "id": completion_id(),
        "object": "chat.completion",
        "created": ask.created,
        "model": model_of(body, ask),
        "choices": choices,
    }
    if usage is not None:
        made["usage"] = chat_usage(usage)
    return Frame(made, chars=chars, finish=choices[0]["finish_reason"], usage=usage, last=True)


def model_of(body: Json, ask: Ask) -> str:
    return str(body.get("modelVersion") or ask.body.get("model") or "")


def logprobs_of(candidate: Json) -> Json | None:
    result = candidate.get("logprobsResult")
    if not isinstance(result, dict):
        return None
    tops = result.get("topCandidates") or []
    tokens = []
    for at, chosen in enumerate(result.get("chosenCandidates") or ()):
        others = (tops[at].get("candidates") or ()) if at < len(tops) else ()
        tokens.append({**_logprob(chosen), "top_logprobs": [_logprob(each) for each in others]})
    return {"content": tokens, "refusal": None}


def annotations_of(candidate: Json, text: str) -> list[Json]:
    """The pages that parts of the text rest on. Gemini counts bytes of UTF-8, OpenAI characters."""
    grounding = candidate.get("groundingMetadata")
    if not isinstance(grounding, dict):
        return []
    chunks = [each.get("web") or {} for each in grounding.get("groundingChunks") or ()]
    found, raw = [], text.encode()
    for support in grounding.get("groundingSupports") or ():
        segment = support.get("segment") or {}
        start, end = (len(raw[: segment.get(name) or 0].decode(errors="ignore")) for name in ("startIndex", "endIndex"))
        for at in support.get("groundingChunkIndices") or ():
            if at < len(chunks) and (uri := chunks[at].get("uri")):
                title = chunks[at].get("title") or ""
                page = {"url": uri, "title": title, "start_index": start, "end_index": end}
                found.append({"type": "url_citation", "url_citation": page})
    return found


def _choice(candidate: Json, at: int, provider: Provider) -> tuple[Json, int]:
    parts = list(parts_of(candidate))
    texts = [part.text for part in parts if part.text]
    said: Json = {"role": "assistant", "content": "".join(texts) if texts else None, "refusal": None}
    if thoughts := [part.thought for part in parts if part.thought]:
        said["reasoning_content"] = "".join(thoughts)
    if calls := [part.call for part in parts if part.call]:
        said["tool_calls"] = calls
    if signatures := [part.signature for part in parts if part.signature and part.call is None]:
        said["extra_content"] = extra_content(signatures[-1])
    if sources := annotations_of(candidate, "".join(texts)):
        said["annotations"] = sources
    chars = sum(part.chars for part in parts)
    finish = finish_of(reason_of(candidate) or "STOP", provider, called=bool(calls), said=chars > 0)
    index = candidate.get("index")
    if index.__class__ is not int:
        index = at
    return {"index": index, "message": said, "finish_reason": finish, "logprobs": logprobs_of(candidate)}, chars


def _call(called: Json, signature: str | None) -> Json:
    """A call as chat has it. Older models give no id."""
    function = {"name": as_text(called["name"]), "arguments": dumps(called.get("args") or {}).decode()}
    made: Json = {"id": as_text(called.get("id")) or tool_call_id(), "type": "function", "function": function}
    if signature:
        made["extra_content"] = extra_content(signature)
    return made


def _logprob(token: Any) -> Json:
    text = str(token.get("token") or "")
    return {"token": text, "logprob": float(token.get("logProbability") or 0.0), "bytes": list(text.encode())}
