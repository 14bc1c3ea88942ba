"""The README says of the providers what the code says."""

from pathlib import Path

from app.providers.registry import rows
from app.providers.table import inserted

README = Path(__file__).parent.parent / "README.md"


def test_the_readme_has_the_table_of_the_rows() -> None:
    readme = README.read_text()

    assert inserted(readme) == readme, "put it there with `python -m app.providers.table`"


def test_each_kind_has_a_row_in_it() -> None:
    readme = README.read_text()

    assert [kind for kind in rows() if f"| `{kind}` |" not in readme] == []
