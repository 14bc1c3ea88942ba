"""What passes from one side of the gateway to the other, and what never does: headers, cookies, keys."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.gunicorn import Server
from tests.journeys.house import CLAUDE_KEY, GUEST, KEY, TELLING, UP_KEY
from tests.journeys.plainly import CHAT, MESSAGES, Answered, ask, request, send
from tests.standin import Answer, Framing, Piece, Request, StandIn
from tests.standin.grammar import answer_for

SECRETS = (UP_KEY, CLAUDE_KEY, KEY, GUEST)
PROVIDERS_HEADERS = (
    ("set-cookie", "__cf_bm=tracking; path=/"),
    ("x-ratelimit-remaining-requests", "3"),
    ("anthropic-ratelimit-tokens-remaining", "4"),
    ("openai-organization", "org-canary"),
    ("x-request-id", "req_of_the_provider"),
    ("x-should-retry", "true"),
    ("x-gateway-provider", "liar"),
    ("access-control-allow-origin", "*"),
    ("strict-transport-security", "max-age=1"),
    ("location", "http://elsewhere.example"),
    ("server", "cloudflare"),
    ("via", "1.1 proxy"),
)
OURS = {
    *("server", "date", "connection", "content-type", "content-length", "transfer-encoding", "cache-control"),
    *("x-accel-buffering", "x-request-id", "request-id", "x-should-retry", "retry-after"),
    *("x-gateway-provider", "x-gateway-model", "x-gateway-attempts", "x-gateway-cache", "x-gateway-dropped"),
    "x-content-type-options",
}


def in_providers_dress(asked: Request) -> Answer:
    """An ordinary answer with a provider's headers."""
    answer = answer_for("words-2", asked, 1, 0)
    return replace(answer, headers=(*answer.headers, *PROVIDERS_HEADERS))


def telling_all(asked: Request) -> Answer:
    """An error that repeats all headers of the request: the worst that a provider could do with a key."""
    status = int(asked.model.rpartition("-")[2])
    said = " ".join(f"{name}: {value}; {value.removeprefix('Bearer ')};" for name, value in asked.headers)
    error = {"type": "some_error", "message": f"you sent {said}", "code": said, "param": said}
    body = json.dumps({"type": "error", "error": error}).encode()
    if status == 200:  # as the first event of a stream
        return Answer(
            200,
            (("content-type", "text/event-stream"), *PROVIDERS_HEADERS),
            (Piece(b"event: error\ndata: " + body + b"\n\n"),),
            framing=Framing.CHUNKED,
        )
    return Answer(status, (("content-type", "application/json"), *PROVIDERS_HEADERS), (Piece(body),))


def bare(answer: Answered) -> None:
    """Nothing of the provider's headers is in an answer, and nobody's key."""
    assert set(answer.headers) <= OURS
    told = json.dumps(answer.headers) + answer.body.decode()
    assert [value for _, value in PROVIDERS_HEADERS if len(value) > 4 and value in told] == []
    assert [secret for secret in SECRETS if secret in told] == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("upstream", ["up", "claude"])
def test_no_header_of_a_provider_is_relayed(
    server: Server, provider: StandIn, upstream: str, path: str, stream: bool
) -> None:
    model = f"dressed-{upstream}-{path}-{stream}-{server.run_dir}"
    provider.script(in_providers_dress, model=model)
    answer = ask(server, f"{upstream}/{model}", path=path, stream=stream)
    assert answer.status == 200
    bare(answer)
    assert answer.headers["x-gateway-provider"] == upstream
    assert answer.headers["x-request-id"].startswith("req_")
    if stream:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert (answer.headers["x-accel-buffering"], answer.headers["cache-control"]) == ("no", "no-cache")


@pytest.mark.parametrize("provider_name", [name for name, _ in TELLING])
def test_no_key_is_told_whatever_a_provider_says(server: Server, provider: StandIn, provider_name: str) -> None:
    _, _, language, status = provider_name.split("-")
    model = f"telling-{provider_name}-{server.run_dir}-{status}"
    provider.script(telling_all, times=None, model=model)
    path = CHAT if language == "chat" else MESSAGES
    answer = ask(server, f"{provider_name}/{model}", path=path, stream=status == "200")
    assert answer.status >= 400
    sent = provider.journal.requests(model=model)[0]
    assert any(key in str(sent.headers) for key in (UP_KEY, CLAUDE_KEY))
    assert answer.error["message"]
    bare(answer)


def test_a_provider_gets_its_own_headers_and_none_of_the_clients(server: Server, provider: StandIn) -> None:
    given = {
        "Cookie": "session=client",
        "X-Forwarded-For": "203.0.113.9",
        "Referer": "http://intranet.example",
        "User-Agent": "curious/1.0",
        "X-Stainless-Lang": "python",
        "OpenAI-Organization": "org-client",
        "Accept-Encoding": "gzip",
        "Anthropic-Beta": "a-beta",
        "X-Api-Key": "another key",
    }
    for upstream, key in (("up", UP_KEY), ("claude", CLAUDE_KEY)):
        for path in (CHAT, MESSAGES):
            model = f"words-1-{upstream}-{path.rpartition('/')[2]}-{server.run_dir.parent.name}/words-1"
            headers = given if path == CHAT else {**given, "X-Api-Key": ""}
            assert ask(server, f"{upstream}/{model}", path=path, headers=headers).status == 200
            sent = provider.journal.request(model=model)
            told = " ".join(value for _, value in sent.headers)
            assert key in told
            for value in (*given.values(), KEY):
                assert value in (*("gzip", "a-beta"), "") or value not in told
            assert sent.header("accept-encoding") == "identity"
            assert sent.header("user-agent") == "llm-gateway"


def test_what_anthropics_clients_say_of_their_version_reaches_anthropic(server: Server, provider: StandIn) -> None:
    for version, beta in (("2023-06-01", "token-counting"), ("2026-10-21", "")):
        model = f"version-{version}-{server.run_dir.parent.name}/words-1"
        headers = {"Anthropic-Version": version, "Anthropic-Beta": beta}
        assert ask(server, f"claude/{model}", path=MESSAGES, headers=headers).status == 200
        sent = provider.journal.request(model=model)
        assert (sent.header("anthropic-version"), sent.header("anthropic-beta") or "") == (version, beta)


def test_unknown_fields_travel_to_a_provider_of_the_same_language(server: Server, provider: StandIn) -> None:
    more: dict[str, Any] = {"x_new": {"deep": [1, None, "ü"]}, "temperature": 0.5}
    for upstream, path in (("up", CHAT), ("claude", MESSAGES)):
        model = f"unknown-{upstream}-{server.run_dir.parent.name}/words-1"
        answer = ask(server, f"{upstream}/{model}", path=path, **more)
        assert (answer.status, "x-gateway-dropped" in answer.headers) == (200, False)
        sent = provider.journal.request(model=model).json
        assert {name: sent[name] for name in more} == more
    crossed = ask(server, "claude/words-1", x_new=1)
    assert crossed.headers["x-gateway-dropped"] == "x_new"


def test_no_key_is_in_the_log_or_on_a_public_page(server: Server) -> None:
    """After all that the tests above have tried."""
    for path in ("/metrics", "/health", "/health/ready", "/v1/models"):
        bare(send(server, request("GET", path)))
    log = server.log()
    assert '"event":"call"' in log
    assert [secret for secret in SECRETS if secret in log] == []
    assert "you sent" not in log
