"""Which answers are kept, and how each form is told again in either form."""

from __future__ import annotations

import pytest

from app.cache.responses import Bounds
from app.core.errors import ErrorType, GatewayError
from app.store.store import Store
from tests.cache.given import ANSWER, BODY, OTHER, TARGETS, Clock, Worker, asks, plain, said, streamed


def failed(kind: ErrorType) -> GatewayError:
    return GatewayError(kind, "it went wrong", provider="alpha")


def test_a_stream_that_broke_is_not_kept(worker: Worker) -> None:
    first = worker.call(stream=True)
    first.fetch()
    first.answered(*streamed("Hi", " there")[:-3], error=failed(ErrorType.STREAM_INTERRUPTED))

    assert asks(worker)
    assert ("set", "ok") not in worker.counted


def test_a_stream_that_the_client_left_is_not_kept(worker: Worker) -> None:
    first = worker.call(stream=True)
    first.fetch()
    first.exchange.attempt(TARGETS[0])
    frames = iter([(frame,) for frame in streamed("Hi", " there")])
    reply = first.exchange.hand_over(first.visit.keep(frames))
    for _ in range(3):
        next(reply)
    reply.close()

    assert asks(worker)


def test_a_stream_that_went_on_in_another_one_is_not_kept(worker: Worker) -> None:
    first = worker.call(stream=True)
    first.fetch()
    first.exchange.rescued = 1
    first.answered(*streamed("Hi", " there"))

    assert asks(worker)


def test_the_answer_of_another_model_is_not_kept(worker: Worker) -> None:
    first = worker.call()
    first.fetch()
    first.answered(plain(), by=OTHER)

    assert asks(worker)
    assert worker.counted["set", "skipped"] == 1


@pytest.mark.parametrize("stream", [False, True])
def test_what_a_filter_cut_short_is_not_kept(worker: Worker, stream: bool) -> None:
    first = worker.call(stream=stream)
    first.fetch()
    first.answered(*(streamed("Hi", finish="content_filter") if stream else [plain(finish="content_filter")]))

    assert asks(worker)


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_too_large_is_not_kept(store: Store, clock: Clock, stream: bool) -> None:
    worker = Worker(store, clock, bounds=Bounds(max_bytes=100))
    first = worker.call(stream=stream)
    first.fetch()
    first.answered(*(streamed("x" * 60, "y" * 60) if stream else [plain()]))

    assert asks(worker)
    assert worker.counted["set", "skipped"] == 1


def test_a_stream_that_says_something_strange_is_not_kept(worker: Worker) -> None:
    frames = streamed("Hi")
    assert frames[1].data is not None
    frames[1].data["choices"][0]["delta"]["something_new"] = {"a": 1}
    first = worker.call(stream=True)
    first.fetch()
    first.answered(*frames)

    assert asks(worker)


# Both forms.


def test_a_stream_is_given_again_as_a_stream(worker: Worker) -> None:
    first = worker.call(stream=True)
    assert first.fetch() is None
    first.answered(*streamed("Hi", " there"))

    events = worker.call(stream=True).fetch()
    assert said(events) == "Hi there"
    assert all(event["object"] == "chat.completion.chunk" for event in events)
    assert not any(event.get("usage") for event in events)
    assert [choice["finish_reason"] for event in events for choice in event["choices"]][-1] == "stop"


def test_a_stream_is_given_again_plainly(worker: Worker) -> None:
    first = worker.call(stream=True)
    first.fetch()
    first.answered(*streamed("Hi", " there"))

    answer = worker.call().fetch()
    assert answer["choices"][0]["message"]["content"] == "Hi there"
    assert answer["usage"]["completion_tokens"] == 3


def test_a_plain_answer_is_given_again_as_a_stream_with_usage_if_that_is_wanted(worker: Worker) -> None:
    first = worker.call()
    first.fetch()
    first.answered(plain())

    events = worker.call(stream=True, body={**BODY, "stream_options": {"include_usage": True}}).fetch()
    assert said(events) == "Hi there"
    assert events[-1]["usage"] == ANSWER["usage"]
    assert events[-1]["choices"] == []


def test_the_books_of_a_hit_say_what_it_saved(worker: Worker) -> None:
    first = worker.call()
    first.fetch()
    first.answered(plain())

    for stream in (False, True):
        again = worker.call(stream=stream)
        again.fetch()
        assert again.exchange._usage is not None
        assert (again.exchange._usage.input, again.exchange._usage.output) == (2, 3)
