"""The other files of monitoring/: made of the same parts, readable by who reads them, and told of in the README."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from app.metrics.catalogue import PREFIX
from monitoring.source.files import DASHBOARDS, MONITORING, RULES, generated
from tests.monitoring import promtool
from tests.monitoring.contract import contract
from tests.monitoring.dashboards import panels, read
from tests.monitoring.names import ELEVEN, FIFTEEN_NAMES
from tests.tools import tool

README = (MONITORING / "README.md").read_text()
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation", "Could it be false?", "How to see that it is over"]
ROUTES: Mapping[str, str] = {"critical": "pager", "warning": "chat", "info": "digest"}


@pytest.mark.parametrize("name", generated())
def test_a_generated_file_is_what_its_source_makes(name: str) -> None:
    assert (MONITORING / name).read_text() == generated()[name](), "make monitoring"


def test_the_config_map_has_the_dashboards_under_the_label_that_grafana_looks_for() -> None:
    text = (MONITORING / "kubernetes/dashboards-configmap.yaml").read_text()
    document = yaml.safe_load(text)

    assert document["metadata"] == {"name": "grafana-dashboards", "labels": {"grafana_dashboard": "1"}}
    assert {name: json.loads(data) for name, data in document["data"].items()} == {n: read(n) for n in DASHBOARDS}
    assert len(text) < 200 * 1024, "kubectl apply notes it in an annotation of at most 256 KiB"


def test_the_prometheus_rule_has_the_groups_of_all_rule_files() -> None:
    document = yaml.safe_load((MONITORING / "kubernetes/prometheusrule.yaml").read_text())
    groups = [group for name in RULES for group in yaml.safe_load((MONITORING / name).read_text())["groups"]]

    assert document["spec"]["groups"] == groups


def test_the_pod_monitor_scrapes_as_prometheus_yml_does() -> None:
    pods = yaml.safe_load((MONITORING / "kubernetes/podmonitor.yaml").read_text())["spec"]
    (job,) = yaml.safe_load((MONITORING / "prometheus.yml").read_text())["scrape_configs"]

    (endpoint,) = pods["podMetricsEndpoints"]
    assert pods["sampleLimit"] == job["sample_limit"]
    assert endpoint["scrapeTimeout"] == job["scrape_timeout"]
    assert {one["targetLabel"] for one in endpoint["relabelings"]} == {"cluster"}
    assert pods["selector"]["matchLabels"][pods["jobLabel"]] == job["job_name"] == "llm-gateway"


def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    text = (MONITORING / "prometheus.yml").read_text()
    (tmp_path / "prometheus.yml").write_text(text.replace("/etc/prometheus/rules", str(MONITORING)))

    said = promtool.run("check", "config", "--syntax-only", tmp_path / "prometheus.yml")

    assert "SUCCESS" in said


def test_the_data_source_knows_the_interval_of_the_scrapes() -> None:
    source = yaml.safe_load((MONITORING / "provisioning/datasources/prometheus.yaml").read_text())["datasources"][0]
    prometheus = yaml.safe_load((MONITORING / "prometheus.yml").read_text())

    assert source["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]


def test_alertmanager_takes_its_configuration() -> None:
    said = _amtool("check-config", str(MONITORING / "alertmanager.yml"))

    assert "SUCCESS" in said


@pytest.mark.parametrize("severity", ROUTES)
def test_an_alert_goes_where_its_severity_says(severity: str) -> None:
    where = f"--config.file={MONITORING / 'alertmanager.yml'}"

    assert _amtool("config", "routes", "test", where, f"severity={severity}").split() == [ROUTES[severity]]


def test_what_is_inhibited_is_an_alert_that_exists() -> None:
    document = yaml.safe_load((MONITORING / "alertmanager.yml").read_text())
    named = {
        name
        for rule in document["inhibit_rules"]
        for matcher in (*rule["source_matchers"], *rule["target_matchers"])
        for name in _named(matcher)
    }

    assert named <= {*promtool.rules(), "LLMGateway.+"}


def _named(matcher: str) -> list[str]:
    """The alerts that a matcher of alertname lists: LLMGateway(A|B)C as two names."""
    found = re.fullmatch(r'alertname \S+ "(\w+)(?:\(([^)]*)\))?(.*)"', matcher)
    if found is None:
        return []
    head, choices, tail = found.groups()
    return [f"{head}{choice}{tail}" for choice in choices.split("|")] if choices else [head + tail]


@pytest.mark.parametrize("alert", promtool.rules())
def test_an_alert_has_a_runbook_that_says_everything(alert: str) -> None:
    text = (MONITORING / "runbooks" / f"{alert}.md").read_text()

    assert text.startswith(f"# {alert}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (MONITORING / "runbooks" / link).is_file(), link


def test_there_is_no_runbook_without_an_alert() -> None:
    assert {path.stem for path in (MONITORING / "runbooks").iterdir()} == set(promtool.rules())


def test_the_queries_of_the_runbooks_ask_for_what_there_is(tmp_path: Path) -> None:
    queries = [
        line
        for path in (MONITORING / "runbooks").iterdir()
        for block in re.findall(r"```promql\n(.*?)```", path.read_text(), re.DOTALL)
        for line in block.splitlines()
    ]
    metrics = re.findall(rf"{PREFIX}(\w+)", " ".join(queries))
    named = {re.sub(r"_(bucket|sum|count)$", "", name) for name in metrics}
    rules = [{"record": f"query_{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "runbooks", "rules": rules}]}))

    assert named <= set(contract())
    promtool.run("check", "rules", tmp_path / "rules.yaml")


def test_the_readme_names_every_panel_in_its_row() -> None:
    for name in DASHBOARDS:
        section = README.partition(f"(`{name}`)\n")[2].partition("\n### ")[0].partition("\n## ")[0]
        told = {row: cells for row, cells in re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)}
        told = {row: [_bare(one) for one in re.split(r", (?![^(]*\))", cells)] for row, cells in told.items()}
        dashboard = read(name)
        row = ""
        shown: dict[str, list[str]] = {}
        for panel in dashboard["panels"]:
            if panel["type"] == "row":
                row = panel["title"]
                shown[row] = [inner["title"] for inner in panel["panels"]]
            else:
                shown[row].append(panel["title"])
        assert {key: told[key] for key in told if key in shown} == shown
        assert list(panels(dashboard))


def _bare(title: str) -> str:
    return title.replace(" (p50, p95, p99)", "")


def test_the_readme_has_the_eleven_metrics_with_their_labels() -> None:
    row = rf"^\| `{PREFIX}(\w+)` \| (Counter|Gauge|Histogram) \| [^|]+ \| ([^|]+) \|$"
    rows = re.findall(row, README, re.MULTILINE)
    told = {name: (kind.lower(), set(labels.split(", "))) for name, kind, labels in rows}

    assert told == {name: (contract()[name].kind, set(contract()[name].labels)) for name in ELEVEN}


def test_the_readme_has_every_alert_with_its_time_and_severity() -> None:
    rows = re.findall(r"^\| \[`(\w+)`\]\(runbooks/(\w+)\.md\) \| .* \| (\w+) \| (\w+) \|$", README, re.MULTILINE)
    told = {name: (waits, severity) for name, link, waits, severity in rows if name == link}
    made = {name: (own[0]["for"], own[0]["labels"]["severity"]) for name, (_, own) in promtool.rules().items()}

    assert told == {name: value for name, value in made.items() if "Budget" not in name}
    assert set(FIFTEEN_NAMES) <= set(told)


def test_the_links_of_the_readme_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert (MONITORING / link).exists(), link


def _amtool(*arguments: str) -> str:
    command = [tool("amtool"), *arguments]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
