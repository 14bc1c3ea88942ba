"""No caller and no provider chooses where a request goes: a trap listens wherever they point, and nobody comes.

LiteLLM: CVE-2024-6587, PYSEC-2026-4070 (`api_base` in the body). Portkey: CVE-2025-66405, CVE-2026-110719 (a header).
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.security.house import CHAT, MESSAGES, NATIVES, RESPONSES, UP_KEY, House, call
from tests.standin import Answer, Piece, Request, StandIn

PATHS = (CHAT, MESSAGES, RESPONSES)
HERE = "127.0.0.1"


@pytest.fixture
def house(natives: House) -> House:
    return natives


@pytest.fixture(scope="module")
def listening() -> Iterator[StandIn]:
    with StandIn() as server:
        yield server


@pytest.fixture
def trap(listening: StandIn) -> Iterator[StandIn]:
    """Fails the test if anybody ever connects."""
    yield listening
    assert listening.journal.totals.get("connections", 0) == 0, listening.journal


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every host that anybody looks up."""
    asked: list[str] = []
    look_up = socket.getaddrinfo

    def noted(host: Any, *more: Any, **others: Any) -> Any:
        asked.append(str(host))
        return look_up(host, *more, **others)

    monkeypatch.setattr(socket, "getaddrinfo", noted)
    return asked


def privileged(url: str) -> dict[str, Any]:
    """What other gateways and SDKs take for settings."""
    return {
        **dict.fromkeys(("api_base", "base_url", "endpoint", "url", "azure_endpoint", "host", "proxy", "webhook"), url),
        "api_key": "sk-the-callers-own",
        "api_version": "../..",
        "user_config": {"model_list": [{"model_name": "fast", "litellm_params": {"api_base": url}}]},
        "extra_body": {"api_base": url},
        "extra_headers": {"Host": "evil.example", "Authorization": "Bearer evil"},
        "extra_query": {"url": url},
        "headers": {"Authorization": "Bearer evil"},
        "provider": {"base_url": url, "order": ["evil"]},
        "custom_llm_provider": "evil",
        "mock_response": "pwned",
        "timeout": 0.001,
        "num_retries": 99,
        "max_retries": 99,
        "fallbacks": ["claude/words-1"],
        "models": ["claude/words-1"],
        "metadata": {"api_base": url, "guardrails": "none", "webhook_url": url},
        "litellm_params": {"api_base": url},
        "cache": {"no-store": True},
        "__class__": "app.gateway.Gateway",
    }


def worked_in(path: str, more: dict[str, Any]) -> dict[str, Any]:
    """The same inside a message, and inside a part of it."""
    kind = "input_text" if path == RESPONSES else "text"
    message = {**more, "role": "user", "content": [{**more, "type": kind, "text": "two words"}]}
    return {"input" if path == RESPONSES else "messages": [message]}


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("upstream", ["up", "claude", "openai", "azure", *NATIVES])
def test_no_field_of_a_body_chooses_a_host_a_key_or_an_answer(  # noqa: PLR0917 - parts, and what varies
    house: House, provider: StandIn, trap: StandIn, names: list[str], upstream: str, path: str, nested: bool
) -> None:
    provider.journal.clear()
    more = privileged(trap.url)
    body = call(f"{upstream}/words-1", path, **(worked_in(path, more) if nested else more))
    answer = house.post(body, path)
    assert answer.status == 200, answer
    assert answer.headers["x-gateway-provider"] == upstream
    sent = provider.journal.last
    assert UP_KEY in str(sent.headers)
    assert "evil" not in f"{sent.headers} {sent.target}"
    assert b"pwned" not in answer.body
    assert len(provider.journal.requests()) == 1, "nobody else was asked"
    assert set(names) <= {HERE}


HOST_HEADERS = (
    *("x-portkey-custom-host", "x-portkey-config", "x-portkey-provider", "x-custom-host", "x-base-url", "x-api-base"),
    *("x-upstream", "x-target-url", "helicone-target-url", "x-provider", "x-original-url", "x-rewrite-url"),
    *("x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-prefix", "x-host", "forwarded"),
    *("destination", "x-proxy-url", "proxy", "script-name", "path-info", "x-script-name", "x-http-method-override"),
)


@pytest.mark.parametrize("path", PATHS)
def test_no_header_chooses_a_host_or_a_path(house: House, provider: StandIn, trap: StandIn, path: str) -> None:
    provider.journal.clear()
    answer = house.ask("up/words-1", path, headers=[(name, trap.url) for name in HOST_HEADERS])
    assert answer.status == 200
    sent = provider.journal.last
    assert (sent.path, sent.header("host")) == ("/v1/chat/completions", provider.url.removeprefix("http://"))
    assert trap.url not in str(sent.headers)


def test_no_query_chooses_anything(house: House, provider: StandIn, trap: StandIn) -> None:
    body = call("up/words-1")
    given = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    answer = house.request("POST", f"{CHAT}?api_base={trap.url}&model=claude/words-1&key=x", given, body)
    assert (answer.status, answer.headers["x-gateway-provider"]) == (200, "up")
    assert "?" not in provider.journal.last.target


