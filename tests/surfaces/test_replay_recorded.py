"""Recorded answers in the other form: streams put together, plain answers told in events, and both again."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from app.core.errors import GatewayError
from app.core.json import Json, dumps, loads
from app.core.language import Language
from app.core.replay import Replay
from app.core.wire import Ask, Event, Frame, Operation
from app.providers import registry
from app.surfaces import LANGUAGES, MESSAGES
from tests.recorded.official import refused
from tests.standin import Exchange, load_index, load_recording, recordings_dir

pytestmark = pytest.mark.skipif(recordings_dir() is None, reason="../shared/recordings is absent")

CHAT, TEXT = LANGUAGES["/v1/chat/completions"], LANGUAGES["/v1/completions"]
OURS = {"chat": CHAT, "completions": TEXT, "messages": MESSAGES, "responses": LANGUAGES["/v1/responses"]}

#: Said by a stream in a way that nobody puts together.
STRANGE = frozenset({"executed_tools", "function_call", "audio"})


def rows(*operations: str) -> list[Any]:
    directory = recordings_dir()
    known = load_index(directory) if directory else []
    spoken = {*registry.kinds(), "gpustack"}
    return [
        pytest.param(row, id=row.id)
        for row in known
        if row.operation in operations and row.status == 200 and row.provider in spoken
    ]


def asked(exchange: Exchange, *, stream: bool) -> tuple[Any, Ask]:
    operation = Operation(exchange.operation.removesuffix("_stream"))
    kind = exchange.provider if exchange.provider in registry.kinds() else "compatible"
    provider = registry.build(exchange.provider, kind, base_url="http://127.0.0.1:1/v1", key="k")
    if operation not in provider.dialect.native:
        pytest.skip("not in this language")
    ask = Ask(operation=operation, body=exchange.request.body, stream=stream, wants_usage=True, created=1)
    return provider, ask


def events(body: bytes) -> list[Event]:
    made = []
    for each in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        lines = [line.partition(b":") for line in each.split(b"\n") if line]
        data = [rest.lstrip() for name, _, rest in lines if name == b"data"]
        names = [rest.strip() for name, _, rest in lines if name == b"event"]
        if data:
            made.append(Event(b"\n".join(data), names[0] if names else None))
    return made


def replay_of(language: Language) -> Replay:
    replay = language.replay()
    assert replay is not None
    return replay


@pytest.mark.parametrize("row", rows("chat_stream", "completions_stream", "messages_stream", "responses_stream"))
def test_a_stream_is_put_together_to_an_official_answer_that_says_the_same(row: Any) -> None:
    exchange = load_recording(row.path)
    if b"data:" not in exchange.response.body:
        pytest.skip("in the provider's own form")
    provider, ask = asked(exchange, stream=True)
    reader, collected = provider.dialect.reader(ask, provider), replay_of(OURS[ask.operation]).collect()
    frames: list[Frame] = []
    for event in events(exchange.response.body):
        with contextlib.suppress(ValueError):
            try:
                frames += reader.feed(event)
            except GatewayError:
                pytest.skip("ends in an error")
    if not reader.complete:
        pytest.skip("breaks off")
    if not reader.done:
        frames += reader.end()
    sent = loads(dumps([frame.data for frame in frames if frame.data is not None]))
    for frame in frames:
        collected.add(frame)

    answer = collected.answer()

    if answer is None:
        assert STRANGE & {name for chunk in sent for choice in chunk["choices"] for name in choice["delta"]}
        return
    assert refused(ask.operation, loads(dumps(answer))) == []
    said = told_in(ask.operation, answer)
    assert said == told_by(ask.operation, sent)
    assert any(said) or not sum(frame.chars for frame in frames)
    again_and_again(ask.operation, answer)


@pytest.mark.parametrize("row", rows("chat", "completions", "messages", "responses"))
def test_a_plain_answer_is_told_in_official_events_that_say_the_same(row: Any) -> None:
    exchange = load_recording(row.path)
    provider, ask = asked(exchange, stream=False)
    try:
        frame = provider.dialect.decode(ask, provider, loads(exchange.response.body))
    except (GatewayError, ValueError):
        pytest.skip("no answer")
    assert frame.data is not None
    if any(choice.get("message", {}).get("audio") for choice in frame.data.get("choices", ())):
        assert replay_of(OURS[ask.operation]).stream(frame.data, usage=True) is None
        return
    again_and_again(ask.operation, frame.data)


def again_and_again(operation: Operation, answer: Json) -> None:
    """Told as a stream, that put together, and told again."""
    replay = replay_of(OURS[operation])
    frames = replay.stream(loads(dumps(answer)), usage=True)
    assert frames is not None
    assert [frame.last for frame in frames] == [*(False for _ in frames[1:]), True]
    sent = loads(dumps([frame.data for frame in frames]))
    kind = f"{operation}_stream"
    assert [problem for event in sent for problem in refused(kind, event)] == []
    assert told_by(operation, sent) == told_in(operation, answer)

    collected = replay.collect()
    for frame in frames:
        collected.add(frame)
    answer_again = collected.answer()
    if answer_again is None:
        assert STRANGE & {name for chunk in sent for choice in chunk["choices"] for name in choice["delta"]}
        return
    assert told_in(operation, answer_again) == told_in(operation, answer)
    assert refused(operation, loads(dumps(answer_again))) == []
    assert answer_again.get("usage") == answer.get("usage")


def told_in(operation: Operation, answer: Json) -> list[Any]:
    """What a plain answer says, whatever its form is."""
    if operation is Operation.MESSAGES:
        return [*map(_block, answer["content"]), answer["stop_reason"], answer.get("stop_sequence")]
    if operation is Operation.RESPONSES:
        return [answer["status"], *((item["type"], *_texts(item)) for item in answer["output"])]
    if operation is Operation.COMPLETIONS:
        return [(choice["text"], choice["finish_reason"], choice.get("logprobs")) for choice in answer["choices"]]
    return [_choice(c["message"], c["finish_reason"], c.get("logprobs")) for c in answer["choices"]]


def told_by(operation: Operation, sent: list[Json]) -> list[Any]:
    """What the events of a stream say, as a client adds them up."""
    if operation is Operation.MESSAGES:
        return _told_by_events(sent)
    if operation is Operation.RESPONSES:
        return _told_by_typed_events(sent)
    by_choice: dict[int, list[Json]] = {}
    for chunk in sent:
        for choice in chunk["choices"]:
            by_choice.setdefault(choice["index"], []).append(choice)
    return [_summed(operation, choices) for _, choices in sorted(by_choice.items())]


def _texts(item: Json) -> list[str]:
    """Of the parts of an item, or its arguments."""
    parts = [*(item.get("summary") or ()), *(item.get("content") or ())]
    texts = [str(part.get("text", part.get("refusal"))) for part in parts]
    return [*texts, item["arguments"]] if item["type"] == "function_call" else texts


def _told_by_typed_events(sent: list[Json]) -> list[Any]:
    """What the deltas of each part make up, in the order of the items."""
    told: dict[int, tuple[str, dict[Any, str]]] = {}
    for event in sent:
        if event["type"] == "response.output_item.added":
            told[event["output_index"]] = (event["item"]["type"], {})
        elif "delta" in event and event["type"].split(".")[1] != "mcp_call_arguments":
            part = (event.get("summary_index", 99), event.get("content_index", 0))
            texts = told[event["output_index"]][1]
            texts[part] = texts.get(part, "") + event["delta"]
    ends = sent[-1]["type"].removeprefix("response.")
    return [ends, *((kind, *(text for _, text in sorted(texts.items()))) for _, (kind, texts) in sorted(told.items()))]


def _summed(operation: Operation, choices: list[Json]) -> Any:
    (finish,) = [choice["finish_reason"] for choice in choices if choice.get("finish_reason")]
    if operation is Operation.COMPLETIONS:
        logprobs = [choice["logprobs"] for choice in choices if choice.get("logprobs")]
        summed = {n: [x for each in logprobs for x in each.get(n) or ()] for n in logprobs[0]} if logprobs else None
        return "".join(choice["text"] for choice in choices), finish, summed
    message: Json = {}
    for choice in choices:
        for name, value in choice["delta"].items():
            if isinstance(value, str) and name != "role":
                message[name] = (message.get(name) or "") + value
            elif name == "tool_calls":
                _add_calls(message.setdefault(name, {}), value or [])
            elif isinstance(value, list):
                message[name] = [*message.get(name, ()), *value]
    message["tool_calls"] = [message["tool_calls"][at] for at in sorted(message.get("tool_calls", ()))]
    logprobs = [choice["logprobs"] for choice in choices if choice.get("logprobs")]
    summed = {n: [x for each in logprobs for x in each.get(n) or ()] for n in ("content", "refusal")}
    return _choice(message, finish, summed)


def _add_calls(calls: dict[int, Json], fragments: list[Json]) -> None:
    for fragment in fragments:
        call = calls.setdefault(fragment["index"], {"function": {}, "custom": {}})
        call["id"] = fragment.get("id") or call["id"]
        for kind in ("function", "custom"):
            for name, value in fragment.get(kind, {}).items():
                call[kind][name] = call[kind].get(name, "") + value


def _choice(message: Json, finish: str, logprobs: Any) -> Any:
    calls = [(c["id"], _known(c.get("function")), _known(c.get("custom"))) for c in message.get("tool_calls") or ()]
    thoughts = [{n: v for n, v in block.items() if n != "index"} for block in message.get("thinking_blocks") or ()]
    texts = [message.get(name) or "" for name in ("content", "refusal", "reasoning_content")]
    tokens = [token for name in ("content", "refusal") for token in (logprobs or {}).get(name) or ()]
    return texts, calls, thoughts, len(message.get("annotations") or ()), tokens, finish


def _known(part: Json | None) -> Json:
    return {name: value for name, value in (part or {}).items() if value is not None}


def _told_by_events(sent: list[Json]) -> list[Any]:
    blocks: list[Json] = []
    for event in sent:
        if event["type"] == "content_block_start":
            blocks.append({**event["content_block"], "json": ""})
        elif event["type"] == "content_block_delta":
            block, delta = blocks[-1], event["delta"]
            for name in ("text", "thinking", "signature"):
                if name in delta:
                    block[name] += delta[name]
            block["json"] += delta.get("partial_json", "")
            if "citation" in delta:
                block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
    (end,) = [event["delta"] for event in sent if event["type"] == "message_delta"]
    for block in blocks:
        if text := block.pop("json"):
            block["input"] = loads(text)
    return [*map(_block, blocks), end["stop_reason"], end.get("stop_sequence")]


def _block(block: Json) -> Json:
    return {name: value for name, value in block.items() if value or name in ("type", "input")}


def test_there_is_something_to_tell() -> None:
    assert len(rows("chat_stream", "messages_stream")) > 100
