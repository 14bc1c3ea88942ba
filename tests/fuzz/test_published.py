"""A little of `python -m tests.fuzz.published`."""

from __future__ import annotations

import os

import pytest

from tests.fuzz import published


def test_the_gateway_does_what_its_document_says() -> None:
    if not published.PROGRAM.exists():
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("no environment .venv-sdks/schemathesis: make sdks")

    result = published.run(10, phases="fuzzing")

    assert result.status == 0, result.said
    assert result.cases > 100
    assert result.unexpected == []