NAMES = (
    *("../../admin", "..", ".", "a/../../b", "x/..", "..%2f..%2fadmin", "%2e%2e/x", "/etc/passwd", "//evil.example/x"),
    *("x?alt=sse&key=stolen", "x#fragment", "x@evil.example", "x:generateContent", "x:80", "x\\..\\y", "x;y=z"),
    *("x y", "x\r\nHost: evil.example", "x\0y", "x\u2028y", "\uff0e\uff0e/x", "http://evil.example/v1"),
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("upstream", ["up", "claude", "azure", *NATIVES])
def test_no_name_of_a_model_leads_anywhere_but_to_its_place_in_the_path(
    house: House, provider: StandIn, names: list[str], upstream: str, name: str
) -> None:
    """Some providers have the model in their URLs. Refused, or one segment that nobody can take for two."""
    provider.journal.clear()
    answer = house.ask(f"{upstream}/{name}")
    assert answer.status < 500, answer
    for sent in provider.journal.requests():
        assert sent.header("host") == provider.url.removeprefix("http://")
        assert not {".", ".."} & set(unquote(sent.path).split("/"))
        assert sent.target.partition("?")[2] in ("", "api-version=2024-10-21", "alt=sse")
        assert sent.path.startswith(("/v1", "/v2", "/openai/deployments/", "/model/"))
    assert set(names) <= {HERE}


def pictures(path: str, url: str) -> list[dict[str, Any]]:
    """A picture and a file by their addresses, as each language says it."""
    if path == MESSAGES:
        source = {"type": "url", "url": url}
        return [{"type": "image", "source": source}, {"type": "document", "source": source}]
    if path == RESPONSES:
        return [{"type": "input_image", "image_url": url}, {"type": "input_file", "file_url": url}]
    return [{"type": "image_url", "image_url": {"url": url}}, {"type": "file", "file": {"file_data": url}}]


@pytest.mark.parametrize("scheme", ["http", "file"])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("upstream", ["up", "claude", "openai", *NATIVES])
def test_what_is_shown_by_its_address_is_passed_on_or_refused_and_never_fetched(  # noqa: PLR0917
    house: House, trap: StandIn, names: list[str], upstream: str, path: str, scheme: str
) -> None:
    url = trap.url.replace("http:", f"{scheme}:") + "/latest/meta-data/"
    field = "input" if path == RESPONSES else "messages"
    for part in pictures(path, url):
        answer = house.post(call(f"{upstream}/words-1", path, **{field: [{"role": "user", "content": [part]}]}), path)
        assert answer.status in (200, 400), answer
    assert set(names) <= {HERE}


def test_addresses_in_tools_and_documents_are_never_fetched(house: House, trap: StandIn, names: list[str]) -> None:
    url = trap.url
    mcp = {"type": "mcp", "server_url": url, "server_label": "x", "require_approval": "never"}
    for path, more in (
        (RESPONSES, {"tools": [mcp]}),
        (MESSAGES, {"mcp_servers": [{"type": "url", "url": url, "name": "x"}]}),
        (CHAT, {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"$ref": url}}}]}),
        (CHAT, {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"$ref": url}}}}),
        (
            CHAT,
            {"web_search_options": {"url": url}, "data_sources": [{"type": "url", "parameters": {"endpoint": url}}]},
        ),
    ):
        for upstream in ("up", "claude", "openai", *NATIVES):
            assert house.post(call(f"{upstream}/words-1", path, **more), path).status in (200, 400)
    rerank = {"model": "cohere/words-1", "query": url, "documents": [url, {"text": url, "url": url}]}
    assert house.post(json.dumps(rerank).encode(), "/v1/rerank").status in (200, 400)
    assert set(names) <= {HERE}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("upstream", ["up", "claude", "gemini"])
def test_a_redirect_of_a_provider_is_a_failure_and_its_key_goes_nowhere(  # noqa: PLR0917
    house: House, provider: StandIn, trap: StandIn, upstream: str, status: int, stream: bool
) -> None:
    def away(asked: Request) -> Answer:
        return Answer(status, (("location", f"{trap.url}{asked.target}"),), (Piece(b"{}"),))

    provider.script(away)
    answer = house.ask(f"{upstream}/words-1", stream=stream)
    assert (answer.status, answer.error["code"]) == (502, "invalid_response")
    assert "location" not in answer.headers
    assert trap.url.encode() not in answer.body


def test_neither_netrc_nor_a_proxy_of_the_environment_touches_a_request(
    house: House, provider: StandIn, trap: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """requests would put Basic in place of our Bearer, and send both to the proxy."""
    (tmp_path / ".netrc").write_text(f"machine {HERE} login stranger password stranger\ndefault login a password b\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, trap.url)
        monkeypatch.setenv(name.upper(), trap.url)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none.pem"))
    monkeypatch.setenv("no_proxy", "")
    assert house.ask("up/words-1").status == 200
    assert provider.journal.last.header("authorization") == f"Bearer {UP_KEY}"
    assert house.ask("claude/words-1").status == 200
    assert (provider.journal.last.header("x-api-key"), provider.journal.last.header("authorization")) == (UP_KEY, None)


@pytest.mark.parametrize("host", ["x/?", "x/#", "localhost/v1/models?", "127.0.0.1/health/live#", "a b", "", "[::1"])
@pytest.mark.parametrize("path", [CHAT, "/v1/models", "/metrics", "/health/providers"])
def test_the_name_of_the_host_opens_no_door(house: House, path: str, host: str) -> None:
    """CVE-2026-49468: what is allowed was decided by a URL that was built from it."""
    method = "POST" if path == CHAT else "GET"
    answer = house.request(method, path, [("X-Forwarded-For", "203.0.113.9")], key=None, host=host)
    assert answer.status == (404 if path in ("/metrics", "/health/providers") else 401)


@pytest.mark.parametrize("path", ["/v1//models", "/v1/models/", "/v1/./models", "/v1/%2e%2e/models", "/V1/models"])
def test_a_path_that_is_another_way_to_write_one_is_not_there(house: House, path: str) -> None:
    """And nobody is sent on to it: such a page would name whatever Host the caller says."""
    for method in ("GET", "POST"):
        answer = house.request(method, path, [], host="evil.example")
        assert (answer.status, answer.error["code"]) == (404, "not_found")
        assert "location" not in answer.headers
        assert b"evil" not in answer.body
