"""What is kept, for whom, for how long, and in which form it is given out again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.cache.generations import EVERYBODY, place
from app.cache.responses import Bounds, Rules
from app.core.call import Keeping
from app.core.json import Json
from app.store.store import Store
from tests.cache.given import ANSWER, BODY, OTHER, ROUTE, TARGETS, Clock, Worker, asks, plain


def test_an_answer_is_given_again_as_it_was(worker: Worker) -> None:
    first = worker.call()
    assert first.fetch() is None
    assert first.exchange.cache == "miss"
    first.answered(plain())

    again = worker.call()
    assert again.fetch() == ANSWER
    assert again.exchange.cache == "hit"
    assert again.exchange.target is None
    assert worker.counted == {("get", "miss"): 1, ("set", "ok"): 1, ("get", "hit"): 1}


def test_a_hit_says_who_gave_the_answer_and_how_old_it_is(worker: Worker, clock: Clock) -> None:
    first = worker.call()
    first.fetch()
    first.exchange.dropped = ("seed",)
    first.answered(plain(), by=TARGETS[1])

    clock.now += 42
    again = worker.call()
    again.fetch()
    stored = again.exchange.stored
    assert stored is not None
    assert (stored.provider, stored.model, stored.age, again.exchange.dropped) == ("beta", "gpt", 42, ("seed",))


SAME = [
    {"messages": BODY["messages"], "model": "fast"},
    {**BODY, "stream_options": {"include_usage": True}},
    {**BODY, "stream": False},
]
OTHERS: list[Json] = [
    {**BODY, "temperature": 0},
    {**BODY, "temperature": 0.0},
    {**BODY, "user": "somebody"},
    {**BODY, "a_field_that_nobody_knows": 1},
    {**BODY, "messages": [{"role": "user", "content": "Hello "}]},
    {**BODY, "messages": [{"role": "user", "content": "Hello", "name": None}]},
    {**BODY, "messages": [*BODY["messages"], *BODY["messages"]]},
    {**BODY, "model": "faster"},
]


@pytest.mark.parametrize("body", SAME)
def test_the_order_of_fields_and_the_form_of_the_answer_do_not_matter(worker: Worker, body: Json) -> None:
    first = worker.call()
    first.fetch()
    first.answered(plain())

    assert not asks(worker, body=body)


@pytest.mark.parametrize("body", OTHERS)
def test_every_other_field_matters_known_or_not(worker: Worker, body: Json) -> None:
    first = worker.call()
    first.fetch()
    first.answered(plain())

    assert asks(worker, body=body)


def test_a_tenant_never_gets_what_another_one_was_answered(worker: Worker) -> None:
    first = worker.call(tenant="acme")
    first.fetch()
    first.answered(plain())

    assert asks(worker, tenant="other")
    assert not asks(worker, tenant="acme")


def test_tenants_share_answers_where_the_model_says_so(store: Store, clock: Clock) -> None:
    worker = Worker(store, clock, rules=Rules(100, shared=True))
    first = worker.call(tenant="acme")
    first.fetch()
    first.answered(plain())

    assert not asks(worker, tenant="other")


def test_headers_that_travel_on_are_part_of_the_question(worker: Worker) -> None:
    first = worker.call(headers={"anthropic-beta": "a"})
    first.fetch()
    first.answered(plain())

    assert asks(worker, headers={"anthropic-beta": "b"})
    assert not asks(worker, headers={"anthropic-beta": "a"})


def test_an_answer_of_other_targets_is_not_given_once_the_model_has_changed(worker: Worker) -> None:
    first = worker.call()
    first.fetch()
    first.answered(plain())

    assert asks(worker, route=replace(ROUTE, targets=(OTHER,)))


def test_a_language_is_part_of_the_question(worker: Worker) -> None:
    first = worker.call()
    first.fetch()
    first.answered(plain())

    assert asks(worker, path="/v1/completions")


def test_nothing_is_kept_without_a_ttl(store: Store, clock: Clock) -> None:
    worker = Worker(store, clock, rules=Rules(0))
    first = worker.call()
    assert first.fetch() is None
    first.answered(plain())

    assert asks(worker)
    assert worker.counted == {}
    assert first.exchange.cache == "bypass"


def test_counts_of_tokens_are_not_kept(worker: Worker) -> None:
    first = worker.call(path="/v1/messages/count_tokens")
    assert first.fetch() is None
    first.answered(plain({"input_tokens": 3}))

    assert asks(worker, path="/v1/messages/count_tokens")
    assert worker.counted == {}


@pytest.mark.parametrize("field", ["conversation", "background"])
def test_an_answer_that_hangs_on_what_the_provider_keeps_is_not_kept(worker: Worker, field: str) -> None:
    body = {"model": "fast", "input": "Go on", field: "conv_1"}
    first = worker.call(body=body, path="/v1/responses")
    assert first.fetch() is None
    first.answered(plain({"output": []}))

    assert asks(worker, body=body, path="/v1/responses")
    assert worker.counted == {}


@pytest.mark.parametrize(
    "path", ["/v1/embeddings", "/v1/moderations", "/v1/completions", "/v1/messages", "/v1/responses"]
)
def test_other_answers_are_kept_too(worker: Worker, path: str) -> None:
    first = worker.call(path=path)
    first.fetch()
    first.answered(plain({"whatever": path}))

    assert worker.call(path=path).fetch() == {"whatever": path}


def test_an_answer_ends_at_its_ttl_whatever_the_store_does(worker: Worker, clock: Clock) -> None:
    first = worker.call()
    first.fetch()
    first.answered(plain())

    clock.now += 99
    assert not asks(worker)
    clock.now += 1
    assert asks(worker)


def test_answers_live_shorter_by_chance_and_never_longer(store: Store, clock: Clock) -> None:
    worker = Worker(store, clock, bounds=Bounds(jitter=0.2))  # by as much as it may be
    first = worker.call()
    first.fetch()
    first.answered(plain())

    clock.now += 79
    assert not asks(worker)
    clock.now += 1
    assert asks(worker)


# What the client says.


def test_no_cache_asks_again_and_keeps_the_new_answer(worker: Worker) -> None:
    first = worker.call()
    first.fetch()
    first.answered(plain())

    second = worker.call(keeping=Keeping(read=False))
    assert second.fetch() is None
    assert second.exchange.cache == "bypass"
    second.answered(plain({**ANSWER, "id": "chatcmpl-2"}))

    assert worker.call().fetch()["id"] == "chatcmpl-2"


def test_no_store_neither_looks_nor_keeps(worker: Worker) -> None:
    first = worker.call(keeping=Keeping(read=False, write=False))
    assert first.fetch() is None
    first.answered(plain())

    assert asks(worker)
    assert worker.counted == {("get", "miss"): 1}


def test_max_age_refuses_what_is_older(worker: Worker, clock: Clock) -> None:
    first = worker.call()
    first.fetch()
    first.answered(plain())

    clock.now += 10
    assert not asks(worker, keeping=Keeping(max_age=10))
    assert asks(worker, keeping=Keeping(max_age=9))


def test_a_call_may_shorten_the_ttl_and_never_lengthen_it(worker: Worker, clock: Clock) -> None:
    first = worker.call(keeping=Keeping(ttl=10))
    first.fetch()
    first.answered(plain())
    clock.now += 10
    assert asks(worker)

    second = worker.call(keeping=Keeping(ttl=10_000))
    second.fetch()
    second.answered(plain())
    clock.now += 100
    assert asks(worker)


def test_a_flush_forgets_a_tenants_answers_and_no_others(store: Store, clock: Clock) -> None:
    one, two = Worker(store, clock), Worker(store, clock)
    for tenant in ("acme", "other"):
        first = one.call(tenant=tenant)
        first.fetch()
        first.answered(plain())
        assert not asks(two, tenant=tenant)

    assert Worker(store, clock).generations.forget(store, "acme")
    clock.now += 1.0

    assert asks(two, tenant="acme")
    assert not asks(two, tenant="other")


def test_a_flush_of_everybody_forgets_everything(store: Store, clock: Clock) -> None:
    worker = Worker(store, clock)
    first = worker.call()
    first.fetch()
    first.answered(plain())

    assert worker.generations.forget(store, EVERYBODY)
    clock.now += 1.0

    assert asks(worker)


def test_a_lost_generation_is_a_flush(store: Store, clock: Clock) -> None:
    """It is safer to forget what may have been flushed than to bring it back."""
    first = Worker(store, clock).call()
    first.fetch()
    first.answered(plain())

    store.drop(place("acme"))
    clock.now += 1

    assert asks(Worker(store, clock))
