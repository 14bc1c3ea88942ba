"""Who gets in: one strict header, hashes, one refusal for all; and the doors that are not there."""

from __future__ import annotations

import hashlib
import json
import re
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from app.cli import key as command
from app.config.tenant import TenantS
from app.core.errors import GatewayError
from app.surfaces import LANGUAGES
from app.tenants import Tenants
from tests.journeys.plainly import Answered
from tests.security.house import CHAT, KEY, MESSAGES, RESPONSES, Headers, House, configuration
from tests.standin import StandIn
from tests.test_openapi import GOOD

BEARER = "Authorization"
REFUSED: dict[str, Headers] = {
    "no key": [],
    "an empty one": [(BEARER, "")],
    "a scheme alone": [(BEARER, "Bearer")],
    "a scheme and a space": [(BEARER, "Bearer ")],
    "one that is not known": [(BEARER, "Bearer gk-nobody")],
    "another scheme": [(BEARER, f"Basic {KEY}")],
    "no scheme": [(BEARER, KEY)],
    "a scheme that runs on": [(BEARER, f"Bearer{KEY}")],
    "a tab": [(BEARER, f"Bearer\t{KEY}")],
    "two keys": [(BEARER, f"Bearer {KEY}"), (BEARER, f"Bearer {KEY}")],
    "a good one and a bad one": [(BEARER, f"Bearer {KEY}"), (BEARER, "Bearer x")],
    "a list": [(BEARER, f"Bearer {KEY}, Bearer x")],
    "a parameter": [(BEARER, f'Bearer {KEY}, realm="x"')],
    "one letter less": [(BEARER, f"Bearer {KEY[:-1]}")],
    "one letter more": [(BEARER, f"Bearer {KEY}k")],
    "the first twenty letters": [(BEARER, f"Bearer {KEY[:20]}")],
    "the same beginning": [(BEARER, f"Bearer {KEY[:20]}{'x' * (len(KEY) - 20)}")],
    "other case": [(BEARER, f"Bearer {KEY.upper()}")],
    "a null byte behind it": [(BEARER, f"Bearer {KEY}\0")],
    "its hash": [(BEARER, f"Bearer {hashlib.sha256(KEY.encode()).hexdigest()}")],
    "its hash as it is written": [(BEARER, f"Bearer sha256:{hashlib.sha256(KEY.encode()).hexdigest()}")],
    "beyond ASCII": [(BEARER, "Bearer \xff\xfe\x80")],
    "beyond ASCII in place of it": [(BEARER, f"Bearer {KEY[:-1]}\xeb")],
    "513 letters": [(BEARER, "Bearer " + "k" * 513)],
    "8,000 letters": [(BEARER, "Bearer " + "k" * 8000)],
    "SQL": [(BEARER, "Bearer ' OR 1=1; --")],
    "a template": [(BEARER, "Bearer {{7*7}}${7*7}%s%n")],
    "a list of JSON": [(BEARER, 'Bearer ["' + KEY + '"]')],
    "a bad one, and a good one for others": [(BEARER, "Bearer x"), ("X-Api-Key", KEY), ("Api-Key", KEY)],
    "in another header": [
        ("X-Auth-Token", KEY),
        ("Cookie", f"api_key={KEY}"),
        ("Proxy-Authorization", f"Bearer {KEY}"),
    ],
    "by an underscore": [("Tenant", "team"), ("X-Tenant", "team"), ("X-User", "team"), ("Remote-User", "team")],
}


def shown(answer: Answered) -> tuple[Any, ...]:
    """Everything but the id, which differs from call to call."""
    told = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "request-id")}
    return answer.status, told, re.sub(rb"req_[0-9a-f]{24}", b"", answer.body)


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES, "/v1/embeddings"])
@pytest.mark.parametrize("what", REFUSED)
def test_every_refusal_is_the_same_byte_for_byte_and_nobody_is_asked(
    house: House, provider: StandIn, what: str, path: str
) -> None:
    headers = [each for each in REFUSED[what] if path != MESSAGES or each[0] != "X-Api-Key"]  # Anthropic's own place
    provider.journal.clear()
    usual = house.ask(path=path, key=None)
    answer = house.ask(path=path, key=None, headers=headers)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert shown(answer) == shown(usual)
    assert not provider.journal.requests()


def test_a_key_gets_in_by_each_of_its_headers(house: House) -> None:
    for headers in ([(BEARER, f"bearer {KEY}")], [("X-Api-Key", KEY)], [("Api-Key", KEY)]):
        assert house.ask(key=None, headers=headers).status == 200
        assert house.ask(key=None, path=MESSAGES, headers=headers).status == 200


@pytest.mark.parametrize("name", ["key", "api_key", "api-key", "token", "access_token", "authorization"])
def test_a_key_in_the_query_is_none(house: House, name: str) -> None:
    assert house.get(f"/v1/models?{name}={KEY}", key=None).status == 401
    assert house.get(f"/v1/models?{name}=Bearer%20{KEY}", key=None).status == 401


