"""What the stand-in makes up under Google's paths is what Google's own SDK takes for an answer of Gemini's."""

from __future__ import annotations

import json
import os
import subprocess
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import pytest

from tests.gunicorn import ROOT
from tests.standin import StandIn, text
from tests.standin.gemini import SIGNATURE

PYTHON = ROOT / ".venv-sdks/google/bin/python"
WAYS = [f"{api} {model}" for api in ("gemini", "vertex") for model in ("gemini-2.5-flash", "gemini-3-pro-preview")]
CALLS = [["weather", {"city": "世界0"}, b64decode(SIGNATURE).decode()], ["weather", {"city": "世界1"}, ""]]

pytestmark = pytest.mark.parametrize("way", WAYS)


@pytest.fixture(scope="module")
def everything() -> Mapping[str, Any]:
    if not PYTHON.exists():
        message = "no environment .venv-sdks/google: make sdks"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    with StandIn() as standin:
        done = subprocess.run(
            [PYTHON, "-m", "tests.journeys.clients.google_genai_sdk", standin.url],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE_", "GEMINI_"))},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    seen: Mapping[str, Any] = json.loads(done.stdout)["seen"]
    return seen


@pytest.fixture
def seen(everything: Mapping[str, Any], way: str) -> Any:
    return everything[way]


@pytest.mark.parametrize("how", ["plain", "streamed"])
def test_it_reads_texts_thoughts_and_counts(seen: Any, how: str) -> None:
    assert seen[f"{how} words-3"]["text"] == text(3)
    assert seen[f"{how} words-9-cuts-5"]["text"] == text(9)
    found = seen[f"{how} words-2-reasoning-2-cached-4"]
    assert (found["text"], found["thought"], found["usage"]) == (text(2), text(2), [6, 2, 2, 4, 10])


@pytest.mark.parametrize("how", ["plain", "streamed"])
def test_it_reads_calls_signatures_and_why_an_answer_ended(seen: Any, how: str) -> None:
    assert seen[f"{how} tools-2"]["calls"] == CALLS
    assert [seen[f"{how} {words}"]["finish"] for words in ("tools-2", "words-3-finish-length")] == [
        ["STOP"],
        ["MAX_TOKENS"],
    ]


def test_it_holds_a_conversation_with_tools(seen: Any) -> None:
    assert seen["conversation"]["text"] == text(3)


@pytest.mark.parametrize(
    ("fault", "raised", "code", "status"),
    [
        ("fault-429", "ClientError", 429, "RESOURCE_EXHAUSTED"),
        ("fault-503", "ServerError", 503, "UNAVAILABLE"),
        ("fault-401", "ClientError", 401, "UNAUTHENTICATED"),
        ("fault-context", "ClientError", 400, "INVALID_ARGUMENT"),
    ],
)
def test_refusals_are_its_own_errors(seen: Any, fault: str, raised: str, code: int, status: str) -> None:
    assert seen[fault] == {"raised": raised, "code": code, "status": status}


def test_it_reads_counts_and_vectors(seen: Any) -> None:
    assert (seen["tokens"], seen["vectors"]) == (2, [[0.25, -0.5, 0.75, 1.0]])
