"""promtool, and the rules that it judges."""

from __future__ import annotations

import functools
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from monitoring.source.files import MONITORING, RULES
from tests.monitoring.case import Case, Firing
from tests.tools import tool

Rule = Mapping[str, Any]


def run(*arguments: str | Path) -> str:
    """What promtool says; an AssertionError with it where it finds something wrong."""
    command = [tool("promtool"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


@functools.cache
def rules() -> Mapping[str, tuple[Path, list[Rule]]]:
    """The file of each alert, and its rules: several where severities have thresholds of their own."""
    found: dict[str, tuple[Path, list[Rule]]] = {}
    for name in RULES:
        for group in yaml.safe_load((MONITORING / name).read_text())["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    found.setdefault(rule["alert"], (MONITORING / name, []))[1].append(rule)
    return found


def judge(case: Case, directory: Path) -> None:
    """Give the case to promtool."""
    path, own = rules()[case.alert]
    test = {
        "name": case.says,
        "interval": case.interval,
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "alert_rule_test": [
            {
                "eval_time": at,
                "alertname": case.alert,
                "exp_alerts": [_expected(own, firing) for firing in looked],
            }
            for at, looked in case.looks.items()
        ],
        "promql_expr_test": [{"expr": expr, "eval_time": case.last, "exp_samples": []} for expr in case.naive],
    }
    document = {"rule_files": [str(path)], "evaluation_interval": "30s", "tests": [test]}
    file = directory / "case.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    run("test", "rules", file)


def values(series: Mapping[str, str], expressions: Iterable[str], at: str, directory: Path) -> None:
    """Each expression has a value at that time; an AssertionError names those that have none."""
    test = {
        "interval": "30s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": f"absent({expr})", "eval_time": at, "exp_samples": []} for expr in expressions],
    }
    file = directory / "values.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [], "evaluation_interval": "30s", "tests": [test]}))
    run("test", "rules", file)


def _expected(rules: list[Rule], firing: Firing) -> dict[str, object]:
    (rule,) = [one for one in rules if firing.window in (None, one["labels"].get("long_window"))]
    return {
        "exp_labels": {**firing.labels, **rule["labels"]},
        "exp_annotations": {name: _said(text, firing) for name, text in rule["annotations"].items()},
    }


def _said(text: str, firing: Firing) -> str:
    """The annotation with its placeholders filled in: labels as they are, and the value as the case says it reads."""

    def filled(found: re.Match[str]) -> str:
        what = found.group(1).strip()
        return firing.reads if what.startswith("$value") else firing.labels.get(what.removeprefix("$labels."), "")

    return re.sub(r"\{\{(.*?)\}\}", filled, text)
