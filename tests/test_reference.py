"""docs/configuration.md says what the code says, and leaves nothing out."""

import re
from pathlib import Path

from app.config.schema import schema
from app.instance.environment import VARIABLES
from app.reference import PAGE, inserted
from tests.config.test_schema import properties

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / PAGE).read_text()
#: What an instance tells its own processes, and where the example that `serve` prints has a client keep its key.
OURS = {"GATEWAY_SLOT", "GATEWAY_KEY"}


def test_the_page_is_what_the_code_makes_of_it() -> None:
    assert inserted(TEXT) == TEXT, "write it with `python -m app.reference`"


def test_every_key_has_a_row() -> None:
    sections = set(schema()["properties"])

    assert [path for path, _ in properties(schema()) if path not in sections and f"| `{path}` |" not in TEXT] == []
    assert [section for section in sections if f"### `{section}`" not in TEXT] == []


def test_every_variable_that_is_read_has_a_row() -> None:
    found = {
        name
        for path in [*(ROOT / "app").rglob("*.py"), ROOT / "gunicorn.conf.py"]
        for name in re.findall(r'"(GATEWAY_[A-Z_]+|WEB_CONCURRENCY)"', path.read_text())
    }

    assert found - OURS == {variable.name for variable in VARIABLES}


def test_every_value_and_default_has_a_word() -> None:
    rows = [line.split(" | ") for line in TEXT.splitlines() if line.startswith("| `") and line.count(" | ") == 3]

    assert rows
    assert [row[0] for row in rows if not row[1].strip() or not row[3].strip(" |")] == []
