"""The witness itself: it must notice what it is there for."""

from __future__ import annotations

import pytest

from app.resilience.breaker import Admission
from tests.resilience.bypass import Witness
from tests.resilience.given import KEY, PROVIDER, SERVER_ERROR, Worker


@pytest.fixture
def witness(worker: Worker) -> Witness:
    return Witness(worker.breakers)


def admitted(witness: Witness) -> Admission:
    answer = witness.ask(KEY, PROVIDER)
    assert isinstance(answer, Admission)
    return answer


def test_a_call_that_asks_sends_and_ends_is_fine(witness: Witness) -> None:
    admission = admitted(witness)
    witness.send(PROVIDER)
    admission.succeeded()

    witness.check()


def test_a_request_that_nobody_asked_for_is_noticed(witness: Witness) -> None:
    witness.send(PROVIDER)

    with pytest.raises(AssertionError, match="sent without asking"):
        witness.check()


def test_a_repeat_under_the_admission_of_the_first_attempt_is_noticed(witness: Witness) -> None:
    admission = admitted(witness)
    witness.send(PROVIDER)
    witness.send(PROVIDER)
    admission.succeeded()

    with pytest.raises(AssertionError, match="sent without asking"):
        witness.check()


def test_a_request_in_spite_of_a_refusal_is_noticed(witness: Witness, worker: Worker) -> None:
    worker.open()
    assert not isinstance(witness.ask(KEY, PROVIDER), Admission)

    witness.send(PROVIDER)

    with pytest.raises(AssertionError, match="sent without asking"):
        witness.check()


def test_an_admission_that_is_never_ended_is_noticed(witness: Witness) -> None:
    admitted(witness)
    witness.send(PROVIDER)

    with pytest.raises(AssertionError, match="never ended"):
        witness.check()


def test_verdicts_reach_the_breaker_behind_it(witness: Witness) -> None:
    for _ in range(5):
        admission = admitted(witness)
        admission.failed(SERVER_ERROR, alone=False)

    assert not witness.admits(KEY, PROVIDER)
