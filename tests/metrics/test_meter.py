"""What each ending of a call adds to the metrics that were asked for. Of all of them: test_events.py."""

import contextlib
from collections import defaultdict

import pytest

from app.core.call import Route
from app.core.errors import ErrorType, GatewayError, Status, invalid
from app.core.usage import Usage
from app.core.wire import Frame
from app.metrics.catalogue import PREFIX
from app.metrics.meter import Meter
from app.metrics.registry import Metrics
from tests.metrics.calls import ALPHA, BETA, ROUTE, batches, call, exchange, read


class Counted:
    """A Meter over metrics of its own, and what it has counted since: `name{label values}` to value, zeros left out."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.meter = Meter(self.metrics)

    def all(self) -> dict[str, float]:
        found: defaultdict[str, float] = defaultdict(float)
        for family in self.metrics.registry.collect():
            for sample in family.samples:
                if (name := sample.name.removeprefix(PREFIX)) in LABELS:
                    values = ",".join(sample.labels[label] for label in LABELS[name])
                    found[f"{name}{{{values}}}"] += sample.value
        return {name: value for name, value in found.items() if value}


LABELS = {
    "requests_total": ("model", "provider", "status", "streaming"),
    "request_duration_seconds_count": ("model", "provider", "streaming"),
    "tokens_total": ("model", "provider", "type"),
    "active_requests": ("provider",),
    "ttft_seconds_count": ("model", "provider"),
    "errors_total": ("provider", "error_type"),
    "config_hash": (),
}


@pytest.fixture
def counted() -> Counted:
    return Counted()


def failure(kind: ErrorType, provider: str | None = "alpha", status: int | None = None) -> GatewayError:
    return GatewayError(kind, "what went wrong", provider=provider, status=status)


def test_a_plain_success(counted: Counted) -> None:
    with exchange(counted.meter, call()) as told:
        told.routed(ROUTE)
        told.attempt(ALPHA)
        assert counted.all() == {"active_requests{alpha}": 1}
        reply = told.hand_over(batches("Hello", usage=Usage(7, 2)))
    read(reply)
    assert counted.all() == {
        "requests_total{fast,alpha,success,false}": 1,
        "request_duration_seconds_count{fast,alpha,false}": 1,
        "tokens_total{fast,alpha,input}": 7,
        "tokens_total{fast,alpha,output}": 2,
    }


def test_a_streamed_success_has_a_first_token(counted: Counted) -> None:
    with exchange(counted.meter, call(stream=True)) as told:
        told.routed(ROUTE)
        told.attempt(ALPHA)
        reply = told.hand_over(batches("Hel", "lo", usage=Usage(7, 2)))
    next(reply)
    assert counted.all() == {"active_requests{alpha}": 1, "ttft_seconds_count{fast,alpha}": 1}
    read(reply)
    assert counted.all() == {
        "requests_total{fast,alpha,success,true}": 1,
        "request_duration_seconds_count{fast,alpha,true}": 1,
        "tokens_total{fast,alpha,input}": 7,
        "tokens_total{fast,alpha,output}": 2,
        "ttft_seconds_count{fast,alpha}": 1,
    }


def test_a_fallback_counts_the_failure_where_it_happened_and_the_call_where_it_was_answered(counted: Counted) -> None:
    with exchange(counted.meter, call()) as told:
        told.routed(ROUTE)
        told.attempt(ALPHA)
        told.failure(ALPHA, failure(ErrorType.TIMEOUT))
        told.attempt(BETA)
        assert counted.all() == {"errors_total{alpha,timeout}": 1, "active_requests{beta}": 1}
        reply = told.hand_over(batches("Hello", usage=Usage(1, 1)))
    read(reply)
    assert counted.all() == {
        "errors_total{alpha,timeout}": 1,
        "requests_total{fast,beta,success,false}": 1,
        "request_duration_seconds_count{fast,beta,false}": 1,
        "tokens_total{fast,beta,input}": 1,
        "tokens_total{fast,beta,output}": 1,
    }


def test_when_every_attempt_fails_each_counts_once_and_the_call_once(counted: Counted) -> None:
    with contextlib.suppress(GatewayError), exchange(counted.meter, call()) as told:
        told.routed(ROUTE)
        for target in (ALPHA, BETA):
            last = failure(ErrorType.SERVER_ERROR, target.provider.name)
            told.attempt(target)
            told.failure(target, last)
        raise last
    assert counted.all() == {
        "errors_total{alpha,server_error}": 1,
        "errors_total{beta,server_error}": 1,
        "requests_total{fast,beta,error,false}": 1,
        "request_duration_seconds_count{fast,beta,false}": 1,
    }


def test_what_a_provider_finds_wrong_with_the_request_has_no_duration(counted: Counted) -> None:
    with contextlib.suppress(GatewayError), exchange(counted.meter, call()) as told:
        told.routed(ROUTE)
        told.attempt(ALPHA)
        wrong = failure(ErrorType.CONTEXT_LENGTH)
        told.failure(ALPHA, wrong)
        raise wrong
    assert counted.all() == {
        "errors_total{alpha,context_length}": 1,
        "requests_total{fast,alpha,client_error,false}": 1,
    }


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (ErrorType.PERMISSION, "client_error"),
        (ErrorType.RATE_LIMITED, "rate_limited"),
        (ErrorType.SATURATED, "error"),
        (ErrorType.SHUTTING_DOWN, "error"),
    ],
)
def test_what_we_refuse_ourselves_has_no_provider(counted: Counted, kind: ErrorType, status: str) -> None:
    with contextlib.suppress(GatewayError), exchange(counted.meter, call()) as told:
        told.routed(ROUTE)
        raise failure(kind, None)
    found = counted.all()
    assert found.pop(f"requests_total{{fast,none,{status},false}}") == 1
    assert found.pop(f"errors_total{{none,{kind}}}") == 1
    assert set(found) == ({"request_duration_seconds_count{fast,none,false}"} if status == "error" else set())


@pytest.mark.parametrize("kind", [ErrorType.CIRCUIT_OPEN, ErrorType.NO_PROVIDER])
def test_where_nobody_could_be_asked_the_first_candidate_is_to_blame(counted: Counted, kind: ErrorType) -> None:
    with contextlib.suppress(GatewayError), exchange(counted.meter, call()) as told:
        told.routed(ROUTE)
        raise failure(kind, None)
    assert counted.all() == {
        "requests_total{fast,alpha,error,false}": 1,
        "request_duration_seconds_count{fast,alpha,false}": 1,
        f"errors_total{{alpha,{kind}}}": 1,
    }


def test_a_name_that_the_configuration_does_not_know_is_other(counted: Counted) -> None:
    for model in ("gpt-9", "gpt-10", "x" * 10_000):
        with contextlib.suppress(GatewayError), exchange(counted.meter, call(model=model)):
            raise failure(ErrorType.MODEL_NOT_FOUND, None)
    assert counted.all() == {
        "requests_total{other,none,client_error,false}": 3,
        "errors_total{none,model_not_found}": 3,
    }


def test_a_body_that_never_became_a_call(counted: Counted) -> None:
    counted.meter.refused(False, invalid("not JSON"))
    counted.meter.refused(True, failure(ErrorType.CLIENT_AUTHENTICATION, None))
    assert counted.all() == {
        "requests_total{other,none,client_error,false}": 1,
        "requests_total{other,none,client_error,true}": 1,
        "errors_total{none,invalid_request}": 1,
        "errors_total{none,client_authentication}": 1,
    }


def test_a_client_that_leaves_before_anything_came(counted: Counted) -> None:
    with exchange(counted.meter, call(stream=True)) as told:
        told.routed(ROUTE)
        told.attempt(ALPHA)
        reply = told.hand_over(batches("never read"))
    reply.close()
    assert counted.all() == {"requests_total{fast,alpha,cancelled,true}": 1}


def test_a_client_that_leaves_in_the_middle_pays_for_what_it_got(counted: Counted) -> None:
    with exchange(counted.meter, call(stream=True)) as told:
        told.routed(ROUTE)
        told.attempt(ALPHA)
        reply = told.hand_over(batches("Hello world", "never read"))
    next(reply)
    reply.close()
    assert counted.all() == {
        "requests_total{fast,alpha,cancelled,true}": 1,
        "ttft_seconds_count{fast,alpha}": 1,
        "tokens_total{fast,alpha,output}": 3,  # of 11 characters
    }


def test_a_stream_that_breaks_off_is_an_error_of_its_provider_although_it_began_well(counted: Counted) -> None:
    with exchange(counted.meter, call(stream=True)) as told:
        told.routed(ROUTE)
        told.attempt(ALPHA)
        reply = told.hand_over(batches("Hello world!", error=failure(ErrorType.STREAM_INTERRUPTED)))
    with contextlib.suppress(GatewayError):
        read(reply)
    assert counted.all() == {
        "requests_total{fast,alpha,error,true}": 1,
        "request_duration_seconds_count{fast,alpha,true}": 1,
        "ttft_seconds_count{fast,alpha}": 1,
        "errors_total{alpha,stream_interrupted}": 1,
        "tokens_total{fast,alpha,output}": 3,
    }


def test_usage_from_the_beginning_of_a_broken_stream_is_not_taken_for_all_of_it(counted: Counted) -> None:
    """Some providers report the prompt and one token before the first word."""
    with exchange(counted.meter, call(stream=True)) as told:
        told.routed(ROUTE)
        told.attempt(ALPHA)
        reply = told.hand_over(iter([[Frame({}, chars=400, usage=Usage(50, 1))], [Frame({}, last=True)]]))
    next(reply)
    reply.close()
    found = counted.all()
    assert found["tokens_total{fast,alpha,input}"] == 50
    assert found["tokens_total{fast,alpha,output}"] == 100


def test_our_own_bug_counts_as_ours(counted: Counted) -> None:
    with contextlib.suppress(ZeroDivisionError), exchange(counted.meter, call()) as told:
        told.routed(ROUTE)
        told.attempt(ALPHA)
        raise ZeroDivisionError
    assert counted.all() == {
        "requests_total{fast,alpha,error,false}": 1,
        "request_duration_seconds_count{fast,alpha,false}": 1,
        "errors_total{none,internal}": 1,
    }


def test_an_answer_without_a_provider_came_from_the_cache_and_cost_nothing(counted: Counted) -> None:
    with exchange(counted.meter, call(stream=True)) as told:
        told.routed(ROUTE)
        reply = told.hand_over(batches("Hello", usage=Usage(7, 2)))
    read(reply)
    assert counted.all() == {
        "requests_total{fast,cache,success,true}": 1,
        "request_duration_seconds_count{fast,cache,true}": 1,
        "ttft_seconds_count{fast,cache}": 1,
    }


def test_counting_tokens_is_not_a_call(counted: Counted) -> None:
    with exchange(counted.meter, call(path="/v1/messages/count_tokens")) as told:
        told.routed(ROUTE)
        told.attempt(ALPHA)
        reply = told.hand_over(batches("", usage=Usage(7, 0)))
    read(reply)
    assert counted.all() == {}


def test_an_attempt_that_failed_before_it_began_leaves_the_gauge_at_rest(counted: Counted) -> None:
    with contextlib.suppress(GatewayError), exchange(counted.meter, call()) as told:
        told.routed(ROUTE)
        late = failure(ErrorType.TIMEOUT)
        told.failure(ALPHA, late)
        raise late
    assert counted.all() == {
        "errors_total{alpha,timeout}": 1,
        "requests_total{fast,alpha,error,false}": 1,
        "request_duration_seconds_count{fast,alpha,false}": 1,
    }


def test_of_all_failures_exactly_those_of_status_error_have_a_duration(counted: Counted) -> None:
    for kind in ErrorType:
        with contextlib.suppress(GatewayError), exchange(counted.meter, call()) as told:
            told.routed(Route("fast", "fast", (ALPHA,)))
            raise failure(kind, None)
    found = counted.all()
    durations = sum(v for name, v in found.items() if name.startswith("request_duration"))
    ended = sum(v for name, v in found.items() if name.startswith("requests_total") and ",error," in name)
    assert durations == ended > 0
    assert not any(name.startswith("active") for name in found)
    assert f"errors_total{{none,{ErrorType.CANCELLED}}}" not in found
    assert found[f"requests_total{{fast,none,{Status.CANCELLED},false}}"] == 1
