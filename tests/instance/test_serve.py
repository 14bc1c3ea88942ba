"""`llm-gateway serve` in an empty directory: what it says to try works."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from app.cli.serve import what_to_try
from app.config.load import load
from app.instance import environment
from tests.gunicorn import ROOT, free_port, until

TENANTS = f"""
providers: {{simulated: {{}}}}
models: {{"team-*": {{targets: [simulated/x]}}, fast: {{targets: [simulated/x]}}}}
tenants: {{acme: {{keys: ["sha256:{"0" * 64}"]}}}}
"""


@dataclass
class Served:
    said: str

    def commands(self) -> list[str]:
        """What it says to type, one string a command."""
        lines = self.said.split("another terminal:\n\n")[1].split("\n\nCtrl-C")[0]
        return [command.strip() for command in lines.split("\n\n")]

    def run(self, command: str) -> str:
        """Type it, with this environment's Python and its openai package."""
        own = command.removeprefix("pip install openai && ").replace("python3", sys.executable)
        done = subprocess.run(["bash", "-c", own], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Started as a user would, and ended by Ctrl-C."""
    empty = tmp_path_factory.mktemp("empty")
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "PROMETHEUS_"))},
        "GATEWAY_BIND": f"127.0.0.1:{free_port()}",
        "GATEWAY_METRICS_BIND": f"127.0.0.1:{free_port()}",
        "GATEWAY_RUN_DIR": str(empty / "run"),
        "PYTHONPATH": str(ROOT),
    }
    with (empty / "log").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", "import sys; from app.cli import main; sys.exit(main(['serve']))"],
            cwd=empty,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            until(lambda: "Listening at" in (empty / "log").read_text(), "word of gunicorn")
            yield Served((empty / "log").read_text())
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(20)
            until(lambda: not _left(process.pid), "end of every process")


def _left(session: int) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, ProcessLookupError):
            continue
    return found


def test_it_says_that_there_is_no_file(served: Served) -> None:
    assert "built in, since there is no gateway.yaml" in served.said


def test_the_plain_call_works(served: Served) -> None:
    assert '"object":"chat.completion"' in served.run(served.commands()[0])


def test_the_streamed_call_works(served: Served) -> None:
    assert served.run(served.commands()[1]).endswith("data: [DONE]\n\n")


def test_the_openai_package_works(served: Served) -> None:
    assert "simulated answer" in served.run(served.commands()[2])


def test_with_tenants_it_says_where_the_key_goes(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(TENANTS)
    said = what_to_try(load(file, {}), file, environment.read({"GATEWAY_BIND": "0.0.0.0:80"}))
    assert said.startswith("Serving http://127.0.0.1:80\n")
    assert str(file) in said
    assert "Authorization: Bearer $GATEWAY_KEY" in said
    assert 'api_key=os.environ["GATEWAY_KEY"]' in said
    assert '"model": "fast"' in said


def test_on_a_unix_socket_it_says_how_to_get_there(tmp_path: Path) -> None:
    said = what_to_try(load(None, {}), None, environment.read({"GATEWAY_BIND": "unix:/run/gateway.sock"}))
    assert "curl --unix-socket /run/gateway.sock http://localhost/v1/chat/completions" in said


def test_a_wrong_environment_or_file_is_said_before_anything_starts(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; from app.cli import main; sys.exit(main(['serve']))"]
    for variables, words in (
        ({"WEB_CONCURRENCY": "many"}, "WEB_CONCURRENCY"),
        ({"GATEWAY_CONFIG": "none"}, "GATEWAY_CONFIG"),
    ):
        environ = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 1
        assert words in done.stderr
        assert "Traceback" not in done.stderr
