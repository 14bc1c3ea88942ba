"""Chat: a stream's chunks put together to a completion, and a completion told in chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.core.json import Json
from app.core.replay import Collected, pieces
from app.core.usage import Usage
from app.core.wire import Frame

_JOINED = ("content", "refusal", "reasoning_content", "reasoning")
_CHUNK = "chat.completion.chunk"

_DETAILS = "reasoning_details"  # OpenRouter's: entries that come in pieces, each with the index of its own
_JOINED_DETAILS = ("text", "summary", "data", "signature")

#: Of a chunk and of a choice, beside what every one has: what the plain form says, too. The last word counts.
_NOT_IN_PLAIN = frozenset({"object", "choices", "usage", "obfuscation"})
_OF_EACH_CHUNK = ("role", "channel", "token_id")
_BESIDE_A_CHOICE = ("stop_reason", "native_finish_reason", "content_filter_results")


class ChatReplay:
    def collect(self) -> Collected:
        return _Chat()

    def stream(self, answer: Json, *, usage: bool) -> Sequence[Frame] | None:
        if any(choice["message"].get("audio") for choice in answer["choices"]):
            return None  # a stream's sound has another format
        head: Json = {name: value for name, value in answer.items() if name not in _NOT_IN_PLAIN}
        head["object"] = _CHUNK
        counts = answer.get("usage") if usage else None
        if counts is not None:
            head["usage"] = None
        frames = [frame for choice in answer["choices"] for frame in _chunks(head, choice)]
        if counts is not None:
            frames.append(Frame({**head, "choices": [], "usage": counts}))
        frames[-1].last = True
        return frames


def chat_usage(usage: Usage) -> Json:
    """In OpenAI's form."""
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached_input},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_output},
    }


class Head:
    """What chunks have in common, and their usage: shown where the client asked for it, else only in the books."""

    __slots__ = ("_shown", "_top", "_usage")

    def __init__(self) -> None:
        self._top: Json = {}
        self._shown: Json | None = None
        self._usage: Usage | None = None

    def add(self, frame: Frame) -> None:
        if frame.usage is not None:
            self._usage = frame.usage
        if (data := frame.data) is None:
            return
        if shown := data.get("usage"):
            self._shown = shown
        for name, value in data.items():
            if value is not None and name not in _NOT_IN_PLAIN:
                self._top[name] = value

    def answer(self, kind: str, choices: list[Json]) -> Json:
        made = {**self._top, "object": kind, "choices": choices}
        if self._shown is not None:
            made["usage"] = self._shown
        elif self._usage is not None:
            made["usage"] = chat_usage(self._usage)
        return made


class _Chat:
    __slots__ = ("_choices", "_head")

    def __init__(self) -> None:
        self._head = Head()
        self._choices: dict[int, _Choice] = {}

    def add(self, frame: Frame) -> None:
        self._head.add(frame)
        if frame.data is None:
            return
        for choice in frame.data.get("choices") or ():
            index = choice["index"]
            known = self._choices.get(index)
            if known is None:
                known = self._choices[index] = _Choice()
            known.add(choice)

    def answer(self) -> Json | None:
        choices = [known.answer(index) for index, known in sorted(self._choices.items())]
        whole = [choice for choice in choices if choice is not None]
        return self._head.answer("chat.completion", whole) if whole and len(whole) == len(choices) else None


