"""Whom a call may ask, in which order. Pure."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from app.core.call import Call, Fallbacks, Route, Strategy, Target, Tenant
from app.core.errors import ErrorType
from app.core.provider import Provider
from app.providers import registry
from app.routing.candidates import Candidates
from app.routing.fit import takes
from app.routing.order import ordered
from app.surfaces import LANGUAGES


def target(name: str, weight: int = 1) -> Target:
    return Target(provider(name.partition("/")[0]), name.partition("/")[2], weight=weight)


def provider(name: str) -> Provider:
    return registry.build(
        name=name,
        kind="openai",
        base_url=None,
        key="sk",
        headers={},
        proxy=None,
        ca_file=None,
        api_version=None,
        models=(),
    )


def route(model: str, *names: str, fallbacks: Fallbacks | None = None, **more: Any) -> Route:
    return Route(model, model, tuple(map(target, names)), fallbacks=fallbacks, **more)


def call(body: dict[str, Any] | None = None, models: Iterable[str] = ("*",)) -> Call:
    return Call(
        id="x",
        language=LANGUAGES["/v1/chat/completions"],
        model="m",
        body=body or {},
        stream=False,
        tenant=Tenant("t", models=tuple(models)),
        headers={},
        patience=None,
        began=0.0,
    )


def names(candidates: Iterable[Target]) -> list[str]:
    return [one.name for one in candidates]


def in_turn(one: Route) -> Iterable[Target]:
    return one.targets


def test_fallbacks_come_after_the_targets_and_nobody_comes_twice() -> None:
    first = route(
        "first", "a/x", "b/y", fallbacks=Fallbacks(any=(route("second", "b/y", "c/z"), route("third", "a/x")))
    )

    assert names(Candidates(call(), first, in_turn)) == ["a/x", "b/y", "c/z"]


def test_a_fallback_that_the_tenant_may_not_use_is_left_out() -> None:
    first = route("first", "a/x", fallbacks=Fallbacks(any=(route("dear", "b/y"), route("cheap", "c/z"))))

    assert names(Candidates(call(models=("first", "ch*")), first, in_turn)) == ["a/x", "c/z"]


@pytest.mark.parametrize(
    ("cause", "found"), [(ErrorType.CONTEXT_LENGTH, ["b/large"]), (ErrorType.CONTENT_FILTER, ["c/other"])]
)
def test_a_cause_has_its_own_fallbacks_and_no_others(cause: ErrorType, found: list[str]) -> None:
    instead = Fallbacks(
        any=(route("any", "d/any"),),
        context_length=(route("large", "b/large"),),
        content_filter=(route("other", "c/other"),),
    )
    candidates = Candidates(call(), route("first", "a/x", *found, fallbacks=instead), in_turn)
    next(candidates)

    assert candidates.turn_to(cause, None)
    assert names(candidates) == found


def test_a_cause_without_fallbacks_has_nobody_left_to_ask() -> None:
    candidates = Candidates(
        call(), route("first", "a/x", "a/y", fallbacks=Fallbacks(any=(route("b", "b/z"),))), in_turn
    )

    assert not candidates.turn_to(ErrorType.CONTENT_FILTER, None)
    assert names(candidates) == []


def test_nobody_who_reads_no_more_than_who_refused_is_asked_for_a_longer_prompt() -> None:
    def reads(model: str, context: int | None) -> Route:
        return Route(model, model, (replace(target(f"b/{model}"), context=context),))

    instead = (reads("same", 1000), reads("more", 1001), reads("less", 10), reads("unknown", None))
    first = route("first", "a/x", fallbacks=Fallbacks(context_length=instead))

    for context, found in ((1000, ["b/more", "b/unknown"]), (None, ["b/same", "b/more", "b/less", "b/unknown"])):
        candidates = Candidates(call(), first, in_turn)
        next(candidates)
        assert candidates.turn_to(ErrorType.CONTEXT_LENGTH, context)
        assert names(candidates) == found


PICTURE = {"type": "image_url", "image_url": {"url": "data:,"}}
SHOWING: dict[str, dict[str, Any]] = {
    "chat": {"messages": [{"role": "user", "content": [{"type": "text", "text": "?"}, PICTURE]}]},
    "messages": {"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]},
    "messages, given by a tool": {
        "messages": [{"role": "user", "content": [{"type": "tool_result", "content": [{"type": "image"}]}]}]
    },
    "responses": {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:,"}]}]},
    "responses, given by a tool": {"input": [{"type": "function_call_output", "output": [{"type": "input_image"}]}]},
}


@pytest.mark.parametrize("body", SHOWING.values(), ids=SHOWING)
def test_a_model_without_eyes_is_shown_no_images(body: dict[str, Any]) -> None:
    assert takes(route("seeing", "a/x"), call(body))
    assert not takes(route("blind", "a/x", vision=False), call(body))


@pytest.mark.parametrize("body", [{}, {"messages": "hi"}, {"messages": [{"content": "image"}]}, {"input": ["hi"]}])
def test_words_are_for_everybody(body: dict[str, Any]) -> None:
    assert takes(route("blind", "a/x", vision=False, tools=False), call(body))


@pytest.mark.parametrize("body", [{"tools": [{}]}, {"functions": [{}]}])
def test_a_model_without_hands_is_given_no_tools(body: dict[str, Any]) -> None:
    assert not takes(route("clumsy", "a/x", tools=False), call(body))


def test_priority_is_the_order_of_the_file() -> None:
    assert names(ordered(route("m", "a/x", "b/y", "c/z"), lambda _: 9, random.random)) == ["a/x", "b/y", "c/z"]


def test_weights_are_shares_of_first_attempts_and_of_the_rest_of_those_left() -> None:
    weighed = Route("m", "m", (target("a/x", 3), target("b/y", 1), target("c/z", 1)), Strategy.WEIGHTED)
    chance = random.Random(7)

    orders = [names(ordered(weighed, lambda _: 0, chance.random)) for _ in range(5000)]

    first = Counter(order[0] for order in orders)
    second = Counter(order[1] for order in orders if order[0] == "b/y")
    assert first["a/x"] / 5000 == pytest.approx(0.6, abs=0.03)
    assert second["a/x"] / sum(second.values()) == pytest.approx(0.75, abs=0.05)


def test_the_least_busy_is_asked_first_by_its_weight_and_equals_by_chance() -> None:
    targets = (target("a/x", 2), target("b/y", 1), target("c/z", 1))
    busy = {"a/x": 3, "b/y": 1, "c/z": 1}
    chance = random.Random(7)

    orders = [
        names(ordered(Route("m", "m", targets, Strategy.LEAST_BUSY), lambda one: busy[one.name], chance.random))
        for _ in range(200)
    ]

    assert {order[2] for order in orders} == {"a/x"}  # 3 of 2 is more than 1 of 1
    assert {order[0] for order in orders} == {"b/y", "c/z"}
