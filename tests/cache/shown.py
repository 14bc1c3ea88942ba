"""What must be shown of the cache with real processes, each with its figures: `python -m tests.cache`, and for seconds
in the tests.
"""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import requests

from tests.cache.instances import KEYS, PROMPT, SECRET, UP_KEY, House, kill, put
from tests.gunicorn import until
from tests.soak.report import Report

SLOW = "delay-1500"
CANARIES = ("Zf9canary", *KEYS.values(), UP_KEY, SECRET, PROMPT)


def winner_is_killed(house: House, calls: int) -> Report:
    """In a house that has not asked its provider yet: the worker that does is killed while all wait for it."""
    report = Report(f"{calls} identical calls, the worker that asks is killed")
    model, killed = "held", threading.Event()

    def killer() -> None:
        until(lambda: house.upstream(model) == 1, "the call to the provider")
        (pid,) = house.asking()
        time.sleep(0.5)  # so that most of the others wait by then
        kill(pid)
        killed.set()
        until(lambda: house.upstream(model) == 2, "a second call to the provider")
        house.provider.release(model)

    thread = threading.Thread(target=killer)
    thread.start()
    answers = house.ask_together(calls, model=model)
    thread.join()
    house.ready()
    lost = [one for one in answers if isinstance(one, Exception)]
    good = [one for one in answers if not isinstance(one, Exception) and one.status_code == 200]
    report.tell("calls to the provider", house.upstream(model), good=house.upstream(model) <= 2, wanted="at most 2")
    report.tell("calls that were in the killed worker", len(lost))
    bad = [f"{one.status_code} {one.text[:200]}" for one in answers if one not in lost and one not in good]
    report.tell("answered", len(good), good=not bad, wanted="all others")
    if bad:
        report.tell("the rest", bad)
    return report


def identical(house: House, calls: int) -> Report:
    """All at once, over all workers of both instances."""
    report = Report(f"{calls} identical calls at once")
    hits = house.counted("cache_operations_total", operation="get", result="hit")
    answers = house.ask_together(calls, model=SLOW)
    good = [one for one in answers if not isinstance(one, Exception) and one.status_code == 200]
    asked = house.upstream(SLOW)
    said = [one.headers["x-gateway-cache"] for one in good]
    report.tell("answered", len(good), good=len(good) == calls, wanted=str(calls))
    report.tell("calls to the provider", asked, good=asked == 1, wanted="1")
    report.tell("hits", said.count("hit"), good=said.count("hit") == calls - 1, wanted=str(calls - 1))
    report.tell("different answers", len({one.text for one in good}), good=len({one.text for one in good}) == 1)
    counted = house.counted("cache_operations_total", operation="get", result="hit") - hits
    report.tell("hits in the metrics", int(counted), good=counted == calls - 1, wanted=str(calls - 1))
    return report


def tenants(house: House, prompts: int) -> Report:
    """Both ask the same; the provider numbers its answers."""
    report = Report(f"two tenants, {prompts} prompts each, the same ones")
    seen: dict[str, set[str]] = {tenant: set() for tenant in KEYS}
    hits = 0
    for nth in range(prompts):
        messages = [{"role": "user", "content": f"{PROMPT} {nth}"}]
        for tenant in KEYS:
            first, again = (house.ask(at, tenant=tenant, model="words-3", messages=messages) for at in (nth, nth + 1))
            seen[tenant] |= {first.json()["id"], again.json()["id"]}
            hits += again.headers["x-gateway-cache"] == "hit"
    shared = seen["acme"] & seen["guests"]
    report.tell("answers that both were given", len(shared), good=not shared, wanted="0")
    report.tell("hits of the same tenant", hits, good=hits == 2 * prompts, wanted=str(2 * prompts))
    return report


