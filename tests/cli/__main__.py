"""`python -m tests.cli`: what explain, doctor, top and bench say of a live gateway one of whose providers is down."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import requests

from tests.gunicorn import Server, free_port, gunicorn, until
from tests.memcached import memcached
from tests.metrics.page import page_of
from tests.pressure import without_pause

KEY = "gk-a-key-of-acme"
CONFIG = """
health: {{interval: 1}}
resilience: {{breaker: {{consecutive: 5, open: 20}}}}
memcached: {{servers: ["{memcached}"]}}
cache: {{secret: "{secret}"}}
limits: {{default: {{requests_per_minute: 6000, tokens_per_minute: 3000000, concurrent: 50}}}}
providers:
  dead: {{kind: compatible, base_url: "http://127.0.0.1:{dead}/v1", api_key: sk-dead}}
  simulated: {{latency: 0.05, tokens_per_second: 200, words: 20}}
models:
  fast:
    targets: [dead/large, simulated/small]
    fallbacks: {{any: [spare], context_length: [spare]}}
    cache: {{ttl: 60}}
    context: 8000
    price: {{input: 1, output: 4}}
  spare: {{targets: [simulated/spare], tools: false, context: 128000, max_output: 16000}}
tenants:
  acme: {{keys: ["sha256:{digest}"], models: ["*"]}}
"""

COMMANDS = (
    ("explain", "fast"),
    ("explain", "spare"),
    ("doctor",),
    ("top", "--once", "--interval", "5"),
    ("bench", "--model", "fast", "--key", KEY, "--stream", "-n", "100"),
)


def main() -> int:
    with ExitStack() as stack:
        store = stack.enter_context(memcached())
        digest = hashlib.sha256(KEY.encode()).hexdigest()
        text = CONFIG.format(memcached=store.name, secret="s" * 40, dead=free_port(), digest=digest)
        server = stack.enter_context(gunicorn(text))
        stack.enter_context(without_pause(*[lambda: call(server)] * 6))
        until(lambda: page_of(server).sum("provider_health", provider="dead") == 0, "two probes that failed")
        for command in COMMANDS:
            print(f"\n$ llm-gateway {' '.join(command)}", flush=True)
            done = subprocess.run(
                [Path(sys.executable).with_name("llm-gateway"), *command], env=environment(server), check=False
            )
            print(f"[exit status {done.returncode}]", flush=True)
    return 0


def call(server: Server) -> int:
    body = {"model": "fast", "stream": True, "messages": [{"role": "user", "content": os.urandom(8).hex()}]}
    headers = {"authorization": f"Bearer {KEY}"}
    return requests.post(f"{server.url}/v1/chat/completions", json=body, headers=headers, timeout=30).status_code


def environment(server: Server) -> dict[str, str]:
    """That in which the gateway was started."""
    return {
        "PATH": os.environ["PATH"],
        "GATEWAY_CONFIG": str(server.config),
        "GATEWAY_BIND": server.url.removeprefix("http://"),
        "GATEWAY_METRICS_BIND": server.metrics_url.removeprefix("http://"),
        "GATEWAY_RUN_DIR": str(server.run_dir),
        "WEB_CONCURRENCY": "2",
    }


if __name__ == "__main__":
    sys.exit(main())
