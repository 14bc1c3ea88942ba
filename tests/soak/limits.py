"""Two gateways that share limits over memcached, asked for ten times as much as they may give."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from app.core.text import BYTES_A_TOKEN
from tests.gunicorn import Server
from tests.memcached import memcached
from tests.soak.caller import many, steadily
from tests.soak.pair import Keyed, Line, lines, most_in, pair
from tests.soak.report import Report
from tests.standin import standin_process

TIMES = 10  # what is asked, of what is allowed
LIMIT = 300  # calls a minute
STARTS = (0.0, 20.5, 41.2)  # seconds of the first minute at which tenants begin
THREADS = 6  # a tenant
CONTENT = "x " * 80  # which the simulated provider counts as 83 tokens, and its answer as 20
A_CALL = 103  # tokens
WORKERS = 4
FREE_WITHIN = 30.0
SLOTS = 6
MIX = 1800
PATIENCE = 8.0  # seconds for clients that left to be noticed on a busy machine


def run(seconds: float = 600.0, worker_class: str = "gevent") -> Report:
    report = Report(
        f"two gateways of {WORKERS} workers over memcached, asked for {TIMES} times the limits for {seconds:.0f} s"
    )
    tenants: dict[str, dict[str, int]] = {}
    for n in range(len(STARTS)):
        tenants[f"requests-{n}"] = {"requests_per_minute": LIMIT}
        tenants[f"tokens-{n}"] = {"tokens_per_minute": LIMIT * A_CALL}
    tenants["mix"] = {"requests_per_minute": 10**6, "tokens_per_minute": 10**8, "concurrent": 1000}
    tenants["slots"] = {"concurrent": SLOTS}
    with (
        memcached("-M") as store,
        standin_process("--keep", "10") as provider,
        pair(
            store.name,
            tenants,
            providers={"standin": provider.port},
            models={"s": {"targets": ["standin/words-30"], "stream_rescue": "off"}} | _broken(),
            workers=WORKERS,
            worker_class=worker_class,
        ) as servers,
    ):
        keyed = Keyed(servers)
        began = time.time()
        with ThreadPoolExecutor(len(tenants)) as pool:
            list(pool.map(lambda name: _press(keyed, name, seconds), [name for name in tenants if "-" in name]))
        _tell_windows(report, servers, tenants, began, seconds)
        _tell_mix(report, keyed, servers)
        _tell_slots(report, keyed, servers)
        keyed.close()
    return report


def _broken() -> dict[str, object]:
    return {
        "cut": {"targets": ["standin/fault-cut-9-rst-gap-5-words-30"], "stream_rescue": "off"},
        "slow": {"targets": ["standin/words-3000-gap-100"]},
    }


def _press(keyed: Keyed, tenant: str, seconds: float) -> None:
    number = int(tenant[-1])
    time.sleep(STARTS[number] if seconds > 60 else number * 0.5)
    ends = time.monotonic() + seconds
    steadily(
        TIMES * LIMIT / 60,
        lambda: time.monotonic() >= ends,
        THREADS,
        lambda n: keyed.call(tenant, n, content=CONTENT, max_tokens=100),
    )


def _tell_windows(
    report: Report, servers: list[Server], tenants: dict[str, dict[str, int]], began: float, seconds: float
) -> None:
    found: dict[str, list[Line]] = {name: [] for name in tenants}
    for line in lines(servers):
        found[line.tenant].append(line)
    for name, limits in tenants.items():
        if "-" not in name:
            continue
        (limit,) = limits.values()
        good = [line for line in found[name] if line.status == "success"]
        costs = [(line.came, 1 if name.startswith("requests") else line.input + line.output) for line in good]
        most = most_in(60.0, costs)
        first = min(at for at, _ in costs)
        minutes = max(1.0, (min(seconds, max(line.came for line in found[name]) - first)) / 60)
        used = sum(cost for _, cost in costs) / (limit * minutes)
        largest = max(cost for _, cost in costs)
        begins = f"began at second {first % 60:.1f}"
        report.tell(f"{name}: asked, let in; {begins}", f"{len(found[name])} {len(good)}")
        over = WORKERS * 2 * largest
        report.tell(f"{name}: most in 60 s, of {limit}", most, good=most <= limit + over, wanted=f"at most + {over}")
        if seconds >= 120:
            report.tell(f"{name}: used, %", 100 * used, good=used >= 0.97, wanted="at least 97")
        odd = [line.status for line in found[name] if line.status not in ("success", "rate_limited")]
        report.tell(f"{name}: other endings", len(odd), good=not odd, wanted="none")


def _tell_mix(report: Report, keyed: Keyed, servers: list[Server]) -> None:
    """Answers, clients that leave, streams that break: within a minute, and then what is left."""

    def one(number: int) -> None:
        kind = number % 3
        if kind == 0:
            keyed.call("mix", number, "s", CONTENT, max_tokens=500)
        else:
            stream = keyed.begin("mix", number, "cut" if kind == 1 else "s", CONTENT)
            stream.read(200 if kind == 2 else None)  # then the client leaves
            stream.close()

    many(MIX, 16, one)
    time.sleep(2.5)  # clients that left are noticed within one, and what was settled is read again each second
    left = keyed.call("mix", 0, "m", "", max_tokens=0)
    found = [line for line in lines(servers) if line.tenant == "mix"][:-1]
    guess = -(-(len(CONTENT) + len("user")) // BYTES_A_TOKEN)
    true = sum(line.output + (line.input or guess) for line in found if line.output or line.status != "error")
    true += -(-len("user") // BYTES_A_TOKEN)
    counted = 10**8 - left.left("tokens")
    kinds = {status: sum(line.status == status for line in found) for status in {line.status for line in found}}
    report.tell("a mix of endings", kinds)
    off = 100 * abs(counted - true) / true
    report.tell(f"mix: tokens counted, of {true}", f"{counted}, off by {off:.3f} %", good=off <= 0.5, wanted="0.5 %")
    calls = 10**6 - left.left("requests")
    report.tell(f"mix: calls counted, of {len(found) + 1}", calls, good=calls == len(found) + 1, wanted="all")
    ends = time.monotonic() + PATIENCE
    while (free := keyed.call("mix", 1, "m").left("concurrency")) < 999 and time.monotonic() < ends:
        time.sleep(0.2)
    report.tell("mix: places free after, of 999", free, good=free == 999, wanted="999")


def _tell_slots(report: Report, keyed: Keyed, servers: list[Server]) -> None:
    """All places are held in one gateway, whose workers are killed."""
    streams = [keyed.begin("slots", 0, "slow") for _ in range(SLOTS)]
    held = [stream.status for stream in streams]
    refused = keyed.call("slots", 1).status
    report.tell("places held, and one more asked of the other gateway", f"{held.count(200)}, {refused}",
                good=held.count(200) == SLOTS and refused == 429, wanted=f"{SLOTS}, 429")  # fmt: skip
    for pid in servers[0].workers():
        os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    for stream in streams:
        stream.close()
    free = threading.Event()
    while not free.is_set() and time.monotonic() < killed + 2 * FREE_WITHIN:
        said = keyed.call("slots", 1)
        if said.status == 200 and said.left("concurrency") == SLOTS - 1:
            free.set()
        time.sleep(0.1)
    took = time.monotonic() - killed
    report.tell(
        "seconds until they were free again", took, good=took <= FREE_WITHIN, wanted=f"at most {FREE_WITHIN:.0f}"
    )