def hostile(house: House, seconds: float) -> Report:
    """Somebody else writes to memcached all the time; every answer must echo its own question."""
    report = Report(f"a hostile writer in memcached, {seconds:g} s")
    writer = Writer(house)
    writer.start()
    wrong, answers, hits = [], 0, 0
    ends_at = time.monotonic() + seconds
    rng = random.Random(4)
    while time.monotonic() < ends_at:
        nth, tenant = rng.randrange(20), rng.choice(list(KEYS))
        said = f"{tenant} asks {nth}"
        found = house.ask(answers, tenant=tenant, model="echo", messages=[{"role": "user", "content": said}])
        answers += 1
        hits += found.headers["x-gateway-cache"] == "hit"
        if found.status_code != 200 or found.json()["choices"][0]["message"]["content"] != said:
            wrong.append(found.text[:200])
    writer.stop()
    noticed = house.counted("cache_operations_total", operation="get", result="error")
    report.tell("answers", answers)
    report.tell("hits among them", hits, good=hits > 0, wanted="some")
    report.tell("values it changed", writer.changed, good=writer.changed > 0, wanted="some")
    report.tell("noticed as errors", int(noticed), good=noticed > 0, wanted="some")
    report.tell("answers that were not their own", len(wrong), good=not wrong, wanted="0")
    return report


class Writer(threading.Thread):
    """Flips bits, swaps entries, puts old ones back, and writes garbage, large and small."""

    def __init__(self, house: House) -> None:
        super().__init__(daemon=True)
        self._house = house
        self._rng = random.Random(7)
        self._old: dict[str, bytes] = {}
        self._over = threading.Event()
        self.changed = 0

    def run(self) -> None:
        while not self._over.wait(0.02):
            held = self._house.stored()
            for key, value in held.items():
                self._old.setdefault(key, value)
            for key in self._rng.sample(sorted(held), min(4, len(held))):
                put(self._house.memcached, key, self._spoilt(key, held))
                self.changed += 1

    def stop(self) -> None:
        self._over.set()
        self.join(30)

    def _spoilt(self, key: str, held: dict[str, bytes]) -> bytes:
        value = bytearray(held[key])
        choice = self._rng.randrange(5)
        if choice == 0 and value:
            value[self._rng.randrange(len(value))] ^= 1 << self._rng.randrange(8)
        elif choice == 1:
            return held[self._rng.choice(sorted(held))]
        elif choice == 2:
            return self._old[key]
        elif choice == 3:
            return self._rng.randbytes(900_000)
        else:
            return self._rng.randbytes(self._rng.randrange(200))
        return bytes(value)


FAULTS = ("plain", "words-3", "fault-500", "fault-401", "fault-400", "fault-badjson", "fault-cut-2", "fault-reset")


def canaries(house: House) -> Report:
    """Keys and prompts are looked for in everything that could show them, after calls of all kinds, and an outage."""
    report = Report("canary keys and prompts")
    told: list[str] = []

    def ask(**how: Any) -> None:
        try:
            found = house.ask(**how)
        except requests.RequestException as error:
            told.append(str(error))
        else:
            told.append(f"{found.headers} {found.text}")

    for model in FAULTS:
        for stream in (False, True):
            ask(model=model, stream=stream)
            ask(model=model, stream=stream, tenant="guests")
    ask(headers={"x-gateway-cache-ttl": "soon"})
    held = house.stored()
    in_keys = found_in(" ".join(held))
    in_values = found_in(" ".join(value.decode("latin-1") for value in held.values()))
    house.memcached.kill()
    for model in FAULTS:
        ask(model=model, user="somebody else")
    house.memcached.start()
    metrics = " ".join(server.private("/metrics")[2].decode() for server in house.servers)
    logs = " ".join(server.log() for server in house.servers)
    report.tell("answers and errors, with their headers", len(told))
    report.tell("canaries in them", (found := found_in(" ".join(told))), good=not found, wanted="0")
    report.tell("keys in memcached", len(held), good=len(held) > 2, wanted="some")
    report.tell("canaries in keys", in_keys, good=not in_keys, wanted="0")
    report.tell("canaries in values", in_values, good=not in_values, wanted="0")
    report.tell("canaries in metrics", (found := found_in(metrics)), good=not found, wanted="0")
    report.tell("canaries in logs", (found := found_in(logs)), good=not found, wanted="0")
    return report


def found_in(text: str) -> int:
    return sum(text.count(canary) for canary in CANARIES)