class _Choice:
    __slots__ = ("_beside", "_calls", "_extra", "_finish", "_lists", "_logprobs", "_strange", "_texts")

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}
        self._calls: dict[int, Json] = {}
        self._lists: dict[str, list[Json]] = {}  # thinking_blocks, annotations, citations
        self._extra: Json = {}  # Google's signature of the text
        self._logprobs: dict[str, list[Any]] | None = None
        self._beside: Json = {}
        self._finish: str | None = None
        self._strange = False  # something that nobody here knows how to put together

    def add(self, choice: Json) -> None:
        for name, value in choice["delta"].items():
            if name in _JOINED and value is not None:
                self._texts.setdefault(name, []).append(value)
            elif value and name not in _OF_EACH_CHUNK:
                self._add_list(name, value)
        if choice.get("finish_reason") is not None:
            self._finish = choice["finish_reason"]
        if choice.get("logprobs"):
            self._add_logprobs(choice["logprobs"])
        self._beside.update({name: choice[name] for name in _BESIDE_A_CHOICE if choice.get(name)})

    def answer(self, index: int) -> Json | None:
        if self._finish is None or self._strange:
            return None
        texts = {name: "".join(said) for name, said in self._texts.items()}
        calls = [_joined(call) for _, call in sorted(self._calls.items())]
        content = texts.get("content") or (None if calls or texts.get("refusal") else "")
        message: Json = {"role": "assistant", "content": content, "refusal": texts.get("refusal") or None}
        for name in ("reasoning_content", "reasoning"):
            if texts.get(name):
                message[name] = texts[name]
        if calls:
            message["tool_calls"] = calls
        message.update(self._lists, **self._extra)
        logprobs = None
        if self._logprobs is not None:
            logprobs = {"content": None, "refusal": None, **self._logprobs}
        made = {"index": index, "message": message, "logprobs": logprobs, "finish_reason": self._finish}
        return {**made, **self._beside}

    def _add_list(self, name: str, value: Any) -> None:
        if name == "tool_calls":
            for fragment in value:
                self._fragment(self._calls.setdefault(fragment["index"], {}), fragment)
        elif name in ("thinking_blocks", "annotations", "citations"):
            self._lists.setdefault(name, []).extend(_unnumbered(value))
        elif name == _DETAILS:
            for piece in value:
                _add_detail(self._lists.setdefault(name, []), piece)
        elif name == "extra_content":
            self._extra = {name: value}
        else:
            self._strange = True

    def _fragment(self, call: Json, fragment: Json) -> None:
        """A piece of a call; `_joined` makes one text of each list."""
        for name, value in fragment.items():
            if name in ("function", "custom"):
                whole = call.setdefault(name, {})
                for part, said in value.items():
                    if part in ("arguments", "input"):
                        whole.setdefault(part, []).append(said)
                    else:
                        whole[part] = said
            elif name != "index":
                call[name] = value

    def _add_logprobs(self, logprobs: Json) -> None:
        kept = self._logprobs = self._logprobs or {}
        for name, tokens in logprobs.items():
            if isinstance(tokens, list):
                kept.setdefault(name, []).extend(tokens)


def _add_detail(details: list[Json], piece: Json) -> None:
    if not details or details[-1].get("index") != piece.get("index") or details[-1].get("type") != piece.get("type"):
        details.append(dict(piece))
        return
    last = details[-1]
    for name, value in piece.items():
        if name in _JOINED_DETAILS and isinstance(last.get(name), str) and isinstance(value, str):
            last[name] += value
        elif value is not None:
            last[name] = value


def _joined(call: Json) -> Json:
    made = dict(call)
    for name in ("function", "custom"):
        if name in made:
            parts = made[name].items()
            made[name] = {part: "".join(said) if isinstance(said, list) else said for part, said in parts}
    return made


def _unnumbered(entries: Sequence[Json]) -> Iterator[Json]:
    """Only streams number the entries of lists."""
    for entry in entries:
        yield {name: value for name, value in entry.items() if name != "index"}


def _chunks(head: Mapping[str, Any], choice: Json) -> Iterator[Frame]:
    index, logprobs = choice["index"], choice.get("logprobs")

    def chunk(delta: Json, chars: int = 0, finish: str | None = None, **beside: Any) -> Frame:
        nonlocal logprobs
        made = {"index": index, "delta": delta, "finish_reason": finish, "logprobs": None}
        if logprobs is not None and (chars or finish):
            made["logprobs"], logprobs = logprobs, None
        return Frame({**head, "choices": [{**made, **beside}]}, chars=chars, finish=finish)

    message = choice["message"]
    rest = {name: value for name, value in message.items() if name not in ("role", *_JOINED, "tool_calls")}
    yield chunk({"role": "assistant", "content": None if message.get("content") is None else "", "refusal": None})
    yield from _told(message, chunk)
    for at, call in enumerate(message.get("tool_calls") or ()):
        said = call.get("function") or call.get("custom") or {}
        chars = len(said.get("arguments") or said.get("input") or "") + len(said.get("name") or "")
        yield chunk({"tool_calls": [{**_said(call), "index": at}]}, chars)
    if rest := {name: _numbered(value) for name, value in rest.items() if value}:
        yield chunk(rest)
    beside = {name: choice[name] for name in _BESIDE_A_CHOICE if name in choice}
    yield chunk({}, finish=choice["finish_reason"], **beside)


def _told(message: Json, chunk: Any) -> Iterator[Frame]:
    """Its texts, thoughts first."""
    thoughts = message.get("reasoning_content") or message.get("reasoning") or ""
    names = [name for name in ("reasoning_content", "reasoning") if message.get(name) == thoughts]
    for piece in pieces(thoughts):
        yield chunk(dict.fromkeys(names, piece), len(piece))
    for name in ("content", "refusal"):
        for piece in pieces(message.get(name) or ""):
            yield chunk({name: piece}, len(piece))


def _said(call: Json) -> Json:
    """Without its nulls, which clients that add pieces up take for a part of them."""
    return {
        name: _said(value) if isinstance(value, dict) else value for name, value in call.items() if value is not None
    }


def _numbered(value: Any) -> Any:
    """OpenAI's SDK adds lists in deltas up by the index of their entries, and insists on one."""
    if not isinstance(value, list):
        return value
    return [{"index": at, **entry} if isinstance(entry, dict) else entry for at, entry in enumerate(value)]
