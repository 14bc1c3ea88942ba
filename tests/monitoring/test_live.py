"""The real gateway, watched by a real Prometheus and Alertmanager, while everything goes wrong and is mended again."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping

import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as text_metrics

from app.metrics.catalogue import PREFIX
from monitoring.source.files import DASHBOARDS, MONITORING, RULES
from tests.monitoring import live, promtool
from tests.monitoring.contract import contract
from tests.monitoring.dashboards import Target, read, targets
from tests.monitoring.live import Alert, Seen
from tests.monitoring.names import FIFTEEN_NAMES
from tests.tools import tool

pytestmark = pytest.mark.timeout(900)  # the first test waits for the whole run

#: Queries of which nothing can move within two minutes, and why.
STILL: Mapping[str, str] = {}


@pytest.fixture(scope="session")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return live.run(tmp_path_factory.mktemp("live"))


def test_nothing_fires_while_nothing_is_wrong(seen: Seen) -> None:
    assert seen.calm == set()


@pytest.mark.parametrize("alert", [*live.FIFTEEN.values(), *live.OWN.values()], ids=lambda alert: str(alert[0]))
def test_an_alert_fires_when_its_fault_is_caused_and_ends_when_it_is_mended(seen: Seen, alert: Alert) -> None:
    assert alert in seen.fired, "it never fired"
    assert alert in seen.calmed, "it never ended"
    assert seen.calmed[alert] > seen.fired[alert]


def test_each_of_the_fifteen_is_caused_and_of_the_others_all_that_can_be() -> None:
    assert sorted(live.FIFTEEN) == sorted(FIFTEEN_NAMES)
    assert {*live.FIFTEEN, *live.OWN, *live.NOT_CAUSED} == set(promtool.rules())


def test_what_follows_from_something_worse_is_held_back(seen: Seen) -> None:
    assert seen.inhibited >= live.INHIBITED


def test_every_rule_can_be_evaluated(seen: Seen) -> None:
    groups = [group for name in RULES for group in yaml.safe_load((MONITORING / name).read_text())["groups"]]

    assert len(seen.rules) == sum(len(group["rules"]) for group in groups)
    assert [rule["name"] for rule in seen.rules if rule["health"] != "ok"] == []


@pytest.mark.parametrize("target", targets(), ids=str)
def test_a_panel_has_values_that_move(seen: Seen, target: Target) -> None:
    found = seen.values.get(target, [])

    assert live.samples(found) > 5
    assert live.moved(found) or str(target) in STILL


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_drop_down_has_values(seen: Seen, name: str) -> None:
    for variable in read(name)["templating"]["list"]:
        if variable["type"] == "query":
            assert seen.variables[variable["query"]], variable["name"]


@pytest.mark.parametrize("number", [0, 1], ids=["east", "south"])
def test_the_page_of_a_running_gateway_is_read_by_everybody(seen: Seen, number: int) -> None:
    text, open_text = seen.pages[number]
    command = [tool("promtool"), "check", "metrics"]

    done = subprocess.run(command, input=text, capture_output=True, check=False, text=True, timeout=30)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    opened = open_metrics(open_text)  # type: ignore[no-untyped-call]
    assert {family.name for family in text_metrics(text)} == {family.name for family in opened}


def test_every_metric_is_really_written(seen: Seen) -> None:
    samples = {s.name for text, _ in seen.pages for family in text_metrics(text) for s in family.samples}
    written = {re.sub(r"_(bucket|sum|count)$", "", name).removeprefix(PREFIX) for name in samples}

    assert set(contract()) - written == set()
