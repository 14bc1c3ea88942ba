"""The files of all slots become what prometheus_client's own merge makes of them."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from app.metrics.exposition import _UNREADABLE as UNREADABLE
from app.metrics.merge import Merge

ROOT = Path(__file__).parent.parent.parent
COUNTING = """
import sys
from pathlib import Path
from app.metrics import slots
from app.metrics.registry import Metrics
for number in (1, 2):
    slot = slots.claim(Path(sys.argv[1]))
    slots.adopt(slot)
    metrics = Metrics(slot.make_room)
    metrics.expect([("fast", "openai"), ("slow", "none")], ["team", 'a "quoted" name, \\u00e4'])
    for model in ("fast", "slow")[:number]:
        metrics.requests(model, "openai", "success", "true").inc(number)
        for seconds in (0.005, 0.3, 7.0, 1000.0):
            metrics.duration(model, "openai", "false").observe(number * seconds)
    metrics.active("openai").inc(number)
    metrics.memcached_up().set(number - 1)
    metrics.inside(3 * number, 1000)
    metrics.in_force("ab" * 32)
    metrics.lines_lost(number)
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Of two slots, of every kind."""
    directory = tmp_path_factory.mktemp("metrics")
    subprocess.run([sys.executable, "-c", COUNTING, str(directory)], cwd=ROOT, check=True)
    found = sorted(directory.glob("*.db"))
    assert {path.stem.rpartition("_")[0] for path in found} == {
        *("counter", "histogram", "gauge_liveall", "gauge_livemin", "gauge_livesum"),
    }
    return found


def test_it_says_what_prometheus_clients_own_says(files: list[Path]) -> None:
    merge = Merge()
    for path in files:
        merge.add(path)
    theirs = MultiProcessCollector.merge(list(map(str, files)))  # type: ignore[no-untyped-call]
    assert _plain(merge.families()) == _plain(theirs)


def test_a_file_that_breaks_off_adds_nothing(files: list[Path], tmp_path: Path) -> None:
    whole = next(path for path in files if path.name.startswith("counter")).read_bytes()
    broken = tmp_path / "counter_w7.db"
    broken.write_bytes(whole[:5000] + b"\xff" * (len(whole) - 5000))
    merge = Merge()
    with pytest.raises((ValueError, RuntimeError)):
        merge.add(broken)
    assert list(merge.families()) == []


@pytest.mark.parametrize(
    "text",
    [
        '["", "a_total", {}, "help"]',
        '[1, "a_total", {}, "help"]',
        '["a", "a_total", {"b": 1}, "help"]',
        '["a", "a_total", [], "help"]',
        '["a", 1, {}, "help"]',
        '["a", "a_bucket", {"le": "much"}, "help"]',
        '["a", "a_total", {}]',
        '"a"',
    ],
)
def test_what_would_spoil_the_page_is_not_taken(text: str, tmp_path: Path) -> None:
    odd = tmp_path / "counter_w7.db"
    file = MmapedDict(str(odd))  # type: ignore[no-untyped-call]
    file.write_value(text, 1.0, 0.0)  # type: ignore[no-untyped-call]
    file.close()  # type: ignore[no-untyped-call]
    merge = Merge()
    with pytest.raises(UNREADABLE):
        merge.add(odd)
    assert list(merge.families()) == []


def test_the_buckets_of_a_histogram_are_in_order_and_count_what_was_below(files: list[Path]) -> None:
    merge = Merge()
    for path in files:
        merge.add(path)
    family = next(one for one in merge.families() if one.name.endswith("request_duration_seconds"))
    found = [s for s in family.samples if s.labels["model"] == "fast" and s.name.endswith("_bucket")]
    bounds = [float(s.labels["le"]) for s in found]
    assert bounds == sorted(bounds)
    assert [s.value for s in found] == sorted(s.value for s in found)
    assert found[-1].value == 8


def _plain(families: Iterable[Metric]) -> dict[tuple[str, str, str], list[tuple[str, list[tuple[str, str]], float]]]:
    """By name, type and help, the samples in an order of their own."""
    return {
        (one.name, one.type, one.documentation): sorted(
            (s.name, sorted(s.labels.items()), s.value) for s in one.samples
        )
        for one in families
    }
