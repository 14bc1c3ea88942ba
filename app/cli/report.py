"""`llm-gateway report --prometheus URL`: the dashboards as a page of HTML, without a Grafana."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from app.report.asked import Span
from app.report.dashboard import NoDashboard
from app.report.draw import NotInstalled
from app.report.prometheus import Prometheus, Unanswered
from app.report.write import write

HELP = "draw the dashboards from a Prometheus, as a page of HTML"

_DASHBOARDS = Path(__file__).parent.parent.parent / "monitoring"
_SECONDS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--prometheus", required=True, metavar="URL", help="such as http://127.0.0.1:9090")
    parser.add_argument("--output", type=Path, default=Path("report.html"), help="default: report.html")
    parser.add_argument("--range", type=_seconds, default=3600.0, metavar="TIME", help="30m, 6h, 2d; default: 1h")
    parser.add_argument("--dashboards", type=Path, default=_DASHBOARDS, metavar="FOLDER", help="default: monitoring/")
    parser.add_argument("--var", type=_pair, action="append", default=[], metavar="NAME=VALUE", help="provider=openai")
    parser.add_argument(
        "--scrape-interval", type=_seconds, default=15.0, metavar="TIME", help="of Prometheus; default: 15s"
    )


def run(arguments: argparse.Namespace) -> int:
    files = sorted(arguments.dashboards.glob("*.json"))
    if not files:
        print(f"there are no dashboards (*.json) in {arguments.dashboards}: give --dashboards", file=sys.stderr)
        return 1
    end = time.time()
    span = Span(end - arguments.range, end, arguments.scrape_interval)
    try:
        page = write(files, Prometheus(arguments.prometheus), span, dict(arguments.var), arguments.prometheus)
    except (Unanswered, NoDashboard, NotInstalled) as error:
        print(error, file=sys.stderr)
        return 1
    arguments.output.write_text(page, encoding="utf-8")
    print(arguments.output)
    return 0


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+)([smhd])", text)
    if found is None or int(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number and s, m, h or d, such as 30m")
    return float(int(found[1]) * _SECONDS[found[2]])


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAME=VALUE, such as provider=openai")
    return name, value
