"""Commands and files that the pages name in a sentence are there."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli import main
from app.config.schema import schema
from app.metrics.catalogue import everything
from tests.config.test_schema import properties
from tests.docs.pages import ROOT, name, pages, prose
from tests.soak.__main__ import PROGRAMS

ROOMS = ("app", "tests", "docs", "deploy", "monitoring", "bench", ".ci")
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
PREFIX = "llm_gateway_llm_gateway_"
SOAKS = {f"soak-{program}" for program in PROGRAMS}


def words() -> Iterator[tuple[Path, str]]:
    for page in pages():
        for code in re.findall(r"`([^`\n]+)`", prose(page.read_text()).replace("\n", " ")):
            yield page, code


def named(pattern: str) -> list[tuple[Path, str]]:
    return [(page, code) for page, code in words() if re.match(pattern, code)]


def test_every_target_of_make_that_is_named_is_there() -> None:
    found = [(name(page), word) for page, code in named("make ") for word in code.split()[1:2]]

    assert found
    assert [(page, word) for page, word in found if word not in TARGETS | SOAKS] == []


def test_every_module_that_is_named_can_be_run() -> None:
    found = [(name(page), code.split()[2]) for page, code in named("python -m ")]

    assert found
    assert [
        (page, module)
        for page, module in found
        if importlib.util.find_spec(module) is None
        or ((ROOT / module.replace(".", "/")).is_dir() and importlib.util.find_spec(f"{module}.__main__") is None)
    ] == []


@pytest.mark.parametrize("code", sorted({code for _, code in named("llm-gateway [a-z]")}))
def test_every_command_that_is_named_has_its_options(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = re.findall(r"^llm-gateway ((?:cache )?[a-z]+)", code)[0].split()
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    told = capsys.readouterr().out

    assert ended.value.code == 0
    assert [option for option in re.findall(r" (--[a-z-]+)", code) if option not in told] == []


def test_every_file_that_is_named_is_there() -> None:
    missing = [
        (name(page), code)
        for page, code in words()
        if re.fullmatch(r"[\w./-]+", code) and code.partition("/")[0] in ROOMS and "/" in code
        if not (ROOT / code).exists() and not (page.parent / code).exists()
    ]

    assert missing == []


def test_every_setting_that_is_named_is_there() -> None:
    keys = [path for path, _ in properties(schema())]
    known = re.compile("|".join(re.escape(path).replace(r"\*", r"[^.]+") for path in keys))
    sections = "|".join(schema()["properties"])
    found = [
        (name(page), setting[0]) for page, code in words() if (setting := re.match(rf"(?:{sections})(\.[\w*]+)+", code))
    ]

    assert found
    assert [(page, setting) for page, setting in found if not known.fullmatch(setting)] == []


def test_every_metric_that_is_named_is_there() -> None:
    """Or is a field of the line of a call, which tests/ledger holds to docs/logs.md."""
    fields = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/logs.md").read_text(), re.MULTILINE)
    known = {metric.name.removeprefix(PREFIX) for metric in everything()}.union(fields)
    found = [
        (name(page), metric[0].removeprefix(PREFIX))
        for page, code in words()
        if (metric := re.match(r"[a-z]+_[a-z_]*(?:total|seconds|up|info|successful|hash|state|health)\b", code))
    ]

    assert found
    assert [(page, metric) for page, metric in found if metric not in known] == []
