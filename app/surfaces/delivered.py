"""Chat and Messages streams that go on in another stream: the text so far, and the seam.

What the next stream repeats is left out: its head, its reasoning, and in a replay the text that the client has. In a
continuation a provider may begin with the white space that the text so far ended in, since some take no text that ends
in it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from app.core.delivered import Diverged
from app.core.json import Json
from app.core.usage import Usage
from app.core.wire import Frame

_CHARS_A_TOKEN = 4


class _Text:
    """What both languages have in common."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._in_text = False  # the last content was plain text
        self._skip = ""  # what the next stream will say again
        self._exact = True  # whether it must
        self._given = 0  # tokens of the text that a continuation was given as its beginning

    @property
    def text(self) -> str:
        return "".join(self._text)

    def can_go_on(self) -> bool:
        return self._in_text and bool(self.text.strip())

    def continued(self, body: Json) -> Json:
        return {**body, "messages": [*body["messages"], {"role": "assistant", "content": self.text.rstrip()}]}

    def goes_on(self) -> None:
        text = self.text
        self._skip, self._exact = text[len(text.rstrip()) :], False
        self._given = len(text) // _CHARS_A_TOKEN

    def begins_again(self) -> None:
        self._skip, self._exact = self.text, True
        self._given = 0

    def _rest(self, said: str) -> str:
        """What of this the client does not have yet."""
        skip = self._skip
        if not skip:
            return said
        if skip.startswith(said):
            self._skip = skip[len(said) :]
            return ""
        self._skip = ""
        if said.startswith(skip):
            return said[len(skip) :]
        if self._exact:
            raise Diverged("the answer is another one this time")
        return said

    def _whole(self) -> None:
        if self._skip and self._exact:
            raise Diverged("the answer ends sooner this time")

    def _usage(self, usage: Usage | None) -> Usage | None:
        """A continuation counts the text so far as input; for the client it is output."""
        if usage is None or not self._given:
            return usage
        return Usage(
            max(0, usage.input - self._given),
            usage.output + self._given,
            usage.cached_input,
            usage.cache_write_input,
            usage.reasoning_output,
        )

    @abstractmethod
    def note(self, frame: Frame) -> None: ...


class ChatDelivered(_Text):
    def __init__(self) -> None:
        super().__init__()
        self._head: Json = {}

    def note(self, frame: Frame) -> None:
        if frame.data is None:
            return
        if not self._head:
            self._head = {name: frame.data[name] for name in ("id", "created") if name in frame.data}
        for choice in frame.data.get("choices") or ():
            delta = choice.get("delta") or {}
            if frame.chars:
                text = delta.get("content") or ""
                self._in_text = len(text) == frame.chars
                if self._in_text:
                    self._text.append(text)

    def join(self, frame: Frame) -> Sequence[Frame]:
        usage = self._usage(frame.usage)
        if frame.data is None:
            return (Frame(None, usage=usage, last=frame.last),)
        data = {**frame.data, **self._head}
        if usage is not None and isinstance(data.get("usage"), dict):
            data["usage"] = {
                **data["usage"],
                "prompt_tokens": usage.input,
                "completion_tokens": usage.output,
                "total_tokens": usage.input + usage.output,
            }
        choices = data.get("choices") or ()
        if not choices:
            return (Frame(data, usage=usage, last=frame.last),)
        (choice,) = choices
        if frame.finish:
            self._whole()
        delta = {
            name: value for name, value in (choice.get("delta") or {}).items() if name in ("content", "tool_calls")
        }
        if isinstance(text := delta.get("content"), str):
            delta["content"] = self._rest(text)
        elif delta.get("tool_calls"):
            self._whole()
        if not delta.get("content") and not delta.get("tool_calls") and not frame.finish:
            return (Frame(None, usage=usage),) if usage is not None else ()
        chars = len(delta.get("content") or "") + (frame.chars if delta.get("tool_calls") else 0)
        data["choices"] = [{**choice, "delta": delta}]
        return (Frame(data, chars=chars, finish=frame.finish, usage=usage, last=frame.last),)


class MessagesDelivered(_Text):
    def __init__(self) -> None:
        super().__init__()
        self._open = -1  # index of the text block that is open
        self._left_out: set[int] = set()  # blocks of the next stream that the client does not get
        self._shift: int | None = None  # from an index of the next stream to the client's

    def goes_on(self) -> None:
        super().goes_on()
        self._left_out, self._shift = set(), None

    def begins_again(self) -> None:
        super().begins_again()
        self._left_out, self._shift = set(), None

    def note(self, frame: Frame) -> None:
        data = frame.data
        if data is None:
            return
        if frame.event == "content_block_start":
            self._open = data["index"] if data["content_block"].get("type") == "text" else -1
            self._in_text = self._open >= 0
        elif frame.event == "content_block_stop":
            self._in_text = False
        elif frame.event == "content_block_delta" and data["delta"].get("type") == "text_delta":
            self._text.append(data["delta"]["text"])

    def join(self, frame: Frame) -> Sequence[Frame]:
        data, usage = frame.data, self._usage(frame.usage)
        if data is None:
            return (Frame(None, usage=usage, last=frame.last),)
        if frame.event == "message_start":
            return ()
        if frame.event == "content_block_start":
            return self._start(data, frame.chars)
        if frame.event in ("content_block_delta", "content_block_stop"):
            return self._block(frame, data)
        if frame.event == "message_delta":
            self._whole()
            if usage is not None:
                counts = {**data.get("usage", {}), "input_tokens": usage.input, "output_tokens": usage.output}
                cached = usage.cached_input + usage.cache_write_input
                data = {**data, "usage": {**counts, "input_tokens": max(0, usage.input - cached)}}
        return (Frame(data, frame.event, frame.chars, frame.finish, usage, frame.last),)

    def _start(self, data: Json, chars: int) -> Sequence[Frame]:
        index, kind = data["index"], data["content_block"].get("type")
        if self._shift is None and kind == "text":  # the block that the client has open
            self._shift = self._open - index
            return ()
        if self._shift is None:  # reasoning, which the client has had or does without
            self._left_out.add(index)
            return ()
        self._whole()
        return (Frame({**data, "index": index + self._shift}, "content_block_start", chars),)

    def _block(self, frame: Frame, data: Json) -> Sequence[Frame]:
        if data["index"] in self._left_out or self._shift is None:
            return ()
        moved = {**data, "index": data["index"] + self._shift}
        delta = data.get("delta") or {}
        if moved["index"] == self._open and delta.get("type") == "text_delta":
            text = self._rest(delta["text"])
            if not text:
                return ()
            return (Frame({**moved, "delta": {**delta, "text": text}}, frame.event, len(text)),)
        if frame.event == "content_block_stop" and moved["index"] == self._open:
            self._whole()
        return (Frame(moved, frame.event, frame.chars),)
