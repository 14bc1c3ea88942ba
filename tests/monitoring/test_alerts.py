"""Every alert fires on what it is for and is silent on what it is not for, as promtool judges it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from app.metrics.catalogue import PREFIX
from monitoring.source.files import MONITORING, RULES
from tests.monitoring import promtool
from tests.monitoring.case import Case
from tests.monitoring.cases import FIFTEEN
from tests.monitoring.cases_gateway import OWN
from tests.monitoring.names import ELEVEN, FIFTEEN_NAMES

CASES = (*FIFTEEN, *OWN)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.alert} {case.says}")
def test_an_alert(case: Case, tmp_path: Path) -> None:
    promtool.judge(case, tmp_path)


def test_there_are_exactly_the_fifteen_alerts_in_their_file() -> None:
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]

    assert [rule["alert"] for group in groups for rule in group["rules"]] == FIFTEEN_NAMES


def test_the_fifteen_need_nothing_but_the_eleven_metrics() -> None:
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    named = {
        re.sub(r"_(bucket|count|sum)$", "", name)
        for group in groups
        for rule in group["rules"]
        for name in re.findall(r"[a-z_]+(?=[{\[\s)])", rule["expr"])
        if name.startswith("llm_")
    }

    assert named == {PREFIX + name for name in ELEVEN}


@pytest.mark.parametrize("alert", promtool.rules())
def test_an_alert_has_a_case_that_fires_it_and_one_that_keeps_it_silent(alert: str) -> None:
    own = [case for case in CASES if case.alert == alert]

    assert {case.fires for case in own} == {True, False}


@pytest.mark.parametrize("name", RULES)
def test_promtool_finds_nothing_wrong_with_the_rules(name: str) -> None:
    said = promtool.run("check", "rules", "--lint=all", "--lint-fatal", MONITORING / name)

    assert "SUCCESS" in said


@pytest.mark.parametrize("alert", promtool.rules())
def test_an_alert_is_made_as_all_are(alert: str) -> None:
    """Aggregated so that replicas do not page twice, with a runbook, and nothing that changes in its labels."""
    for rule in promtool.rules()[alert][1]:
        assert set(rule["labels"]) >= {"severity", "component"}
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert set(rule["annotations"]) == {"summary", "description", "runbook", "dashboard"}
        assert rule["annotations"]["runbook"] == f"monitoring/runbooks/{alert}.md"
        assert "{{" not in str(rule["labels"]), "a label that changes makes a new alert each time"
        assert re.search(r"[<>=!]=?", rule["expr"]), "without a comparison it always fires"
        assert not re.search(r"rate\(\s*sum|increase\(\s*sum|topk|\birate", rule["expr"])
        assert rule["for"]
        grouped = re.findall(r"\bby \(([^)]*)\)", rule["expr"])
        assert all(by.startswith("cluster, job") for by in grouped)
