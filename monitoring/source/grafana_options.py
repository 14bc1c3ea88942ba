"""How Grafana draws each kind of panel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitoring.source.panel import Kind, Panel

Json = dict[str, Any]

_LAST: Json = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def options(panel: Panel) -> Json:
    if panel.kind is Kind.STAT:
        return {**_BY_KIND[panel.kind], **(_STATE if panel.states else _NUMBER)}
    if panel.kind is Kind.HEATMAP:
        return {**_BY_KIND[panel.kind], "yAxis": {"unit": panel.unit.value}}
    return dict(_BY_KIND[panel.kind])


_STATE: Json = {"colorMode": "background", "graphMode": "none"}
_NUMBER: Json = {"colorMode": "value", "graphMode": "area"}

_BY_KIND: Mapping[Kind, Json] = {
    Kind.STAT: {"justifyMode": "auto", "orientation": "auto", "reduceOptions": _LAST, "textMode": "auto"},
    Kind.SERIES: {
        "legend": {
            "calcs": ["mean", "max", "lastNotNull"],
            "displayMode": "table",
            "placement": "bottom",
            "showLegend": True,
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    Kind.HEATMAP: {
        "calculate": False,
        "cellGap": 1,
        "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
        "legend": {"show": True},
        "tooltip": {"show": True},
    },
    Kind.PIE: {
        "legend": {
            "displayMode": "table",
            "placement": "right",
            "showLegend": True,
            "values": ["value", "percent"],
        },
        "pieType": "donut",
        "reduceOptions": _LAST,
    },
    Kind.BARS: {
        "displayMode": "gradient",
        "orientation": "horizontal",
        "reduceOptions": _LAST,
        "showUnfilled": True,
    },
    Kind.STATES: {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "mergeValues": True,
        "rowHeight": 0.8,
        "showValue": "auto",
    },
    Kind.TABLE: {"cellHeight": "sm", "showHeader": True},
}
