"""The house: imports run one way, each third-party package has one door, no file outgrows a sitting."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
APP = ROOT / "app"

CONCERNS = {"tenants", "routing", "metrics", "logs", "store", "limits", "cache"}

#: room -> rooms it may import. A module directly in app/ is a room of its own. From the ground up.
MAY_IMPORT: dict[str, set[str]] = {
    "core": set(),
    "config": {"core", "aws"},  # what a file of AWS credentials looks like
    "tenants": {"core", "config"},
    "credentials": {"core"},
    "aws": {"core"},
    "providers": {"core", "credentials", "aws"},
    "surfaces": {"core", "providers"},  # providers/fields.py says what each language can carry
    "resilience": {"core"},
    "store": {"core"},
    "limits": {"core", "store"},
    "upstream": {"core", "aws"},
    "logs": {"core"},
    "ledger": {"core"},
    "top": {"core", "instance", "metrics"},
    "metrics": {"core"},
    "cache": {"core", "store", "upstream"},
    "routing": {"core", "upstream", "resilience"},
    "instance": {"core", "config", "metrics"},
    "configured": {"core", "config", "providers", "resilience"},
    "health": {"core", "config", "configured", "providers", "upstream", "resilience"},
    "housekeeper": {"core", "config", "instance", "metrics", "logs", "health"},
    "rules": {"core", "config", "limits", "routing"},
    "gateway": {"core", "config", "configured", "rules", "providers", "upstream", "resilience", *CONCERNS},
    "pipeline": {"core", "gateway", "routing", "store"},
    "web": {"core", "gateway", "pipeline"},
    "factory": {"core", "surfaces", "web"},
    "openapi": {"core", "surfaces", "factory", "web"},
    "reference": {"config", "instance"},
    "worker": {"core", "config", "gateway", "instance", "factory", "web", "upstream", "resilience", *CONCERNS},
    "report": {"core"},
    "bench": {"core", "upstream"},  # which knows how events are told apart
    "doctor": {"core", "config", "instance", "metrics", "store"},
    "explain": {"core", "config", "configured", "rules", "limits", "resilience"},
    "cli": {
        *("core", "config", "instance", "ledger", "store", "cache", "limits"),
        *("report", "top", "explain", "doctor", "bench"),
    },
    "__main__": {"cli"},
    "__init__": set(),
}

#: third-party package -> the rooms that may import it; one, but for Flask and gunicorn's two ends.
ONE_DOOR: dict[str, set[str]] = {
    "flask": {"web", "factory", "worker"},
    "werkzeug": {"web"},
    "requests": {"upstream"},
    "urllib3": {"upstream"},
    "prometheus_client": {"metrics"},
    "circuitbreaker": {"resilience"},
    "pymemcache": {"store"},
    "pydantic": {"config"},
    "pydantic_core": {"config"},
    "yaml": {"config"},
    "structlog": {"logs"},
    "orjson": {"core"},
    "gunicorn": {"instance"},
    "gevent": {"instance"},
    "matplotlib": {"report"},
    "google": {"credentials"},
    "botocore": {"aws"},
}

MUTABLE = (ast.Dict, ast.List, ast.Set)

#: files over 300 lines, each with its reason.
LONG: dict[str, str] = {}


def imports(path: Path) -> Iterator[str]:
    """Dotted names imported by a file, `if TYPE_CHECKING:` included: a circle of types is a circle too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "app":
                yield from (f"app.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


def room(path: Path) -> str:
    return path.relative_to(APP).parts[0].removesuffix(".py")


def test_imports_run_one_way_and_each_package_has_one_door() -> None:
    wrong = []
    for path in sorted(APP.rglob("*.py")):
        here = room(path)
        for name in imports(path):
            top, _, rest = name.partition(".")
            there = rest.partition(".")[0]
            if top == "app" and there != here and there not in MAY_IMPORT[here]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
            if here not in ONE_DOOR.get(top, {here}):
                wrong.append(f"{path.relative_to(ROOT)} imports {top}, whose door is {' and '.join(ONE_DOOR[top])}")
    assert not wrong, "\n".join(wrong)


def test_no_file_outgrows_a_sitting() -> None:
    long = {
        name: lines
        for path in [
            *APP.rglob("*.py"),
            *(ROOT / "tests").rglob("*.py"),
            *(ROOT / "bench").rglob("*.py"),
            *(ROOT / "monitoring").rglob("*.py"),
        ]
        if (lines := len(path.read_text().splitlines())) > 300 and (name := str(path.relative_to(ROOT))) not in LONG
    }
    assert not long


def test_nothing_in_the_house_keeps_state_in_a_module() -> None:
    """A list, dict or set bound at the top of a module needs a type that says it is read only."""
    wrong = []
    for path in sorted(APP.rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, MUTABLE) and "__all__" not in ast.unparse(node):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} binds a value that anybody can change")
    assert not wrong, "\n".join(wrong)
