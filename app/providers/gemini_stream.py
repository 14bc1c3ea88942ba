"""A stream of Gemini's as chat chunks.

Each event is a small answer of its own: whole parts, the counts so far, and in one of the last events why it ended.
Nothing marks the end but the end, and a signature may still come after the reason; so the reason is told last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.core.errors import GatewayError
from app.core.ids import completion_id
from app.core.json import Json, loads
from app.core.provider import Provider
from app.core.usage import Usage
from app.core.wire import Ask, Event, Frame
from app.providers.anthropic_usage import chat_usage
from app.providers.gemini_answer import (
    Said,
    annotations_of,
    blocked,
    finish_of,
    logprobs_of,
    model_of,
    parts_of,
    reason_of,
)
from app.providers.gemini_usage import usage_of
from app.providers.signatures import extra_content

Failed = Callable[[bytes], GatewayError]  # an error event, decoded


@dataclass(slots=True)
class _Choice:
    """One candidate so far. `reason` is Gemini's word for its end."""

    calls: int = 0
    said: bool = False
    reason: str | None = None
    signature: str | None = None  # of the text
    texts: list[str] = field(default_factory=list)
    grounded: Json | None = None  # the last candidate that says what the text rests on


class ChatReader:
    """For a stream of GenerateContent answers."""

    def __init__(self, ask: Ask, provider: Provider, failed: Failed) -> None:
        self.complete = False
        self.done = False
        self._ask = ask
        self._provider = provider
        self._failed = failed
        self._choices: dict[int, _Choice] = {}
        self._usage: Usage | None = None
        self._envelope: Json = {
            "id": completion_id(),
            "object": "chat.completion.chunk",
            "created": ask.created,
            "model": "",
        }
        if ask.wants_usage:
            self._envelope["usage"] = None

    def feed(self, event: Event) -> Sequence[Frame]:
        data = loads(event.data)
        try:
            if isinstance(data, list) or "error" in data:
                raise self._failed(event.data)
            if error := blocked(data, self._provider):
                raise error
            return self._answer(data)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not an answer of Gemini's") from error

    def end(self) -> Sequence[Frame]:
        self.done = True
        frames = []
        for index, choice in sorted(self._choices.items()):
            if more := _beside(choice):
                frames.append(Frame(self._chunk(index, more)))
            called = choice.calls > 0
            finish = finish_of(choice.reason or "STOP", self._provider, called=called, said=choice.said)
            frames.append(Frame(self._chunk(index, {}, finish), finish=finish, usage=self._usage))
        if self._ask.wants_usage and self._usage is not None:
            frames.append(Frame({**self._envelope, "choices": [], "usage": chat_usage(self._usage)}))
        frames.append(Frame(None, usage=self._usage, last=True))
        return frames

    def _answer(self, data: Json) -> Sequence[Frame]:
        self._usage = usage_of(data.get("usageMetadata")) or self._usage
        if not self._envelope["model"]:
            self._envelope["model"] = model_of(data, self._ask)
        frames: list[Frame] = []
        for candidate in data.get("candidates") or ():
            frames += self._candidate(candidate)
        if self._usage is not None:
            frames.append(Frame(None, usage=self._usage))  # for the books, should the client leave early
        return frames

    def _candidate(self, candidate: Json) -> list[Frame]:
        index = candidate.get("index")
        if index.__class__ is not int:
            index = 0
        frames = []
        if index not in self._choices:
            self._choices[index] = _Choice()
            frames.append(Frame(self._chunk(index, {"role": "assistant", "content": "", "refusal": None})))
        choice = self._choices[index]
        logprobs = logprobs_of(candidate)
        for part in parts_of(candidate):
            delta = _delta(part, choice)
            if delta:
                frames.append(Frame(self._chunk(index, delta, logprobs=logprobs), None, part.chars))
                logprobs = None
        if candidate.get("groundingMetadata"):
            choice.grounded = candidate
        if reason := reason_of(candidate):
            choice.reason = reason
            finish_of(reason, self._provider, called=choice.calls > 0, said=choice.said)  # or it went wrong
        self.complete = all(each.reason for each in self._choices.values())
        return frames

    def _chunk(self, index: int, delta: Json, finish: str | None = None, logprobs: Json | None = None) -> Json:
        choice = {"index": index, "delta": delta, "finish_reason": finish, "logprobs": logprobs}
        return {**self._envelope, "choices": [choice]}


def _delta(part: Said, choice: _Choice) -> Json:
    """A part as a delta; {} for one in which there is nothing. A call comes whole."""
    choice.said = choice.said or part.chars > 0
    if part.call is not None:
        choice.calls += 1
        return {"tool_calls": [{"index": choice.calls - 1, **part.call}]}
    made: Json = {}
    if part.thought:
        made["reasoning_content"] = part.thought
    if part.text:
        made["content"] = part.text
        choice.texts.append(part.text)
    choice.signature = part.signature or choice.signature
    return made


def _beside(choice: _Choice) -> Json:
    """What belongs to the whole text. Said once, since SDKs add up what comes in pieces."""
    made: Json = {}
    if choice.signature:
        made["extra_content"] = extra_content(choice.signature)
    if choice.grounded and (sources := annotations_of(choice.grounded, "".join(choice.texts))):
        made["annotations"] = [{"index": at, **source} for at, source in enumerate(sources)]
    return made
