"""What pages say of the code by hand, and the code says itself."""

import re

from app.core.errors import RULES
from tests.docs.pages import ROOT

ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()
OPERATING = (ROOT / "docs/operating.md").read_text()


def test_the_map_has_every_room() -> None:
    rooms = {
        f"app/{path.name}"
        for path in (ROOT / "app").iterdir()
        if (path.is_dir() and (path / "__init__.py").exists()) or (path.suffix == ".py" and path.stem != "__init__")
    }
    named = {
        room
        for line in ARCHITECTURE.splitlines()
        if line.startswith("| `app/")
        for room in re.findall(r"`([^`]+)`", line.split("|")[1])
    }

    assert named == rooms


def test_every_error_has_a_line_with_its_status() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", OPERATING, re.MULTILINE))

    assert told == {rule.code or str(error): str(rule.http) for error, rule in RULES.items()}
