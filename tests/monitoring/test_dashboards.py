"""The dashboards are what their tables say, import as they are, and ask for what there is."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from app.metrics.catalogue import PREFIX
from monitoring.source.files import DASHBOARDS
from monitoring.source.panel import Unit
from tests.monitoring import promtool
from tests.monitoring.contract import contract, synthetic
from tests.monitoring.dashboards import Json, Target, filled, panels, read, selectors, targets

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}

#: What other documents call the panels of the overview.
NAMED = {
    *("Request Rate", "Error Rate", "P95 Latency", "Active Requests", "Token Rate", "Healthy Provider Count"),
    *("Request Rate by Provider", "Request Rate by Model", "Latency Percentiles", "Time to First Token (TTFT)"),
    *("Cache Operations", "Rate Limit Hits"),
}

#: Settings of an annotation that belong to the Prometheus data source, of which Grafana's types know nothing.
_ANNOTATIONS = (
    *("step", "60s", "titleFormat"),
    *("{{alertname}} {{provider}}", "{{instance}} took over a configuration"),
)

dashboards = pytest.mark.parametrize("name", DASHBOARDS)
queries = pytest.mark.parametrize("target", targets(), ids=str)


@dashboards
def test_a_dashboard_has_its_own_uid_and_every_panel_its_number_and_name(name: str) -> None:
    dashboard = read(name)
    found = [*dashboard["panels"], *(p for p in panels(dashboard) if p not in dashboard["panels"])]
    shown = [panel for panel in found if panel["type"] != "row"]

    assert dashboard["uid"] == name.removesuffix(".json")
    assert len({panel["id"] for panel in found}) == len(found)
    assert len({panel["title"] for panel in shown}) == len(shown)
    assert dashboard["editable"], "the README tells people to add panels"


@dashboards
def test_no_panel_lies_over_another_or_beside_the_page(name: str) -> None:
    dashboard = read(name)
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    places += [p["gridPos"] for p in panels(dashboard) if p not in dashboard["panels"]]
    cells = [
        (x, y)
        for place in places
        for x, y in itertools.product(
            range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        )
    ]

    assert len(cells) == len(set(cells))
    assert all(0 <= x < 24 for x, _ in cells)


@dashboards
def test_every_panel_says_what_it_shows_and_in_what_unit(name: str) -> None:
    for panel in panels(read(name)):
        defaults = panel["fieldConfig"]["defaults"]
        assert len(panel["description"]) > 5, panel["title"]
        assert defaults["unit"] in set(Unit), panel["title"]
        assert defaults["thresholds"]["steps"][0]["value"] is None
        assert panel["targets"], panel["title"]
        assert defaults["noValue"]
        if panel["type"] == "timeseries":
            assert panel["options"]["legend"]["calcs"] == ["mean", "max", "lastNotNull"]


@dashboards
def test_the_data_source_is_chosen_and_never_written_in(name: str) -> None:
    dashboard = read(name)
    asked = [one for one in dashboard["templating"]["list"] if one["type"] == "query"]
    sources = [dashboard["annotations"]["list"][1]["datasource"], *(one["datasource"] for one in asked)]
    for panel in panels(dashboard):
        sources += [panel["datasource"], *(target["datasource"] for target in panel["targets"])]

    assert all(source == _SOURCE for source in sources)


@dashboards
def test_the_drop_downs_work_with_one_cluster_and_with_many(name: str) -> None:
    source, cluster, job, instance, *others = read(name)["templating"]["list"]

    assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")
    assert cluster["query"] == f"label_values({PREFIX}requests_total, cluster)"
    assert cluster["allValue"] == ".*", "`.+` shows nothing to those who have no such label"
    assert (job["allValue"], instance["allValue"]) == (".+", ".+")
    for variable in (cluster, job, instance, *others):
        assert variable["refresh"] == 2, "new values appear with a new range of time"
        assert variable["includeAll"] == variable["multi"]
        ((metric, labels),) = selectors(variable["query"]) or [(PREFIX + "requests_total", [])]
        label = variable["query"].rpartition(", ")[2].rstrip(")")
        known = {*contract()[metric.removeprefix(PREFIX)].labels, "cluster", "job", "instance"}
        assert {label, *labels} <= known


def test_the_overview_has_the_panels_that_documents_name() -> None:
    assert {panel["title"] for panel in panels(read("llm-gateway-overview.json"))} >= NAMED


def test_the_details_are_of_one_provider() -> None:
    (variable,) = [v for v in read("llm-gateway-providers.json")["templating"]["list"] if v["name"] == "provider"]

    assert not variable["multi"]


@queries
def test_a_query_asks_for_what_there_is(target: Target) -> None:
    for metric, labels in selectors(target.expr):
        assert "cluster" in labels
        if metric == "ALERTS":
            continue
        assert {"job", "instance"} <= set(labels)
        if metric.startswith(PREFIX):
            base = re.sub(r"_(bucket|sum|count)$", "", metric.removeprefix(PREFIX))
            known = contract()[base]
            assert set(labels) <= {*known.labels, "cluster", "job", "instance"}
            assert (known.kind == "histogram") == (base != metric.removeprefix(PREFIX))
    assert not re.search(rf"(?<!rate\()(?<!increase\(){PREFIX}\w+_(total|bucket|sum|count)\{{", target.expr), (
        "a counter is read by how it rises"
    )
    assert set(re.findall(r"\[([^\]]*)\]", target.expr)) <= {"$__rate_interval", "$__range", "1h"}


@queries
def test_a_legend_names_labels_that_the_query_keeps(target: Target) -> None:
    kept = " ".join(re.findall(r"by \(([^)]*)\)", target.expr))
    for label in re.findall(r"\{\{(\w+)\}\}", target.legend):
        assert label in kept or not kept or label == "instance", target.legend


def test_every_metric_is_on_a_panel() -> None:
    asked = {
        re.sub(r"_(bucket|sum|count)$", "", metric.removeprefix(PREFIX))
        for target in targets()
        for metric, _ in selectors(target.expr)
    }

    assert set(contract()) - asked == set()


def test_every_query_has_a_value_where_every_metric_has_one(tmp_path: Path) -> None:
    asked = [filled(target.expr, window="1m", span="15m", provider="openai") for target in targets()]

    promtool.values(synthetic(), asked, "25m", tmp_path)


def test_a_query_for_a_metric_that_is_not_there_is_noticed(tmp_path: Path) -> None:
    """The test above can fail."""
    with pytest.raises(AssertionError):
        promtool.values(synthetic(), [f"sum({PREFIX}no_such_metric)"], "25m", tmp_path)


@dashboards
def test_grafanas_own_types_read_a_dashboard_and_lose_nothing(name: str) -> None:
    dashboard = read(name)

    again = JSONEncoder(sort_keys=True).encode(Dashboard.from_json(dashboard))

    assert set(lost(dashboard, again)) - {*_ANNOTATIONS} == set()


def lost(before: Json, after: str) -> list[str]:
    """Texts of the dashboard that are not in what was made of it."""

    def texts(value: object) -> set[str]:
        if isinstance(value, dict):
            return {text for key, inner in value.items() for text in (key, *texts(inner))}
        if isinstance(value, list):
            return {text for inner in value for text in texts(inner)}
        return {value} if isinstance(value, str) else set()

    return sorted(texts(before) - texts(json.loads(after)))
