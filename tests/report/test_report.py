"""The report shows every panel that the dashboards have, or says why there is nothing to show."""

from __future__ import annotations

import re
import subprocess
import sys
from html import escape, unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from app import cli
from monitoring.source.files import DASHBOARDS
from tests.gunicorn import free_port
from tests.monitoring.dashboards import panels, read
from tests.monitoring.servers import Prometheus, prometheus
from tests.report import browser

PROVIDERS = ("anthropic", "azure-eu", "openai")


def articles(page: str) -> list[tuple[str, str]]:
    """Title and content of each panel."""
    found = re.findall(r"<article .*?<h4[^>]*>(.*?)</h4>(.*?)</article>", page, re.DOTALL)
    return [(unescape(title), inside) for title, inside in found]


def test_every_panel_is_there_with_something_in_it(report: Path) -> None:
    page = report.read_text()
    overview, providers, tenants = ([panel["title"] for panel in panels(read(name))] for name in DASHBOARDS)

    assert [title for title, _ in articles(page)] == [*overview, *providers * len(PROVIDERS), *tenants]
    assert [title for title, inside in articles(page) if 'class="nothing"' in inside] == []


def test_a_dashboard_of_one_provider_is_there_for_each(report: Path) -> None:
    titles = re.findall(r"<h2>(.*?)</h2>", report.read_text())

    details = [f"Provider Details: {name}" for name in PROVIDERS]
    assert titles == ["LLM Gateway Overview", *details, "Tenants and Cost"]


def test_a_chart_has_units_and_a_legend_with_what_its_series_are_called(report: Path) -> None:
    charts = dict(articles(report.read_text()))

    assert "req/s" in charts["Request Rate by Provider"]
    assert re.search(r">\d+ (ms|s)<", charts["Latency Percentiles"])
    assert re.findall(r"<th><i[^>]*></i>(p\d+)</th>", charts["Latency Percentiles"]) == ["p50", "p95", "p99"]
    assert all(name in charts["Top Tenants"] for name in ("acme", "interns", "requests", "tokens", "$"))
    assert ">Unhealthy<" in charts["Health Status"], "the last section is of openai"


def test_every_picture_is_whole_and_no_name_on_the_page_is_there_twice(report: Path) -> None:
    page = report.read_text()
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    names = re.findall(r'<(?!clipPath|path|marker|image)\w+[^>]* id="([^"]+)"', page)

    assert len(pictures) > 100
    for picture in pictures:
        ET.fromstring(picture)  # noqa: S314 - our own
    assert len(names) == len(set(names))


def test_the_page_needs_nothing_from_elsewhere(report: Path) -> None:
    page = report.read_text()

    assert re.findall(r'(?:src|href)="(?!#|data:)([^"]+)"', page) == []
    assert "<script" not in page
    assert len(page) < 6_000_000


@pytest.mark.parametrize("width", [1440, 1000])
@pytest.mark.timeout(150)
def test_nothing_overlaps_is_cut_off_or_too_small_in_a_browser(report: Path, width: int) -> None:
    measured = browser.measure(report, width)

    assert measured["panels"] == len(articles(report.read_text()))
    assert measured["over_panels"] == []
    assert measured["over_texts"] == []
    assert measured["cut"] == []
    assert measured["outside"] == []
    assert measured["empty"] == []
    assert measured["bare"] == 0
    assert measured["smallest"] > 7, "pixels"


def test_a_choice_leaves_the_others_out(past: Prometheus, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    arguments = ["--var", "provider=openai", "--var", "model=fast", "--range", "10m"]

    assert cli.main(["report", "--prometheus", past.url, "--output", str(path), *arguments]) == 0

    page = path.read_text()
    assert re.findall(r"<h2>(Provider Details.*?)</h2>", page) == ["Provider Details: openai"]
    assert "smart p50" not in page


def test_an_empty_panel_says_why(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    with prometheus(tmp_path, "global: {}") as server:
        arguments = ["--var", "provider=openai", "--range", "5m"]
        assert cli.main(["report", "--prometheus", server.url, "--output", str(path), *arguments]) == 0

    told = dict(articles(path.read_text()))
    missing = "no traffic: this Prometheus has no llm_gateway_llm_gateway_requests_total"
    assert escape(missing) in told["Error Rate"]
    assert all('class="nothing"' in inside for title, inside in told.items() if title != "Firing Alerts")


def test_a_prometheus_that_is_away_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"http://127.0.0.1:{free_port()}"

    status = cli.main(["report", "--prometheus", url, "--output", str(tmp_path / "report.html")])

    assert status == 1
    assert url in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()


def test_an_address_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "--prometheus", "file:///etc", "--output", str(tmp_path / "r.html")]) == 1
    assert "expected http:// or https://" in capsys.readouterr().err


def test_a_folder_without_dashboards_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "--prometheus", "http://127.0.0.1:1", "--dashboards", str(tmp_path)]) == 1
    assert str(tmp_path) in capsys.readouterr().err


def test_a_file_that_is_no_dashboard_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.json").write_text('{"panels": 3}')

    assert cli.main(["report", "--prometheus", "http://127.0.0.1:1", "--dashboards", str(tmp_path)]) == 1
    assert "other.json is not a dashboard" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--range", "soon"], ["--range", "0m"], ["--var", "provider"]])
def test_a_wrong_argument_is_explained(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["report", "--prometheus", "http://127.0.0.1:1", *wrong])

    assert ended.value.code == 2
    assert "expected" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(past: Prometheus, tmp_path: Path) -> None:
    program = "import sys; sys.modules['matplotlib'] = None; from app import cli; sys.exit(cli.main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "report", "--prometheus", past.url, "--output", str(tmp_path / "r.html")]

    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)

    assert done.returncode == 1
    assert done.stderr == "drawing needs matplotlib: pip install 'llm-gateway[report]'\n"
