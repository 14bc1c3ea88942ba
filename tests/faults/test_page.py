"""The page says what the table says."""

from __future__ import annotations

from tests.faults.page import PAGE, page


def test_the_page_is_that_of_the_table() -> None:
    assert PAGE.read_text() == page(), "write it with `python -m tests.faults`"
