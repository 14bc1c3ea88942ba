"""One call, one line; and no client writes a line, a colour or a label of his own."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client import generate_latest

from app import logs
from tests.security.house import CHAT, MESSAGES, RESPONSES, House, call, configuration
from tests.standin import Answer, Piece, StandIn

EVIL = (
    *('a\r\n{"event": "call", "tenant": "forged"}', "a\n\nforged", "a\rforged", "a\0forged", '"}\n{"forged": "'),
    *("\x1b[2J\x1b[31mforged", "\x9b31mforged", "\x08\x08forged", "a\u2028forged", "a\u2029forged", "a\x85forged"),
    *("a\x0bforged", "a\x0cforged", "\u202eforged", "\ufefforged", "%0aforged", "${forged}", "{forged}", "forged\\"),
)
TEXTS = ("user", "metadata", "safety_identifier", "prompt_cache_key")


def lines(house: House) -> list[Any]:
    """Cut wherever anybody would cut them; each must be an object of JSON."""
    return [json.loads(line) for line in house.lines.getvalue().split(b"\n") if line]


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
def test_whatever_a_client_says_each_call_is_one_line(house: House, path: str, text: str) -> None:
    latin = text.encode("utf-8").decode("latin-1")
    calls = [
        {"model": text},
        {"model": f"up/{text}"},
        {"model": f"nowhere/{text}"},
        {"model": "up/words-1", "user": text, "metadata": {"user_id": text}},
        {"model": "up/words-1", text: text},
        {"model": "up/words-1", "messages": [{"role": text, "content": text}], "input": [{"role": text}]},
    ]
    before = len(lines(house))
    for body in calls:
        house.post(json.dumps(json.loads(call("x", path)) | body).encode(), path)
    for headers in (
        [("X-Request-Id", latin)],
        [("User-Agent", latin), ("Anthropic-Beta", latin)],
        [("Referer", latin)],
    ):
        house.ask("up/words-1", path, headers=headers)
    house.ask(path=path, key=latin)
    house.ask(path=path, headers=[("X-Gateway-Cache-Ttl", latin)])
    new = lines(house)[before:]
    assert len(new) == len(calls) + 5
    for line in new:
        assert (line["event"], "forged" in line) == ("call", False)
        assert line.get("tenant") in (None, "team")
        assert all("forged" not in f"{value}" for name, value in line.items() if name != "attempts"), line


@pytest.mark.parametrize("text", EVIL)
def test_a_path_and_a_method_that_are_not_there_write_nothing(
    house: House, capfd: pytest.CaptureFixture[str], text: str
) -> None:
    before = house.lines.getvalue()
    for path in (f"/v1/{text}", f"/{text}?{text}"):
        assert house.request("GET", path.encode().decode("latin-1")).status == 404
    assert house.lines.getvalue() == before
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("text", EVIL)
def test_what_a_provider_says_of_a_failure_is_not_in_the_log(house: House, provider: StandIn, text: str) -> None:
    error = json.dumps({"error": {"message": text, "type": text, "code": text, "param": text}}).encode()
    provider.script(Answer(400, (("content-type", "application/json"),), (Piece(error),)))
    before = len(house.lines.getvalue())
    assert house.ask("up/words-1").status == 400
    line = house.lines.getvalue()[before:]
    assert (line.count(b"\n"), b"forged" in line) == (1, False)


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("text", EVIL)
def test_lines_for_people_have_no_more_lines_or_colours_than_ours(
    capsys: pytest.CaptureFixture[str], form: str, text: str
) -> None:
    """Names of models reach the log as targets where a provider offers all of its own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        logger = logs.configure("info", "console") if form == "console" else logs.json_lines(sink := io.BytesIO(), 20)
        logger.info("call", attempts=[f"up/{text}: timeout"], param=text, model=text)
        if form == "console":
            logging.getLogger("gunicorn.error").warning("Invalid request: %s", text)
    finally:
        root.handlers[:], root.level = handlers, level
        structlog.reset_defaults()
    said = capsys.readouterr().err if form == "console" else sink.getvalue().decode()
    assert len(said.splitlines()) == (2 if form == "console" else 1), said
    assert not set(said) & set(map(chr, (*range(10), *range(11, 32), *range(127, 160))))


def series(house: House) -> set[str]:
    page = generate_latest(house.metrics.registry).decode()
    return {line.rpartition(" ")[0] for line in page.splitlines() if not line.startswith("#")}


def test_no_client_makes_a_label_or_a_series_of_his_own(provider: StandIn, tmp_path: Path) -> None:
    """Names of models, keys, users and paths: whatever is asked for, the page is as long as the configuration's."""
    with House(configuration(provider.url), tmp_path) as house:
        odd = ['x",tenant="forged', "x\ny 1", "x\\", "{x}", "x" * 256]

        def ask(names: list[str]) -> None:
            for name in names:
                for path in (CHAT, MESSAGES):
                    house.ask(f"up/words-1/{name}"[:256], path)
                    house.ask(name, path, stream=True)
                    house.ask(f"{name}/words-1"[:256], path)
                    house.ask(path=path, key=name.replace("\n", ""))
                house.ask("up/words-1", user=name, metadata={name: name}, service_tier=name)
                house.get(f"/v1/{name}")
            house.ask("fast")

        ask([*odd, "a"])
        before = series(house)
        ask([f"{name}{number}" for number in range(5) for name in ("forged", *odd)])
        assert series(house) == before
        assert not [line for line in before if "forged" in line or "words-1" in line]
        assert {line for line in before if "/*" in line}, "names that a * stands for are counted as that"
