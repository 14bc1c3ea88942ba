"""The pages: merged, in the format that is asked for, and there even when a merge is not."""

import gzip
import os
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path
from types import ModuleType

import prometheus_client.mmap_dict
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from app.core import json
from app.metrics import merge
from app.metrics.catalogue import PREFIX
from app.metrics.exposition import Exposition, Facts
from tests.metrics.page import Page

ROOT = Path(__file__).parent.parent.parent
FACTS = Facts("1.2.3", {"killed": 2}, {"openai"})


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which two workers have counted, one after the other, before they were killed."""
    tmp_path = tmp_path_factory.mktemp("metrics")
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.metrics.counting", str(tmp_path), "3"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
        process.communicate()
    return tmp_path


def _made(living: tracemalloc.Snapshot, *modules: ModuleType) -> int:
    """How many of the living objects these have made."""
    found = living.filter_traces([tracemalloc.Filter(True, str(module.__file__)) for module in modules])
    return len(found.traces)


OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;q=0.5,*/*;q=0.1"
)


@pytest.mark.parametrize("accept", ["", "text/plain", "text/plain;version=1.0.0", OPENMETRICS, PROMETHEUS_3])
def test_every_format_parses_and_says_the_same(counted: Path, accept: str) -> None:
    headers, body = Exposition(counted, lambda: FACTS).page(accept)
    parse = parse_openmetrics if "openmetrics" in headers["Content-Type"] else parse_text
    samples = {s.name.removeprefix(PREFIX): s for f in parse(body.decode()) for s in f.samples}
    assert samples["requests_total"].value == 6
    assert samples["requests_total"].labels["provider"] == "openai"
    assert samples["request_duration_seconds_count"].value == 2
    assert samples["build_info"].labels["version"] == "1.2.3"
    assert samples["metrics_files"].value == 3
    exits = {s.labels["reason"]: s.value for f in parse(body.decode()) for s in f.samples if "exits" in s.name}
    assert exits == {"graceful": 0, "timeout": 0, "failed": 0, "killed": 2}


def test_a_page_is_compressed_for_those_who_ask(counted: Path) -> None:
    pages = Exposition(counted, lambda: FACTS)
    headers, body = pages.page("", "deflate, gzip")
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == pages.page("")[1]


def test_pages_within_a_second_share_one_merge(counted: Path) -> None:
    asked: list[None] = []

    def facts() -> Facts:
        asked.append(None)
        return FACTS

    pages = Exposition(counted, facts)
    for _ in range(3):
        pages.page(OPENMETRICS)
    assert len(asked) == 1


def test_another_format_is_merged_anew(counted: Path) -> None:
    pages = Exposition(counted, lambda: FACTS)
    assert b"# EOF" in pages.page(OPENMETRICS)[1]
    assert b"# EOF" not in pages.page("")[1]
    assert b"# EOF" in pages.page(OPENMETRICS)[1]


def test_nothing_of_a_merge_is_kept_but_its_page(counted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept, in however small pieces, keeps from the system what lay around it."""
    monkeypatch.setattr("app.metrics.exposition._FRESH", 0)
    pages = Exposition(counted, lambda: FACTS)
    pages.page("")
    tracemalloc.start()
    try:
        kept = []
        for _ in range(3):
            pages.page("")
            kept.append(_made(tracemalloc.take_snapshot(), prometheus_client.mmap_dict, merge, json))
    finally:
        tracemalloc.stop()
    assert kept == [0, 0, 0]


def test_who_asks_while_a_merge_runs_waits_for_its_page(counted: Path) -> None:
    merging, go_on = threading.Event(), threading.Event()
    asked: list[None] = []

    def facts() -> Facts:
        asked.append(None)
        merging.set()
        assert go_on.wait(30)
        return FACTS

    pages = Exposition(counted, facts)
    found: list[bytes] = []
    readers = [threading.Thread(target=lambda: found.append(pages.page("")[1])) for _ in range(8)]
    for reader in readers:
        reader.start()
    assert merging.wait(30)
    go_on.set()
    for reader in readers:
        reader.join()
    assert len(asked) == 1
    assert len(found) == 8
    assert len(set(found)) == 1


def test_what_only_the_housekeeper_knows_is_on_the_page(counted: Path) -> None:
    facts = Facts("1", {}, None, config_is_good=False, config_since=1234.5)
    page = Page(Exposition(counted, lambda: facts).page("")[1].decode())
    assert page.sum("config_last_reload_successful") == 0
    assert page.sum("config_last_reload_timestamp_seconds") == 1234.5
    assert page.series("in_flight_requests") == [({}, 0)]


def test_gauges_of_a_provider_that_is_gone_go_once_they_are_zero(tmp_path: Path) -> None:
    code = (
        "from app.metrics import slots; from app.metrics.registry import Metrics; from pathlib import Path;"
        f"slot = slots.claim(Path({str(tmp_path)!r})); slots.adopt(slot); m = Metrics(slot.make_room);"
        "m.active('openai').inc(0); m.active('busy').inc(); m.active('gone').inc(0)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    page = Exposition(tmp_path, lambda: FACTS).page("")[1].decode()
    found = sorted(line for line in page.splitlines() if line.startswith(PREFIX + "active_requests{"))
    assert found == [PREFIX + 'active_requests{provider="busy"} 1.0', PREFIX + 'active_requests{provider="openai"} 0.0']


FOREIGN = {
    "empty": b"",
    "cut": b"\x10\x27\x00\x00",
    "noise": b"\x18\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff" + b"\xff" * 100,
    "text": b"something else altogether, which somebody put here by mistake",
    "another": b"\x28\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00null" + b" " * 8 + b"\x00" * 16,
}


@pytest.mark.parametrize("name", ["counter_w9.db", "whatever.db", "gauge_liveall_w9.db"])
@pytest.mark.parametrize("what", FOREIGN)
def test_a_file_that_cannot_be_read_is_left_out_counted_and_named_once(
    counted: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, what: str, name: str
) -> None:
    monkeypatch.setattr("app.metrics.exposition._FRESH", 0)
    pages = Exposition(counted, lambda: FACTS)
    broken = counted / name
    broken.write_bytes(FOREIGN[what])
    try:
        for times in (1, 2):
            page = Page(pages.page("")[1].decode())
            assert page.sum("requests_total") == 6
            assert page.sum("metrics_file_errors_total") == times
        assert caplog.text.count(f"{name} cannot be read") == 1
    finally:
        broken.unlink()
    assert Page(pages.page("")[1].decode()).sum("metrics_file_errors_total") == 2


def test_nothing_here_makes_a_value(counted: Path) -> None:
    """Whoever merges must not count in the same directory: its file would be one more."""
    before = set(os.listdir(counted))
    Exposition(counted, lambda: FACTS).page("")
    assert set(os.listdir(counted)) == before


def test_a_file_that_goes_while_it_is_looked_for_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "counter_w1.db").symlink_to(tmp_path / "gone")
    page = Page(Exposition(tmp_path, lambda: FACTS).page("")[1].decode())
    assert page.sum("metrics_file_errors_total") == 0
