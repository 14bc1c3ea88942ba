"""Ten times as many clients as there are places: what is still served, and what a refusal costs.

    python -m tests.soak.overload [--seconds 10] [--class gevent|gthread]

Each client asks again at once after an answer and after RETRY seconds once refused, as somebody who obeys would do
sooner than he should.
"""

import argparse
import http.client
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import psutil

from tests.gunicorn import Server, gunicorn

PLACES = 20  # of each worker
WORKERS = 2
LATENCY = 0.1  # seconds that the provider takes
RETRY = (0.1, 0.3)
CONFIG = f"""
server: {{max_in_flight: {PLACES}, queue: {PLACES // 2}}}
providers: {{simulated: {{latency: {LATENCY}, tokens_per_second: 1000000, words: 20, models: [m]}}}}
logging: {{level: warning}}
"""
BODY = json.dumps({"model": "simulated/m", "messages": [{"role": "user", "content": "hi"}]})


@dataclass
class Figures:
    statuses: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    seconds: float = 0.0
    cpu: float = 0.0  # seconds, of all processes of the server

    @property
    def goodput(self) -> float:
        """Answers a second."""
        return self.statuses[200] / self.seconds


def drive(server: Server, clients: int, seconds: float) -> Figures:
    figures = Figures()
    lock = threading.Lock()
    port = int(server.url.rpartition(":")[2])
    over = threading.Event()

    def client() -> None:
        mine: Counter[int] = Counter()
        bare = 0
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        over.wait(random.random() * LATENCY)
        while not over.is_set():
            connection.request("POST", "/v1/chat/completions", BODY, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            mine[answer.status] += 1
            if answer.status != 200:
                bare += answer.getheader("Retry-After") is None
                over.wait(random.uniform(*RETRY))
        connection.close()
        with lock:
            figures.statuses.update(mine)
            figures.without_retry_after += bare

    threads = [threading.Thread(target=client) for _ in range(clients)]
    cpu, began = _cpu(server), time.monotonic()
    for thread in threads:
        thread.start()
    over.wait(seconds)
    figures.seconds, figures.cpu = time.monotonic() - began, _cpu(server) - cpu
    over.set()
    for thread in threads:
        thread.join()
    return figures


def _cpu(server: Server) -> float:
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in server.workers())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--class", dest="worker_class", default="gevent")
    given = parser.parse_args()
    with gunicorn(CONFIG, workers=WORKERS, worker_class=given.worker_class) as server:
        drive(server, WORKERS * PLACES, 2)
        peak = drive(server, WORKERS * PLACES, given.seconds)
        flood = drive(server, 10 * WORKERS * PLACES, given.seconds)
    answer = peak.cpu / max(1, peak.statuses[200])
    refused = flood.statuses[503]
    refusal = (flood.cpu - answer * flood.statuses[200]) / max(1, refused)
    print(f"{given.worker_class}: {WORKERS} workers of {PLACES} places, a provider that takes {LATENCY} s")
    print(f"peak      {peak.goodput:7.0f} answers/s, {answer * 1e6:.0f} us of CPU each; {dict(peak.statuses)}")
    share = flood.goodput / peak.goodput
    print(f"10 times  {flood.goodput:7.0f} answers/s = {share:.0%} of the peak; {dict(flood.statuses)}")
    bare = flood.without_retry_after
    print(f"refusals  {refused / flood.seconds:7.0f}/s, {refusal * 1e6:.0f} us of CPU each; {bare} without Retry-After")


if __name__ == "__main__":
    main()
