"""Every recorded exchange through the gateway, in the provider's own language and in the other one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.recorded import crossed, gemini_vectors, made, own, ranked, responding, translated
from tests.recorded.corpus import Case, Way, cases
from tests.recorded.house import House
from tests.recorded.left_out import GOOGLES
from tests.recorded.natives import NATIVES, is_native_chat

OWN, OTHER, RESPONSES = (cases(way) for way in Way)
MADE = [case for way in Way for case in made.cases(way)]
SEEDS = range(1, 1 + int(os.environ.get("RECORDED_SEEDS", "2")))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(
        [case for case in (*OWN, *RESPONSES, *MADE) if case.skip is None], tmp_path_factory.mktemp("breakers")
    ) as built:
        yield built


def _id(case: Case) -> str:
    return case.id


@pytest.mark.parametrize("case", OWN, ids=_id)
def test_a_recorded_exchange_comes_through_in_the_providers_own_language(house: House, case: Case) -> None:
    _check(house, case, _own(case))


@pytest.mark.parametrize("case", OTHER, ids=_id)
def test_a_recorded_exchange_comes_through_in_the_other_language(house: House, case: Case) -> None:
    _check(house, case, _other(case))


@pytest.mark.parametrize("case", RESPONSES, ids=_id)
def test_a_recorded_exchange_comes_through_in_the_responses_api(house: House, case: Case) -> None:
    _check(house, case, responding.problems)


@pytest.mark.parametrize("case", MADE, ids=lambda case: f"{case.id}-{case.way}")
def test_an_exchange_that_nobody_recorded_comes_through_as_its_schema_says(house: House, case: Case) -> None:
    _check(house, case, responding.problems if case.way is Way.RESPONSES else _own_or_other(case))


def _own_or_other(case: Case) -> Callable[[House, Case, int], list[str]]:
    return _own(case) if case.way is Way.OWN else _other(case)


def _own(case: Case) -> Callable[[House, Case, int], list[str]]:
    if case.operation == "rerank":
        return ranked.reranked
    if case.exchange.provider in GOOGLES and case.operation == "embeddings":
        return gemini_vectors.embedded
    if case.exchange.provider in NATIVES and case.operation == "embeddings":
        return ranked.embedded
    return translated.problems if is_native_chat(case.exchange) else own.problems


def _other(case: Case) -> Callable[[House, Case, int], list[str]]:
    return translated.problems if is_native_chat(case.exchange) else crossed.problems


def _check(house: House, case: Case, problems: Callable[[House, Case, int], list[str]]) -> None:
    if case.skip is not None:
        pytest.skip(case.skip)
    for seed in SEEDS:
        found = problems(house, case, seed)
        if found:
            lines = "\n".join(f"- {problem}" for problem in found)
            pytest.fail(f"{case.id}, cut by seed {seed}:\n{lines}", pytrace=False)