def test_a_stranger_learns_nothing_of_what_is_there(house: House) -> None:
    """The key is looked at before the body is read, and before any name in it is."""
    bodies = (b"", b"{", b"[" * 1000, b'{"model": "fast"}', b'{"model": "nothing"}', b"x" * 10_000)
    assert len({str(shown(house.post(body, key=None))) for body in bodies}) == 1
    models = ("/v1/models", "/v1/models/fast", "/v1/models/nothing")
    assert len({str(shown(house.get(path, key=None))) for path in models}) == 1


def test_keys_are_found_by_their_whole_hash() -> None:
    """CVE-2026-35030: a cache of tokens went by their first twenty letters."""
    keys = [f"gk-the-same-beginning-{'x' * 30}-{number}" for number in range(100)]
    made = {
        f"t{n}": TenantS.model_validate({"keys": [f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"]})
        for n, key in enumerate(keys)
    }
    tenants = Tenants(made)
    assert [tenants.identify(key, 0).name for key in keys] == list(made)
    with pytest.raises(GatewayError):
        tenants.identify(keys[0][:-1], 0)


def test_a_key_is_hashed_before_it_is_used_for_anything(house: House) -> None:
    """CVE-2026-42208: one that was unknown went into a query as it was. Nothing that is kept or told has it."""
    key = "gk-canary'; DROP TABLE keys; --"
    answer = house.ask(key=key)
    assert answer.status == 401
    assert "canary" not in str(answer) + house.lines.getvalue().decode()


def test_a_key_that_was_made_has_256_bits_and_its_hash_alone_is_for_the_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command.run(Namespace(json=False))
    said = capsys.readouterr().out
    (key,) = re.findall(r" gk-(\S+)\n", said)
    assert len(key) == 43, "32 bytes in base64"
    assert said.count(f"sha256:{hashlib.sha256(f'gk-{key}'.encode()).hexdigest()}") == 2


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/admin",
            "/v1/admin",
            "/config",
            "/config/update",
            "/get/config/callbacks",
            "/debug",
            "/debug/pprof",
            "/console",
        ),
        *("/key/generate", "/key/info", "/user/new", "/team/new", "/spend/logs", "/sso/key", "/ui", "/docs", "/redoc"),
        *(
            "/openapi.json",
            "/swagger.json",
            "/state",
            "/reload",
            "/shutdown",
            "/env",
            "/.env",
            "/.git/config",
            "/static/x",
        ),
        *("/v1/files", "/v1/batches", "/v1/fine_tuning/jobs", "/v1/assistants", "/v1/threads", "/v1/vector_stores"),
        *("/v1/responses/resp_1", "/v1/responses/resp_1/cancel", "/v1/conversations", "/v1/containers", "/v1/uploads"),
        *("/v1/messages/batches", "/v1/organizations", "/v1/images/generations", "/v1/audio/speech", "/v1/realtime"),
        *("/chat/completions", "/completions", "/models", "/messages", "/v2/chat/completions", "/openai/deployments/x"),
        *("/mcp", "/mcp/test/connection", "/prompts/test", "/guardrails/test", "/utils/test", "/health/readiness"),
        *("/v1/chat/completions/../../metrics", "/metrics/", "/health/providers/", "/favicon.ico", "/robots.txt"),
    ],
)
def test_what_the_gateway_does_not_have_is_not_there_for_anybody(house: House, path: str) -> None:
    """No administration, no objects of tenants, no route without a version. CVE-2026-35029, -47101, -42271, -40217."""
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        for key in (KEY, None):
            answer = house.request(method, path, key=key)
            assert (answer.status, "there is nothing at this path" in answer.error["message"]) == (404, True), method


def test_every_route_asks_for_a_key_but_those_of_operators(house: House) -> None:
    open_ = {"/health", "/health/live", "/health/ready"}
    for rule in house.app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            path = rule.rule.replace("<path:name>", "fast")
            far = [("X-Forwarded-For", "203.0.113.9")]  # not a neighbour
            status = house.request(method, path, far, key=None).status
            assert status == (200 if path in open_ else 404 if "/v1/" not in path else 401), path
            if path in ("/metrics", "/health/providers"):
                assert house.request(method, path, far).status == 404, "a tenant's key is none for it"


@pytest.mark.parametrize("path", LANGUAGES)
def test_one_policy_holds_for_every_way_in_plain_or_streamed(provider: StandIn, tmp_path: Path, path: str) -> None:
    """PYSEC-2026-4074: what was checked on one way in was not on another. Keys, models and limits are."""
    made = configuration(provider.url)
    made["tenants"]["team"] |= {"models": ["up/*"], "limits": {"requests_per_minute": 1}}
    with House(made, tmp_path) as house:
        assert house.ask("up/words-1").status == 200
        for stream in (False, True) if path in (CHAT, "/v1/completions", RESPONSES, MESSAGES) else (False,):
            bodies = [
                json.dumps({**GOOD[path], "model": model, "stream": stream}).encode()
                for model in ("claude/words-1", "up/words-1")
            ]
            assert house.post(bodies[0], path).status == 403
            assert house.post(bodies[1], path, key="gk-nobody").status == 401
            assert house.post(bodies[1], path).status == 429
