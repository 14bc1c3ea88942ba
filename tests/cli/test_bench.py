"""`llm-gateway bench` against a live gateway, and against what is none."""

import hashlib
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.bench.caller import Ask
from app.bench.load import Bounds, measure
from app.cli import main
from app.core import json
from app.core.json import Json
from tests.gunicorn import Server, free_port, gunicorn, until
from tests.metrics.page import page_of

CONFIG = """
resilience: {{retries: 0, stream_rescue: off, breaker: {{consecutive: 100, min_calls: 100}}}}
providers:
  simulated: {{latency: 0.02, tokens_per_second: 500, words: 10}}
  ill: {{kind: simulated, latency: 0, faults: {{server_error: 1.0}}}}
  frail: {{kind: simulated, latency: 0, tokens_per_second: 1000, faults: {{cut: 1.0}}}}
models:
  fast: {{targets: [simulated/x]}}
  kept: {{targets: [simulated/x], cache: {{ttl: 60}}}}
  broken: {{targets: [ill/x]}}
  cut: {{targets: [frail/x]}}
tenants:
  acme: {{keys: ["{acme}"]}}
  small: {{keys: ["{small}"], models: [fast], limits: {{requests_per_minute: 6}}}}
"""
KEYS = {"acme": "gk-a-key-of-acme", "small": "gk-a-key-of-a-small-one"}
COMMAND = [str(Path(sys.executable).with_name("llm-gateway")), "bench"]


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    errors: str


