"""What a tenant may do, by one process alone and by one over memcached alike."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.core.errors import ErrorType, GatewayError
from app.core.usage import Usage
from app.limits.limits import Allowance, Allowed
from tests.clock import ManualClock
from tests.limits.given import BODY, Process

Make = Callable[..., Process]

CUT = GatewayError(ErrorType.STREAM_INTERRUPTED, "it broke", provider="alpha")
LEFT = GatewayError(ErrorType.CANCELLED, "the client left")


def refused(process: Process, **more: object) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        process.call(**more)  # type: ignore[arg-type]
    assert caught.value.type is ErrorType.RATE_LIMITED
    return caught.value


def left(process: Process, what: str = "tokens") -> int:
    """Of the tokens, as one more call that asks for nothing is told."""
    call = process.call({"messages": []} if what != "tokens" else {"messages": [], "max_tokens": 0})
    call.ends()
    return int(call.headers[f"remaining-{what}"])


def test_without_limits_nothing_is_counted_and_nothing_said(process: Make) -> None:
    call = process().call()
    assert call.headers == {}


def test_who_has_no_limits_of_his_own_has_those_of_all(process: Make) -> None:
    one = process(requests=1)
    one.limits = replace(one.limits, tenants={}, default=Allowed(Allowance(requests=2)))
    assert [one.admits() for _ in range(3)] == [True, True, False]


def test_as_many_calls_as_the_limit_says_and_no_more(process: Make, clock: ManualClock) -> None:
    one = process(requests=3)
    assert [one.admits() for _ in range(5)] == [True, True, True, False, False]
    clock.sleep(60)
    assert not one.admits()
    clock.sleep(1)
    assert [one.admits() for _ in range(4)] == [True, True, True, False]
    assert one.hits == {"requests": 4}


def test_a_refusal_says_when_there_will_be_room(process: Make, clock: ManualClock) -> None:
    one = process(requests=2)
    assert one.admits()
    clock.sleep(20.5)
    assert one.admits()
    error = refused(one)
    assert error.retry_after == pytest.approx(40.5)
    assert error.message == "tenant " + one._tenant + " is limited to 2 requests in any 60 seconds; try again in 41 s"
    assert error.headers == {
        "x-ratelimit-limit-requests": "2",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1m0.5s",
    }
    clock.sleep(40.5)
    assert one.admits()


def test_tokens_are_reserved_before_and_settled_after(process: Make, clock: ManualClock) -> None:
    one = process(tokens=1000)
    call = one.call()
    assert call.headers["remaining-tokens"] == str(1000 - 99 - 50)
    call.answers(80, 20)
    assert left(one) == 900
    clock.sleep(61)
    assert left(one) == 1000


def test_a_surplus_goes_back_to_where_it_was_taken_from(process: Make, clock: ManualClock) -> None:
    one = process(tokens=1000)
    call = one.call()
    clock.sleep(30)
    call.answers(80, 20)
    assert left(one) == 900
    clock.sleep(31)
    assert left(one) == 1000, "and not to the second in which the call ended"


def test_a_surplus_of_a_bucket_that_has_left_is_nobody_s(process: Make, clock: ManualClock) -> None:
    one = process(tokens=1000)
    call = one.call()
    clock.sleep(200)
    assert left(one) == 1000
    call.answers(10, 10)
    assert left(one) == 1000


def test_a_shortfall_is_due_when_it_is_known(process: Make, clock: ManualClock) -> None:
    one = process(tokens=1000)
    call = one.call()
    clock.sleep(30)
    call.answers(100, 300)
    assert left(one) == 600
    clock.sleep(31)
    assert left(one) == 1000 - (400 - 149)
    clock.sleep(30)
    assert left(one) == 1000


def test_an_answer_without_a_bound_is_expected_to_be_like_the_last_ones(process: Make) -> None:
    one = process(tokens=100_000)
    body = {"messages": BODY["messages"]}
    first = one.call(body)
    assert 100_000 - int(first.headers["remaining-tokens"]) == 99 + 256
    first.answers(99, 11)
    second = one.call(body)
    assert 100_000 - 110 - int(second.headers["remaining-tokens"]) == 99 + 11
    second.answers(99, 1001)
    third = one.call(body)
    assert 100_000 - 110 - 1100 - int(third.headers["remaining-tokens"]) == 99 + 506


def test_input_alone_above_the_limit_is_a_mistake_and_no_matter_of_time(process: Make) -> None:
    one = process(tokens=98)
    with pytest.raises(GatewayError) as caught:
        one.call()
    assert (caught.value.type, caught.value.status, caught.value.param) == (ErrorType.INVALID_REQUEST, 400, "messages")
    assert "about 99 tokens" in caught.value.message
    assert not one.hits


def test_what_never_fits_is_let_in_when_nothing_else_is_there(process: Make, clock: ManualClock) -> None:
    """The bound of an answer is no promise to write as much."""
    one = process(tokens=120)
    assert one.admits()
    call = one.call()
    assert not one.admits()
    call.answers(99, 30)
    clock.sleep(61)
    assert one.admits()


def test_so_many_calls_at_a_time(process: Make) -> None:
    one = process(concurrent=2)
    calls = [one.call(), one.call()]
    error = refused(one)
    assert "2 calls at a time" in error.message
    assert error.retry_after == 1
    assert error.headers["x-ratelimit-remaining-concurrency"] == "0"
    calls[0].ends(CUT)
    assert one.admits()
    calls[1].ends(LEFT)
    assert [one.call().headers["remaining-concurrency"] for _ in range(2)] == ["1", "0"]
    assert one.hits == {"concurrency": 1}


def test_a_refused_call_costs_nothing(process: Make) -> None:
    """Not of the limits that would have had room for it, either."""
    one = process(requests=10, tokens=400, concurrent=3)
    calls = [one.call(), one.call()]
    for _ in range(20):
        assert "tokens" in refused(one).message
    calls[0].ends()
    calls[1].ends()
    found = one.call().headers
    assert (found["remaining-requests"], found["remaining-tokens"], found["remaining-concurrency"]) == ("7", "251", "2")
    assert one.hits == {"tokens": 20}


def test_a_model_has_limits_beside_its_tenant_s(process: Make) -> None:
    models = {"small": Allowance(requests=1), "g*": Allowance(requests=9), "gpt-*": Allowance(requests=2)}
    one = process(requests=4, models=models)
    assert one.admits(model="small")
    assert "with model small" in refused(one, model="small").message
    assert one.admits(model="gpt-a")
    assert one.admits(model="gpt-b"), "a pattern counts all that begin so together"
    assert "with model gpt-*" in refused(one, model="gpt-c").message
    assert one.admits(model="other")
    assert "with model" not in refused(one, model="other").message


def test_the_tightest_limit_is_told(process: Make) -> None:
    one = process(requests=10, models={"m": Allowance(requests=3)})
    assert one.call().headers["remaining-requests"] == "2"
    assert one.call(model="n").headers["remaining-requests"] == "8"


def test_a_call_that_no_provider_was_asked_for_costs_a_request_and_no_tokens(process: Make) -> None:
    """An answer from the cache is one; a call whose every target is open another."""
    one = process(requests=10, tokens=1000)
    one.call().says(400, Usage(99, 100)).ends()
    one.call().ends(GatewayError(ErrorType.CIRCUIT_OPEN, "all open"))
    found = one.call({"messages": [], "max_tokens": 0}).headers
    assert (found["remaining-requests"], found["remaining-tokens"]) == ("7", "1000")


@pytest.mark.parametrize(
    ("end", "tokens"),
    [
        (lambda call: call.ends(GatewayError(ErrorType.SERVER_ERROR, "it failed", provider="alpha")), 0),
        (lambda call: call.ends(GatewayError(ErrorType.INVALID_REQUEST, "bad", provider="alpha")), 0),
        (lambda call: call.ends(LEFT), 99),
        (lambda call: call.says(40).ends(LEFT), 99 + 10),
        (lambda call: call.says(41).ends(CUT), 99 + 11),
        (lambda call: call.says(40, Usage(70, 1)).ends(CUT), 70 + 10),
        (lambda call: call.says(40, Usage(70, 30)).ends(LEFT), 70 + 30),
        (lambda call: call.says(40).ends(), 99 + 10),
        (lambda call: call.says(4000, Usage(70, 30)).ends(), 100),
    ],
    ids=[
        "failed",
        "refused",
        "left",
        "left while reading",
        "cut",
        "cut, counted",
        "left, counted",
        "uncounted",
        "whole",
    ],
)
def test_what_a_call_cost_however_it_ended(process: Make, end: Callable[..., None], tokens: int) -> None:
    one = process(tokens=1000)
    end(one.call().asks())
    assert left(one) == 1000 - tokens


def test_a_call_that_went_on_elsewhere_is_charged_once(process: Make) -> None:
    """Attempts cost us; the tenant pays for what was delivered."""
    one = process(requests=10, tokens=1000)
    one.call().asks().says(40).asks().asks().says(40, Usage(60, 20)).ends()
    found = one.call({"messages": [], "max_tokens": 0}).headers
    assert (found["remaining-requests"], found["remaining-tokens"]) == ("8", "920")


@pytest.mark.parametrize(
    ("path", "body", "tokens"),
    [
        ("/v1/embeddings", {"input": "x" * 400}, 100),
        ("/v1/embeddings", {"input": ["x" * 200, "x" * 200]}, 100),
        ("/v1/embeddings", {"input": [[1, 2, 3], [4, 5]]}, 5),
        ("/v1/moderations", {"input": "x" * 400}, 100),
        ("/v1/completions", {"prompt": ["x" * 40, "x" * 40], "max_tokens": 7, "n": 2}, 20 + 28),
        ("/v1/completions", {"prompt": [1, 2, 3], "max_tokens": 7}, 10),
        ("/v1/chat/completions", {"messages": [], "max_tokens": 5, "max_completion_tokens": 7, "n": 3}, 21),
        ("/v1/messages", {"system": "x" * 400, "messages": [], "max_tokens": 9}, 109),
        ("/v1/messages/count_tokens", {"system": "x" * 400, "messages": []}, 0),
        ("/v1/chat/completions", {"messages": [{"content": "ü" * 200}], "max_tokens": 0}, 100),
        (
            "/v1/chat/completions",
            {"messages": [{"content": [{"image_url": {"url": "data:" + "x" * 4000}}]}], "max_tokens": 0},
            0,
        ),
    ],
)
def test_what_is_reserved_by_kind_of_call(process: Make, path: str, body: dict[str, object], tokens: int) -> None:
    one = process(tokens=10_000)
    assert int(one.call(body, path=path).headers["remaining-tokens"]) == 10_000 - tokens


def test_a_limit_that_changes_goes_on_from_what_was_counted(process: Make, clock: ManualClock) -> None:
    """Books belong to the process; a new configuration reads on in them."""
    one = process(requests=2)
    assert [one.admits() for _ in range(3)] == [True, True, False]
    more = Process(one.store, clock, tenant=one._tenant, requests=3, books=one.books)
    assert [more.admits() for _ in range(2)] == [True, False]
    fewer = Process(one.store, clock, tenant=one._tenant, requests=1, books=one.books)
    assert not fewer.admits()
