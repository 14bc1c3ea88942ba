"""Streams of text completions."""

from __future__ import annotations

from app.core.json import Json
from app.core.usage import Usage
from app.core.wire import Operation
from tests.providers.talk import ask, feed, finishes_of, reader, shown, streamed

USAGE: Json = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


def text(said: str, finish: str | None = None, index: int = 0, **more: object) -> Json:
    choice = {"text": said, "index": index, "logprobs": None, "finish_reason": finish}
    return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m", "choices": [choice], **more}


def test_text_completions_travel_unchanged() -> None:
    chunks = [text("a"), text("b"), text("", "length")]

    assert streamed(*chunks, of=ask(Operation.COMPLETIONS, stream=True, prompt="x")) == chunks


def test_a_batch_of_prompts_is_complete_when_each_is() -> None:
    stream = reader(ask(Operation.COMPLETIONS, stream=True, prompt=["x", "y"]))

    feed(stream, text("a", "stop"))
    assert not stream.complete
    feed(stream, text("a", "length", index=1))
    assert stream.complete


def test_a_list_of_tokens_is_one_prompt() -> None:
    stream = reader(ask(Operation.COMPLETIONS, stream=True, prompt=[1, 2]))
    feed(stream, text("a", "stop"))

    assert stream.complete


def test_text_completions_take_their_names_from_the_official_types() -> None:
    frames = feed(
        reader(ask(Operation.COMPLETIONS, stream=True, prompt="x"), "together"),
        text("a", object="text.completion"),
        text("b", "eos", object="text.completion", usage=USAGE),
    )

    assert [each["object"] for each in shown(frames)] == ["text_completion"] * 2
    assert (finishes_of(shown(frames)), frames[-1].usage) == (["stop"], Usage(input=5, output=7))


def test_a_text_that_ends_without_a_finish_reason_gets_one() -> None:
    chunks = streamed(text("a"), of=ask(Operation.COMPLETIONS, stream=True, prompt="x"))

    assert finishes_of(chunks) == ["stop"]
    assert {each["id"] for each in chunks} == {"cmpl-1"}


def test_a_text_without_an_id_gets_one_of_its_kind() -> None:
    (first, *_) = streamed(text("a", "stop", id=""), of=ask(Operation.COMPLETIONS, stream=True, prompt="x"))

    assert first["id"].startswith("cmpl-")
