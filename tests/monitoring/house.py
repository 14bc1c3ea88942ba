"""Three gateways, the providers behind them, memcached, and the Prometheus and Alertmanager that watch them.

`east` has the traffic and the faults, `south` the calls that take long, `west` a provider that is down.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from monitoring.source.files import MONITORING
from tests.gunicorn import Server, free_port, gunicorn
from tests.memcached import Memcached
from tests.monitoring import shortened
from tests.monitoring.servers import Alertmanager, Prometheus, alertmanager, prometheus
from tests.standin import Remote, StandIn, standin_process

KEYS = {"acme": "sk-gw-acme-40c1d9", "busy": "sk-gw-busy-77e0aa"}
PRICE = {"input": 1000, "cached_input": 100, "output": 4000}  # dear enough to be seen within a minute

#: Providers that are the same stand-in: each fails in one way, so that each alert has one of its own.
SAME = ("main", "spare", "shaky", "broken", "flaky", "cutting", "refusing", "limiting", "costly", "drowsy")

#: Models of east: what a client asks for, whom, and how the stand-in then behaves.
MODELS: Mapping[str, list[str]] = {
    "chat": ["main/words-8-cached-5-gap-5"],
    "think": ["main/words-4-reasoning-3"],
    "silent": ["main/words-8-nousage"],
    "again": ["shaky/every-2-fault-500-then-words-5"],
    "over": ["shaky/fault-503", "spare/words-5"],
    "rescued": ["shaky/fault-cut-3-words-6", "spare/words-6"],
    "mangled": ["main/fault-malformed-2-1-words-6"],
    "long": ["main/words-400-gap-20"],
    "late": ["main/words-5-delay-3000"],
    "bad": ["main/fault-400"],
    "broken": ["broken/fault-500"],
    "well": ["flaky/words-3"],
    "unwell": ["flaky/fault-500"],
    "whole": ["cutting/words-4"],
    "cut": ["cutting/fault-cut-2-words-6"],
    "refused": ["refusing/fault-401"],
    "limited": ["limiting/fault-429-after-1"],
    "costly": ["costly/words-3"],
    "drowsy": ["drowsy/words-30-gap-400"],
    "sick": ["sick/words-3"],
    "sluggish": ["sluggish/simulated"],
    "kept": ["main/words-6"],
}


@dataclass(frozen=True, slots=True)
class House:
    east: Server
    south: Server
    west: Server
    provider: Remote
    sick: StandIn
    memcached: Memcached
    prometheus: Prometheus
    alertmanager: Alertmanager
    targets: Path  # what Prometheus scrapes

    def scrape(self, *, wrong: bool) -> None:
        """Each in a cluster of its own. Wrong: a target that is no gateway, and two gateways that should be alike."""
        servers = {"east": self.east, "south": self.south, "west": self.west}
        urls = [(name, server.metrics_url) for name, server in servers.items()]
        if wrong:
            urls.append(("stranger", self.prometheus.url))
            urls += [("twins", server.metrics_url) for server in (self.south, self.west)]
        listed = [{"targets": [url.removeprefix("http://")], "labels": {"cluster": name}} for name, url in urls]
        fresh = self.targets.with_suffix(".new")
        fresh.write_text(json.dumps(listed))
        fresh.rename(self.targets)


SIMULATED: Mapping[str, Any] = {"kind": "simulated", "words": 4, "tokens_per_second": 10_000}

#: A worker of south takes so many calls at a time.
PLACES = 280


def hashed(key: str) -> str:
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def east(provider: Remote, sick: StandIn, memcached: str) -> str:
    models: dict[str, Any] = {name: {"targets": targets, "price": PRICE} for name, targets in MODELS.items()}
    models["rescued"]["stream_rescue"] = "replay"
    models["kept"]["cache"] = {"ttl": 60}
    models["cut"]["stream_rescue"] = models["whole"]["stream_rescue"] = "off"
    providers: dict[str, Any] = {
        name: {"kind": "compatible", "base_url": f"{provider.url}/v1", "api_key": "sk-provider"} for name in SAME
    }
    providers["sick"] = {"kind": "compatible", "base_url": f"{sick.url}/v1", "api_key": "sk-provider"}
    providers["sluggish"] = {**SIMULATED, "latency": 12}
    return json.dumps(
        {
            "logging": {"level": "warning"},
            "health": {"interval": 1, "timeout": 1},
            "resilience": {"breaker": {"open": 1, "open_max": 2, "min_calls": 1_000_000}},  # five in a row open it
            "memcached": {"servers": [memcached], "connect_timeout": 1, "timeout": 1},  # the machine may be busy
            "providers": providers,
            "models": models,
            "cache": {"secret": "a secret of thirty-two bytes, or more"},
            "tenants": {
                "acme": {"keys": [hashed(KEYS["acme"])], "models": ["*"]},
                "busy": {"keys": [hashed(KEYS["busy"])], "models": ["*"], "limits": {"requests_per_minute": 5}},
            },
        }
    )


def south() -> str:
    simulated = {**SIMULATED, "max_in_flight": PLACES}
    return json.dumps(
        {
            "logging": {"level": "warning"},
            "server": {"max_in_flight": PLACES, "queue": 20},
            "providers": {
                "slow": {**simulated, "latency": 31},
                "tardy": {**simulated, "latency": 6},
            },
            "models": {name: {"targets": [f"{name}/simulated"]} for name in ("slow", "tardy")},
        }
    )


def west(port: int) -> str:
    down = {"kind": "compatible", "base_url": f"http://127.0.0.1:{port}/v1"}
    return json.dumps(
        {
            "logging": {"level": "warning"},
            "health": {"interval": 1, "timeout": 1},
            "server": {"max_in_flight": 2},
            "providers": {"lone": down},
            "models": {"lone": {"targets": ["lone/words-3-delay-50"]}},
        }
    )


@contextlib.contextmanager
def house(directory: Path) -> Iterator[House]:
    """Everything runs, and nothing is wrong yet."""
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(3) as pool:
        provider = stack.enter_context(standin_process())
        sick = stack.enter_context(StandIn())
        store = stack.enter_context(Memcached())
        texts = (east(provider, sick, store.name), south(), west(sick.port))
        full = stack.enter_context(Path("/dev/full").open("wb")).fileno()  # where east's lines of log are lost
        logs = (full, None, None)
        starting = [
            pool.submit(stack.enter_context, gunicorn(text, stderr=log)) for text, log in zip(texts, logs, strict=True)
        ]
        in_the_east, in_the_south, in_the_west = [server.result() for server in starting]
        rules = shortened.write(directory)
        targets, port = directory / "targets.json", free_port()
        targets.write_text("[]")
        configuration = directory / "alertmanager.yml"
        shutil.copy(MONITORING / "alertmanager.yml", configuration)
        manager = stack.enter_context(alertmanager(directory, configuration, port))
        watcher = stack.enter_context(prometheus(directory, _prometheus(rules, targets, port)))
        made = House(in_the_east, in_the_south, in_the_west, provider, sick, store, watcher, manager, targets)
        made.scrape(wrong=False)
        yield made


def _prometheus(rules: list[str], targets: Path, port: int) -> str:
    """As monitoring/prometheus.yml has it, but for the intervals and who is scraped."""
    document = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    document["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    document["rule_files"] = rules
    document["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{port}"]
    (job,) = document["scrape_configs"]
    del job["static_configs"]
    job["scrape_timeout"] = "1s"
    job["file_sd_configs"] = [{"files": [str(targets)], "refresh_interval": "1s"}]
    return yaml.safe_dump(document)