class Bench:
    """The command, in this process, in the environment of a gateway or of none."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, server: Server | None, *arguments: str) -> Done:
        for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
            self._monkeypatch.delenv(name)
        for name, value in (environment(server) if server else {}).items():
            self._monkeypatch.setenv(name, value)
        try:
            code = main(["bench", *arguments])
        except SystemExit as ended:
            code = int(str(ended.code))
        return Done(code, *self._capsys.readouterr())

    def measured(self, server: Server, *arguments: str, tenant: str = "acme") -> tuple[int, Json]:
        done = self(server, "--json", "--key", KEYS[tenant], *arguments)
        assert KEYS[tenant] not in done.out + done.errors
        found: Json = json.loads(done.out)
        return done.code, found


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(capsys, monkeypatch)


def environment(server: Server) -> dict[str, str]:
    return {"GATEWAY_CONFIG": str(server.config), "GATEWAY_BIND": server.url.removeprefix("http://")}


@pytest.fixture(scope="module")
def live() -> Iterator[Server]:
    digests = {name: f"sha256:{hashlib.sha256(key.encode()).hexdigest()}" for name, key in KEYS.items()}
    with gunicorn(CONFIG.format(**digests)) as server:
        yield server


def test_plain_calls_are_counted_and_timed(bench: Bench, live: Server) -> None:
    code, found = bench.measured(live, "--model", "fast", "-n", "40", "-c", "8")

    assert (code, found["calls"], found["succeeded"], found["failed"], found["left"]) == (0, 40, 40, {}, 0)
    assert found["answered_by"] == {"simulated/x": 40}
    assert (found["attempts"], found["cached"], found["output_tokens"]) == (1.0, 0, 400)
    assert found["latency"]["p50"] >= 0.04, "20 ms, and ten words at 500 a second"
    assert 0 <= found["overhead"]["p50"] < found["latency"]["p50"]
    assert found["first_token"] is None


def test_streams_are_timed_by_their_words(bench: Bench, live: Server) -> None:
    code, found = bench.measured(live, "--model", "fast", "-n", "10", "-c", "2", "--stream", "--max-tokens", "5")

    assert (code, found["succeeded"], found["output_tokens"]) == (0, 10, 50)
    assert 0.02 <= found["first_token"]["p50"] <= found["latency"]["p50"]
    assert 0 < found["gap"]["p90"] <= found["gap"]["most"]
    assert found["tokens_per_second_a_stream"]["p50"] > 0
    assert 0 <= found["overhead"]["p50"] < found["latency"]["p50"]


def test_errors_are_told_apart(bench: Bench, live: Server) -> None:
    assert bench.measured(live, "--model", "broken", "-n", "5")[1]["failed"] == {"502 server_error": 5}
    assert bench.measured(live, "--model", "cut", "-n", "5", "--stream")[1]["failed"] == {
        "in the stream: stream_interrupted": 5
    }
    code, found = bench.measured(live, "-n", "10", "-c", "1", tenant="small")
    went_well = found["succeeded"]
    assert went_well in range(3, 7), "six a minute, three by each worker, as far as each was met"
    assert (code, found["failed"]) == (1, {"429 rate_limit_exceeded": 10 - went_well})


def test_the_same_question_may_be_answered_from_the_cache_and_others_are_not(bench: Bench, live: Server) -> None:
    assert bench.measured(live, "--model", "kept", "-n", "5", "-c", "1")[1]["cached"] == 0
    found = bench.measured(live, "--model", "kept", "-n", "20", "-c", "1", "--same")[1]
    assert 18 <= found["cached"] <= 19, "each of two workers asks once"


def test_it_ends_when_its_time_is_over(bench: Bench, live: Server) -> None:
    _, found = bench.measured(live, "--model", "fast", "--seconds", "1", "-c", "2")
    assert found["calls"] >= 2
    assert found["seconds"] >= 1
    assert found["left"] == 0


def test_an_interruption_ends_it_with_what_was_measured(live: Server) -> None:
    def counted() -> float:
        return page_of(live).sum("requests_total")

    before = counted()
    arguments = ["--model", "fast", "--seconds", "600", "-c", "2", "--key", KEYS["acme"]]
    running = subprocess.Popen(
        [*COMMAND, *arguments],
        env={**os.environ, **environment(live)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: counted() > before + 5, "calls")
        running.send_signal(signal.SIGINT)
        told, errors = running.communicate(timeout=30)
    finally:
        running.kill()

    assert "Traceback" not in errors
    assert running.returncode == 0
    assert " went well, 0 did not" in told
    assert "were under way when it was ended" in told
    assert "gateway's own part" in told


def test_a_gateway_that_went_away_is_not_asked_as_fast_as_it_can_refuse() -> None:
    calls = Bounds(at_once=2, calls=None, seconds=1)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        made = measure(Ask(f"http://127.0.0.1:{closed.getsockname()[1]}", "fast"), calls)
    assert 2 <= len(made.samples) <= 12
    assert {sample.wrong for sample in made.samples} == {"connection: Connection refused"}


def test_people_read_it_in_lines(bench: Bench, live: Server) -> None:
    done = bench(live, live.url + "/v1", "--model", "fast", "--key", KEYS["acme"], "-n", "4", "--stream")

    assert done.errors == f"4 calls of fast at {live.url}/v1, 16 at a time; Ctrl-C ends it\n"
    told = done.out.splitlines()
    assert told[0].endswith(": 4 went well, 0 did not")
    assert "  answered by simulated/x: 4" in told
    assert [line.split("  ")[0] for line in told[-4:]] == ["latency", "first token", "gap", "tokens/s a stream"]
    assert "own part" not in done.out, "nobody has said how fast the provider is"
    named = bench(live, live.url, "--model", "fast", "--key", KEYS["acme"], "-n", "4", "--file", str(live.config))
    assert "gateway's own part" in named.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nope", "--key", KEYS["acme"]], "answers 404: model 'nope' does not exist here; there are: fast"),
        (["--key", KEYS["acme"]], "--model is missing; there are fast, kept, broken, cut"),
        (["--key", "gk-nobodys"], "answers 401: "),
        ([], "answers 401: "),
        (["--key", "ключ"], "the key is not one"),
        (["--key-file", "/nowhere/key"], "/nowhere/key cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_measured_is_not_begun(bench: Bench, live: Server, arguments: list[str], message: str) -> None:
    done = bench(live, *arguments)
    assert (done.code, done.out) == (1, "")
    assert message in done.errors


def test_the_key_is_read_from_a_file(bench: Bench, live: Server, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEYS["acme"] + "\n")
    assert bench(live, "--model", "fast", "--key-file", str(tmp_path / "key"), "-n", "1").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ftp://here"], "'ftp://here': expected the URL of a gateway"),
        (["localhost:8080"], "expected the URL of a gateway"),
        (["http://user:word@here"], "expected the URL of a gateway"),
        (["http://here:99999"], "expected the URL of a gateway"),
        (["-c", "0"], "'0': expected a whole number from 1 to 1000"),
        (["-c", "1001"], "expected a whole number from 1 to 1000"),
        (["-n", "-1"], "expected"),
        (["-n", "1.5"], "'1.5': expected a whole number from 1 to 1000000"),
        (["-n", "1", "--seconds", "1"], "not allowed with"),
        (["--key", "x", "--key-file", "y"], "not allowed with"),
    ],
)
def test_nonsense_is_a_wrong_command_line(bench: Bench, arguments: list[str], message: str) -> None:
    done = bench(None, *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.errors


def test_who_does_not_answer_is_told(bench: Bench) -> None:
    done = bench(None, f"http://127.0.0.1:{free_port()}", "--model", "fast")
    assert done.code == 1
    assert "does not answer: " in done.errors


class Stranger(http.server.BaseHTTPRequestHandler):
    """Knows a model; what it says of it ends in the middle, or never begins, or is a page."""

    protocol_version = "HTTP/1.1"
    answers: dict[str, bytes] = {  # noqa: RUF012 - only read
        "half": b'data: {"choices": [{"delta": {"content": "Hel"}}]}\n\n',
        "page": b"<html>",
    }

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        self._say(b'{"id": "%b"}' % name.encode() if name in self.answers or name == "mute" else b"<html>")

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if answer := self.answers.get(said["model"]):
            self._say(answer)
        else:
            self.rfile.read(1)  # until the client leaves

    def _say(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def stranger() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("half", "2 x a stream that broke off"),
        ("page", "2 x a stream that broke off"),
        ("mute", "2 x silent for 1 s"),
        ("other", "does not say which models there are: is it a gateway?"),
    ],
)
def test_what_is_no_whole_answer_is_none(bench: Bench, stranger: str, model: str, told: str) -> None:
    done = bench(None, stranger, "--model", model, "-n", "2", "--stream", "--timeout", "1")
    assert done.code == 1
    assert told in done.out + done.errors


def test_an_answer_that_cannot_be_read_is_told(bench: Bench, stranger: str) -> None:
    done = bench(None, stranger, "--model", "page", "-n", "2")
    assert "2 x an answer that cannot be read" in done.out
