"""What a scrape takes, and what it does to streams: `python -m bench.scrape`.

First a merge of 8 slots with 4,000 series each; then the gaps of streams through 4 workers, with nobody scraping and
with a scrape every half second, in turn.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from app.metrics.exposition import Exposition, Facts
from bench import servers
from bench.load import put_on
from bench.servers import STREAM_SECONDS, Running

SLOTS, SERIES = 8, 4000
STREAMS, ROUNDS = 400, 5
OFTEN = 0.5  # seconds between two scrapes

_FILL = f"""
import sys; from pathlib import Path; from app.metrics import slots; from app.metrics.registry import Metrics
slot = slots.claim(Path(sys.argv[1])); slots.adopt(slot); metrics = Metrics(slot.make_room)
for number in range({SERIES} // 40):  # 2 histograms of 22 and 20 series a pair, less what they share
    pair = f"model-{{number}}", "openai"
    metrics.duration(*pair, "false").observe(1)
    metrics.ttft(*pair).observe(1)
print("done", flush=True); sys.stdin.read()
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as directory, filled(Path(directory)):
        cold, warm = merge(Path(directory)), merge(Path(directory))
        print(
            f"merge of {SLOTS} slots x {SERIES} series: {cold * 1e3:.0f} ms, again {warm * 1e3:.0f} ms (to hold: 500)"
        )
    with servers.prepared() as place, servers.provider() as upstream:
        server = servers.gateway(place, upstream, "gevent", 4)
        with servers.running(server) as running:
            gaps: dict[bool, list[float]] = {False: [], True: []}
            took: list[float] = []
            for turn in range(2 * ROUNDS):
                scraped = turn % 2 == 1
                with scraping(server, took) if scraped else contextlib.nullcontext():
                    gaps[scraped].append(gap(running))
                print(f"  {'scraped' if scraped else 'alone'}: gap p99 {gaps[scraped][-1]:.0f} ms", flush=True)
            alone, beside = (statistics.median(gaps[scraped]) for scraped in (False, True))
    print(f"{STREAMS} streams, 4 workers: gap p99 {alone:.0f} ms, while scraped {beside:.0f} ms (hold: 20 more)")
    print(
        f"scrapes meanwhile: {len(took)}, median {statistics.median(took):.3f} s, longest {max(took):.3f} s (hold: 1)"
    )


@contextlib.contextmanager
def filled(directory: Path) -> Iterator[None]:
    """Workers that have counted, and live."""
    command = [sys.executable, "-c", _FILL, str(directory)]
    with contextlib.ExitStack() as stack:
        for _ in range(SLOTS):
            worker = subprocess.Popen(command, cwd=servers.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            stack.callback(worker.communicate)
            assert worker.stdout is not None
            if worker.stdout.readline() != b"done\n":
                raise SystemExit("a worker could not count: what it raised is above")
        yield


def merge(directory: Path) -> float:
    """Seconds."""
    began = time.perf_counter()
    Exposition(directory, lambda: Facts("bench", {}, None)).page("")
    return time.perf_counter() - began


def gap(running: Running) -> float:
    """The 99th percentile of the time between two events of a stream, ms."""
    return put_on(running, "streams", connections=STREAMS, warm=1.5, window=STREAM_SECONDS).gap_p99


@contextlib.contextmanager
def scraping(server: servers.Server, took: list[float]) -> Iterator[None]:
    done = threading.Event()
    url = f"http://{server.environment['GATEWAY_METRICS_BIND']}/metrics"

    def scrape() -> None:
        while not done.wait(OFTEN):
            began = time.monotonic()
            with urllib.request.urlopen(url, timeout=10) as answer:
                answer.read()
            took.append(time.monotonic() - began)

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


if __name__ == "__main__":
    main()
