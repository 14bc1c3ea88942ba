"""A little of `python -m tests.fuzz`, the same each time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz import anything, mutate
from tests.fuzz.case import Case
from tests.fuzz.checks import OF_REQUESTS, Wrong, check
from tests.fuzz.draw import Draw
from tests.fuzz.house import Shown
from tests.fuzz.targets import Targets, is_sound

CASES = {"ask": 600, "answer": 600, "config": 60, "sse": 200, "frames": 200, "log": 100}


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Targets]:
    targets = Targets(tmp_path_factory.mktemp("fuzz"))
    yield targets
    targets.close()


@pytest.mark.parametrize("target", CASES)
def test_whatever_comes_there_is_an_answer_or_an_error_in_its_form(targets: Targets, target: str) -> None:
    tried: list[Case] = []

    anything.play(targets, target, CASES[target], 1, tried.append)

    assert len(tried) >= CASES[target]
    assert sum(count for what, count in targets.seen.items() if what.startswith(target)) >= len(tried) * 9 // 10


def test_what_is_sound_is_answered(targets: Targets) -> None:
    before = targets.seen.copy()
    for case in Draw(targets).sound():
        targets.play(case)

    came = targets.seen - before
    assert came["ask 200"] > 150
    assert came["answer plain 200"] > 80
    assert came["answer stream 200"] > 80
    assert came["config taken"] >= 2


def test_one_case_leads_to_another_that_can_be_tried(targets: Targets) -> None:
    change = mutate.Mutator(Draw(targets))
    for case in change.beginnings()[::7]:
        other = Case.read(change(bytes(case), case.chance(), lambda body: body + b"x"))
        assert is_sound(other.words)
        targets.play(other)
    assert is_sound(Case.read(change(b"\xff\n\n", case.chance(), bytes)).words)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (
            500,
            {"content-type": "application/json"},
            b'{"error": {"message": "a", "type": "b", "param": null, "code": "c"}}',
        ),
        (400, {"content-type": "text/html"}, b"<html>"),
        (400, {"content-type": "application/json"}, b"{}"),
        (200, {"content-type": "application/json"}, b'{"error": {"message": "a"}}'),
        (200, {"content-type": "text/event-stream"}, b'data: {"id": "x"}\n\n'),
        (200, {"content-type": "text/event-stream"}, b'data: {"error": {"message": "a"}}\n\ndata: [DONE]\n\n'),
        (200, {"content-type": "text/event-stream"}, b"data: [DONE]\n"),
    ],
)
def test_what_must_never_be_is_noticed(status: int, headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Wrong):
        check("/v1/rerank", Shown(status, {"x-request-id": "r", **headers}, body), OF_REQUESTS, official=False)


def test_a_failure_is_told_with_its_least_case(targets: Targets, monkeypatch: pytest.MonkeyPatch) -> None:
    def play(case: Case) -> None:
        assert b"stream" not in case.body

    monkeypatch.setattr(targets, "play", play)
    with pytest.raises(anything.Failed, match=r"ask .* /v1/") as caught:
        anything.play(targets, "ask", 50, 1, lambda case: None)
    assert b"stream" in caught.value.case.body
