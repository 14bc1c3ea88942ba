"""The command against a real gateway."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import requests

from tests.gunicorn import gunicorn, until
from tests.metrics.page import page_of

CONFIG = """
providers: {simulated: {latency: 0, tokens_per_second: 1000, words: 20}}
models: {fast: {targets: [simulated/x], price: {input: 1, output: 1}}}
"""
COMMAND = [str(Path(sys.executable).with_name("llm-gateway")), "top"]


def test_it_shows_what_goes_on(tmp_path: Path) -> None:
    with gunicorn(CONFIG) as server:
        until(lambda: page_of(server).sum("worker_capacity") == 2000, "gauges of two workers")
        done = threading.Event()

        def load() -> None:
            body = {"model": "fast", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
            while not done.is_set():
                requests.post(f"{server.url}/v1/chat/completions", json=body, timeout=30)

        threads = [threading.Thread(target=load) for _ in range(2)]
        for thread in threads:
            thread.start()
        environment = {**os.environ, "GATEWAY_RUN_DIR": str(server.run_dir)}
        try:

            def look(*options: str) -> str:
                command = [*COMMAND, "--once", "--interval", "2", *options]
                return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

            found, text = json.loads(look("--json")), look()
        finally:
            done.set()
            for thread in threads:
                thread.join()
    assert found["workers"] == {"ready": 2}
    assert found["capacity"] == 2000
    assert found["traffic"]["calls"] > 0
    assert found["traffic"]["errors"] == 0
    assert found["traffic"]["first_token"] > 0
    assert found["output_tokens"] > 0
    assert found["usd"] > 0
    assert found["providers"][0]["name"] == "simulated"
    assert found["tenants"][0]["name"] == "anonymous"
    assert "simulated" in text
    assert "\nfast " in text


def test_without_a_gateway_it_says_so(tmp_path: Path) -> None:
    environment = {**os.environ, "GATEWAY_RUN_DIR": str(tmp_path / "nowhere")}
    done = subprocess.run([*COMMAND, "--once"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no gateway answers in" in done.stderr
    assert "Traceback" not in done.stderr
