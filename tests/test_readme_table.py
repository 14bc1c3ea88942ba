"""The README and the page on providers say of them what the code says."""

from pathlib import Path

import pytest

from app.providers.registry import rows
from app.providers.table import TABLES, inserted

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", TABLES)
def test_the_table_of_the_rows_is_in_it(name: str) -> None:
    text = (ROOT / name).read_text()

    assert inserted(text, TABLES[name]()) == text, "put it there with `python -m app.providers.table`"


@pytest.mark.parametrize("name", TABLES)
def test_each_kind_has_a_row_in_it(name: str) -> None:
    text = (ROOT / name).read_text()

    assert [kind for kind in rows() if f"| `{kind}` |" not in text] == []
