"""What the stand-in makes up in the languages of providers is what their own SDKs take for an answer: boto3, whose
signatures it checks, and Cohere's; and Groq's, Together's and Mistral's, which speak OpenAI's."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.standin import StandIn, text
from tests.standin.bedrock import SIGNATURE
from tests.standin.sigv4 import ACCESS_KEY, SECRET_KEY

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv-sdks/providers/bin/python"
ALL = "words-2-reasoning-2-tools-2-cached-4"
CITIES = [{"city": "世界0"}, {"city": "世界1"}]


@pytest.fixture(scope="module")
def book() -> Mapping[str, Any]:
    """What the SDKs saw, by the name of the case."""
    if not PYTHON.exists():
        message = "no environment .venv-sdks/providers: make sdks"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    with StandIn() as standin:
        told = subprocess.run(
            [str(PYTHON), "-P", "tests/sdks/talk_to_standin.py", standin.url],
            cwd=ROOT,
            env={**os.environ, "STANDIN_ACCESS_KEY": ACCESS_KEY, "STANDIN_SECRET_KEY": SECRET_KEY},
            capture_output=True,
            check=True,
            timeout=100,
        )
    found: Mapping[str, Any] = json.loads(told.stdout)
    return found


@pytest.mark.parametrize(
    ("model", "words"), [("words-3", 3), (ALL, 2), ("words-9-cuts-5", 9), ("vendor.model:0/words-1", 1)]
)
def test_boto3_reads_a_stream_as_it_reads_the_plain_answer(book: Mapping[str, Any], model: str, words: int) -> None:
    """Its requests are signed by AWS's own package, also for a model whose name must be encoded."""
    plain, events = book[f"converse {model}"], book[f"converse_stream {model}"]
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    blocks = plain["output"]["message"]["content"]

    assert "".join(block.get("text", "") for block in blocks) == text(words)
    assert "".join(delta.get("text", "") for delta in deltas) == text(words)
    assert events[-2]["messageStop"]["stopReason"] == plain["stopReason"]
    assert events[-1]["metadata"]["usage"] == plain["usage"]


def test_boto3_reads_thoughts_and_calls(book: Mapping[str, Any]) -> None:
    thought, _, *used = book[f"converse {ALL}"]["output"]["message"]["content"]
    events = book[f"converse_stream {ALL}"]
    begun = [event["contentBlockStart"]["start"]["toolUse"] for event in events if "contentBlockStart" in event]
    deltas = [event["contentBlockDelta"] for event in events if "contentBlockDelta" in event]
    arguments: dict[int, str] = {}
    for each in deltas:
        if "toolUse" in each["delta"]:
            index = each["contentBlockIndex"]
            arguments[index] = arguments.get(index, "") + each["delta"]["toolUse"]["input"]

    assert thought["reasoningContent"]["reasoningText"] == {"text": text(2), "signature": SIGNATURE}
    assert [block["toolUse"]["input"] for block in used] == CITIES
    assert [json.loads(said) for said in arguments.values()] == CITIES
    assert [block["name"] for block in begun] == ["weather", "weather"]


def test_boto3_raises_what_bedrock_would_have_said(book: Mapping[str, Any]) -> None:
    assert book["throttled"]["raised"] == "ThrottlingException"
    assert "(throttlingException)" in book["throttled in a stream"]["said"]
    assert "(UnrecognizedClientException)" in book["a stranger"]["said"]


@pytest.mark.parametrize(("model", "words"), [("words-3", 3), (ALL, 2), ("words-9-cuts-5", 9)])
def test_cohere_reads_a_stream_as_it_reads_the_plain_answer(book: Mapping[str, Any], model: str, words: int) -> None:
    plain, events = book[f"chat {model}"], book[f"chat_stream {model}"]
    said = [event["delta"]["message"] for event in events if event["type"] in ("content-delta", "tool-plan-delta")]
    message = plain["message"]
    parts = message.get("content") or []

    told = (message.get("tool_plan") or "") + "".join(part.get("text") or "" for part in parts)
    streamed = "".join(each.get("tool_plan") or (each.get("content") or {}).get("text") or "" for each in said)
    assert told == streamed == text(words)
    assert events[-1]["delta"]["finish_reason"] == plain["finish_reason"]
    assert events[-1]["delta"]["usage"] == plain["usage"]


def test_cohere_reads_thoughts_calls_vectors_and_ranks(book: Mapping[str, Any]) -> None:
    message = book[f"chat {ALL}"]["message"]
    calls = [json.loads(call["function"]["arguments"]) for call in message["tool_calls"]]

    assert message["content"] == [{"type": "thinking", "thinking": text(2)}]
    assert calls == CITIES
    assert [len(vector) for vector in book["embed"]["embeddings"]["float"]] == [4, 4]
    assert book["rerank"]["results"] == [{"index": 1, "relevance_score": 0.666667}]


@pytest.mark.parametrize(
    ("case", "raised", "status"),
    [
        ("bad request", "BadRequestError", 400),
        ("bad key", "UnauthorizedError", 401),
        ("slowed down", "TooManyRequestsError", 429),
    ],
)
def test_cohere_raises_by_status(book: Mapping[str, Any], case: str, raised: str, status: int) -> None:
    assert (book[case]["raised"], book[case]["status"]) == (raised, status)


@pytest.mark.parametrize("sdk", ["groq", "together", "mistral"])
def test_those_who_speak_as_openai_does_read_text(book: Mapping[str, Any], sdk: str) -> None:
    (choice,) = book[f"{sdk} words-3"]["choices"]
    deltas = [each["delta"] for chunk in book[f"{sdk} words-3 streamed"] for each in chunk["choices"]]

    assert choice["message"]["content"] == "".join(delta.get("content") or "" for delta in deltas) == text(3)


@pytest.mark.parametrize("sdk", ["groq", "together", "mistral"])
def test_those_who_speak_as_openai_does_read_calls(book: Mapping[str, Any], sdk: str) -> None:
    """Mistral's own SDK wants the calls of a stream whole, as Mistral sends them, and the stand-in is OpenAI there."""
    (choice,) = book[f"{sdk} words-2-tools-2"]["choices"]
    calls = choice["message"]["tool_calls"]

    assert [json.loads(call["function"]["arguments"]) for call in calls] == CITIES
    if sdk != "mistral":
        chunks = book[f"{sdk} words-2-tools-2 streamed"]
        fragments = [call for c in chunks for each in c["choices"] for call in each["delta"].get("tool_calls") or ()]
        joined = ["".join(f["function"]["arguments"] for f in fragments if f["index"] == at) for at in (0, 1)]
        assert [json.loads(each) for each in joined] == CITIES
