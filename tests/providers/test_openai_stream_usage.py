"""A stream is counted always, and shows its usage once, to who asked."""

from __future__ import annotations

from app.core.json import Json
from app.core.usage import Usage
from tests.providers.talk import asking, chunk, feed, reader, shown, streamed

USAGE: Json = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


def test_usage_is_shown_to_who_asked() -> None:
    ends = (chunk({}, "stop", usage=None), {**chunk(), "choices": [], "usage": USAGE})
    running = chunk({"content": "a"}, usage=None)

    assert [each["usage"] for each in streamed(running, *ends, of=asking())] == [None, None, USAGE]


def test_usage_is_counted_and_not_shown_to_who_did_not_ask() -> None:
    frames = feed(
        reader(),
        chunk({"content": "a"}, usage=None),
        chunk({"content": "b"}, usage=None),
        chunk({}, "stop", usage=None),
        {**chunk(), "choices": [], "usage": USAGE},
    )

    assert ["usage" in (frame.data or {}) for frame in frames] == [False, False, False, False]
    assert (frames[-1].data, frames[-1].usage) == (None, Usage(input=5, output=7))


def test_usage_on_the_finish_chunk_stays_there() -> None:
    """Mistral, DeepSeek, z.ai."""
    chunks = streamed(chunk({"content": "a"}), chunk({"content": ""}, "stop", usage=USAGE), of=asking())

    assert [each.get("usage") for each in chunks] == [None, USAGE]


def test_usage_that_comes_twice_is_shown_once() -> None:
    """Groq."""
    frames = feed(
        reader(asking()),
        chunk({"content": "a"}, x_groq={"id": "req_1"}),
        chunk({}, "stop", usage=USAGE, x_groq={"id": "req_1", "usage": USAGE}),
        {**chunk(), "choices": [], "usage": USAGE},
    )

    assert [each["usage"] for each in shown(frames) if each.get("usage")] == [USAGE]
    assert {frame.usage for frame in frames if frame.usage} == {Usage(input=5, output=7)}


def test_usage_that_only_groq_names_is_counted() -> None:
    frames = feed(reader(), chunk({"content": "a"}), chunk({}, "stop", x_groq={"id": "req_1", "usage": dict(USAGE)}))

    assert frames[-1].usage == Usage(input=5, output=7)
    assert "usage" not in (frames[-1].data or {})


def test_usage_that_only_groq_names_is_shown_to_who_asked() -> None:
    chunks = streamed(
        chunk({"content": "a"}), chunk({}, "stop", x_groq={"id": "req_1", "usage": dict(USAGE)}), of=asking()
    )

    assert [(each["choices"] == [], each.get("usage")) for each in chunks[1:]] == [(False, None), (True, USAGE)]


def test_running_usage_is_shown_at_the_end_only() -> None:
    """Perplexity and Gemini count on every chunk; who adds them up counts too much."""
    running = [
        chunk({"content": "a"}, usage={**USAGE, "completion_tokens": n, "total_tokens": 5 + n}) for n in range(3)
    ]
    frames = feed(reader(asking()), *running, chunk({}, "stop", usage=USAGE))

    assert [each.get("usage") for each in shown(frames)] == [None, None, None, USAGE]
    assert [frame.usage.output for frame in frames if frame.usage] == [0, 1, 2, 7]


def test_running_usage_is_shown_to_who_asked_for_that() -> None:
    options = {"include_usage": True, "continuous_usage_stats": True}
    chunks = streamed(
        chunk({"content": "a"}, usage=USAGE), chunk({}, "stop", usage=USAGE), of=asking(stream_options=options)
    )

    assert [each["usage"] for each in chunks] == [USAGE, USAGE]


def test_reasoning_tokens_beside_the_completion_are_added_to_it() -> None:
    """xAI; what the official types call total is the sum of its two parts."""
    raw = {
        "prompt_tokens": 5,
        "completion_tokens": 7,
        "total_tokens": 112,
        "completion_tokens_details": {"reasoning_tokens": 100},
    }
    frames = feed(
        reader(asking()), chunk({"content": "a"}), chunk({}, "stop"), {**chunk(), "choices": [], "usage": raw}
    )

    assert frames[-1].usage == Usage(input=5, output=107, reasoning_output=100)
    assert shown(frames)[-1]["usage"]["completion_tokens"] == 107
