"""A table of panels as the JSON that Grafana imports.

The same file works by import and by provisioning: the data source is a variable, so nothing has to be filled in.
Grafana 10.4 wrote this schema; a newer one brings it up to date by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from app.metrics.catalogue import PREFIX
from monitoring.source.grafana_options import options
from monitoring.source.panel import Dashboard, Kind, Panel, Row, Unit, Variable
from monitoring.source.query import Query

Json = dict[str, Any]

SCHEMA = 39
COLUMNS = 24
_SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
_DETAILS = "/d/llm-gateway-providers?${__url_time_range}&var-provider=${__field.labels.provider}"


def text(dashboard: Dashboard) -> str:
    """The file."""
    return json.dumps(_dashboard(dashboard), indent=2, ensure_ascii=False) + "\n"


def compact(dashboard: Dashboard) -> str:
    """The same for where size counts."""
    return json.dumps(_dashboard(dashboard), separators=(",", ":"), ensure_ascii=False) + "\n"


def _dashboard(dashboard: Dashboard) -> Json:
    return {
        "annotations": {"list": [_built_in(), *_annotations()]},
        "description": dashboard.says,
        "editable": True,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "id": None,
        "links": [
            {
                "asDropdown": False,
                "icon": "external link",
                "includeVars": True,
                "keepTime": True,
                "tags": ["llm-gateway"],
                "targetBlank": False,
                "title": "",
                "tooltip": "",
                "type": "dashboards",
                "url": "",
            }
        ],
        "panels": _layout(dashboard.rows),
        "refresh": "30s",
        "schemaVersion": SCHEMA,
        "tags": ["llm-gateway"],
        "templating": {"list": [_data_source(), *(_variable(one) for one in dashboard.variables)]},
        "time": {"from": "now-1h", "to": "now"},
        "timepicker": {},
        "timezone": "",
        "title": dashboard.title,
        "uid": dashboard.uid,
        "version": 1,
        "weekStart": "",
    }


def _built_in() -> Json:
    return {
        "builtIn": 1,
        "datasource": {"type": "grafana", "uid": "-- Grafana --"},
        "enable": True,
        "hide": True,
        "iconColor": "rgba(0, 211, 255, 1)",
        "name": "Annotations & Alerts",
        "type": "dashboard",
    }


def _annotations() -> Iterator[Json]:
    place = 'cluster=~"$cluster", job=~"$job"'
    alerts = 'ALERTS{alertname=~"LLMGateway.+", alertstate="firing", cluster=~"$cluster"}'
    changes = f"changes({PREFIX}config_hash{{{place}}}[$__rate_interval]) > 0"
    for name, colour, expr, title in (
        ("Firing alerts", "red", alerts, "{{alertname}} {{provider}}"),
        ("Configuration changes", "blue", f"max by (instance) ({changes})", "{{instance}} took over a configuration"),
    ):
        yield {
            "datasource": _SOURCE,
            "enable": True,
            "expr": expr,
            "iconColor": colour,
            "name": name,
            "step": "60s",
            "titleFormat": title,
        }


def _data_source() -> Json:
    return {
        "current": {},
        "hide": 0,
        "includeAll": False,
        "label": "Data Source",
        "multi": False,
        "name": "datasource",
        "options": [],
        "query": "prometheus",
        "refresh": 1,
        "regex": "",
        "skipUrlSync": False,
        "type": "datasource",
    }


def _variable(variable: Variable) -> Json:
    several = variable.everything is not None
    made: Json = {
        "current": {"text": ["All"], "value": ["$__all"]} if several else {},
        "datasource": _SOURCE,
        "hide": 0,
        "includeAll": several,
        "label": variable.label,
        "multi": several,
        "name": variable.name,
        "options": [],
        "query": variable.query,
        "refresh": 2,
        "regex": "",
        "skipUrlSync": False,
        "sort": 1,
        "type": "query",
    }
    return {**made, "allValue": variable.everything} if several else made


def _layout(rows: tuple[Row, ...]) -> list[Json]:
    """From left to right, and down where a line is full. Panels of a collapsed row are inside it."""
    made: list[Json] = []
    number, top = 1, 0
    for row in rows:
        head = _row(row, number, top)
        number, top = number + 1, top + 1
        inside: list[Json] = []
        left = tallest = 0
        for panel in row.panels:
            if left + panel.width > COLUMNS:
                left, top, tallest = 0, top + tallest, 0
            place = {"h": panel.height, "w": panel.width, "x": left, "y": top}
            inside.append({**_panel(panel), "gridPos": place, "id": number})
            number, left, tallest = number + 1, left + panel.width, max(tallest, panel.height)
        top += 0 if row.collapsed else tallest
        made.append({**head, "panels": inside if row.collapsed else []})
        made.extend([] if row.collapsed else inside)
    return made


def _row(row: Row, number: int, top: int) -> Json:
    place = {"h": 1, "w": COLUMNS, "x": 0, "y": top}
    return {"collapsed": row.collapsed, "gridPos": place, "id": number, "title": row.title, "type": "row"}


def _panel(panel: Panel) -> Json:
    defaults: Json = {
        "color": {"mode": _colour_mode(panel)},
        "custom": _custom(panel),
        "mappings": _mappings(panel),
        "noValue": panel.nothing,
        "thresholds": {
            "mode": "absolute",
            "steps": [{"color": colour, "value": value} for colour, value in panel.steps],
        },
        "unit": panel.unit.value,
    }
    if panel.unit is Unit.SHARE and panel.kind is not Kind.TABLE:
        defaults["min"] = 0
    if panel.to_provider:
        defaults["links"] = [{"targetBlank": False, "title": "Provider Details", "url": _DETAILS}]
    made: Json = {
        "datasource": _SOURCE,
        "description": panel.says,
        "fieldConfig": {"defaults": defaults, "overrides": list(_overrides(panel))},
        "options": options(panel),
        "targets": [_target(panel, query, chr(ord("A") + n)) for n, query in enumerate(panel.queries)],
        "title": panel.title,
        "type": panel.kind.value,
    }
    if panel.kind is Kind.SERIES:
        made["interval"] = "15s"
    return {**made, "transformations": _transformations(panel)} if panel.kind is Kind.TABLE else made


def _colour_mode(panel: Panel) -> str:
    return "thresholds" if panel.kind in (Kind.STAT, Kind.STATES, Kind.TABLE) else "palette-classic"


def _custom(panel: Panel) -> Json:
    match panel.kind:
        case Kind.SERIES:
            return {
                "drawStyle": "line",
                "fillOpacity": 20 if panel.stacked else 5,
                "lineWidth": 1,
                "showPoints": "auto",
                "spanNulls": False,
                "stacking": {"group": "A", "mode": "normal" if panel.stacked else "none"},
                "thresholdsStyle": {"mode": "line" if panel.lined else "off"},
            }
        case Kind.STATES:
            return {"fillOpacity": 70, "lineWidth": 0}
        case _:
            return {}


def _mappings(panel: Panel) -> list[Json]:
    if not panel.states:
        return []
    options = {
        str(value): {"color": colour, "index": n, "text": said}
        for n, (value, (said, colour)) in enumerate(panel.states.items())
    }
    return [{"options": options, "type": "value"}]


def _overrides(panel: Panel) -> Iterator[Json]:
    for legend, colour in panel.colours.items():
        fixed = {"id": "color", "value": {"fixedColor": colour, "mode": "fixed"}}
        yield {"matcher": {"id": "byName", "options": legend}, "properties": [fixed]}
    for legend, unit in panel.units.items():
        yield {"matcher": {"id": "byName", "options": legend}, "properties": [{"id": "unit", "value": unit.value}]}


def _target(panel: Panel, query: Query, ref: str) -> Json:
    made: Json = {"datasource": _SOURCE, "expr": query.expr, "legendFormat": query.legend, "refId": ref}
    match panel.kind:
        case Kind.TABLE:
            return {**made, "format": "table", "instant": True, "range": False}
        case Kind.PIE | Kind.BARS:
            return {**made, "instant": True, "range": False}
        case Kind.HEATMAP:
            return {**made, "format": "heatmap", "instant": False, "range": True}
        case _:
            return {**made, "instant": False, "range": True}


def _transformations(panel: Panel) -> list[Json]:
    """One table out of all queries: the labels they share, and a column a query, named after its legend."""
    several = len(panel.queries) > 1
    values = {f"Value #{chr(ord('A') + n)}": query.legend for n, query in enumerate(panel.queries)}
    names = values if several else {"Value": panel.queries[0].legend}
    organize = {"excludeByName": {"Time": True}, "indexByName": {}, "renameByName": names}
    merge: list[Json] = [{"id": "merge", "options": {}}] if several else []
    return [*merge, {"id": "organize", "options": organize}]
