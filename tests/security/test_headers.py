"""What headers carry from one side to the other, and that nobody writes one of his own into them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.security.house import CHAT, KEY, MESSAGES, RESPONSES, UP_KEY, House, call, configuration
from tests.standin import Answer, Piece, Request, StandIn
from tests.standin.grammar import answer_for

#: Everything that a provider is ever told in a header by us: of each language, whatever the client says.
OURS = {
    *("host", "content-type", "content-length", "accept", "accept-encoding", "user-agent"),
    *("authorization", "x-api-key", "anthropic-version"),
}
HOSTILE = (
    ("Cookie", "session=canary"),
    ("Proxy-Authorization", "Basic canary"),
    ("X-Api-Key", "canary"),
    ("Api-Key", "canary"),
    ("X-Goog-Api-Key", "canary"),
    ("OpenAI-Organization", "canary"),
    ("OpenAI-Project", "canary"),
    ("OpenAI-Beta", "canary"),
    ("X-Forwarded-For", "203.0.113.9, canary"),
    ("X-Forwarded-Proto", "canary"),
    ("X-Forwarded-Host", "canary.example"),
    ("Forwarded", "for=canary"),
    ("X-Real-Ip", "canary"),
    ("Via", "1.1 canary"),
    ("Connection", "keep-alive, X-Canary, Authorization, Anthropic-Version"),
    ("Keep-Alive", "canary"),
    ("Te", "trailers, canary"),
    ("Trailer", "X-Canary"),
    ("Upgrade", "canary"),
    ("Expect", "canary"),
    ("Range", "bytes=0-canary"),
    ("If-None-Match", "canary"),
    ("Referer", "http://canary.example"),
    ("Origin", "http://canary.example"),
    ("User-Agent", "canary/1.0"),
    ("Accept", "canary/*"),
    ("Accept-Encoding", "gzip, br, canary"),
    ("Accept-Language", "canary"),
    ("Traceparent", "00-canary"),
    ("Baggage", "canary=1"),
    ("X-Stainless-Lang", "canary"),
    ("X-Canary", "canary"),
    ("Content-Language", "canary"),
    ("Idempotency-Key", "canary"),
)


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("upstream", ["up", "claude"])
def test_a_provider_is_sent_a_closed_list_of_headers(house: House, provider: StandIn, upstream: str, path: str) -> None:
    given = [("X-Api-Key", KEY), *(each for each in HOSTILE if each[0] != "X-Api-Key")] if path == MESSAGES else HOSTILE
    assert house.ask(f"{upstream}/words-1", path, headers=given).status == 200
    sent = provider.journal.last
    assert {name.lower() for name, _ in sent.headers} <= OURS
    assert len(sent.headers) == len({name.lower() for name, _ in sent.headers}), "none twice"
    assert "canary" not in str(sent.headers).replace(UP_KEY, "")
    assert KEY not in str(sent.headers)


def test_what_anthropics_clients_may_say_reaches_anthropic_alone_and_in_one_line(
    house: House, provider: StandIn
) -> None:
    given = [("Anthropic-Version", "2023-06-01"), ("Anthropic-Beta", "a-1,b-2")]
    for upstream, expected in (("claude", "a-1,b-2"), ("up", None)):
        assert house.ask(f"{upstream}/words-1", MESSAGES, headers=given).status == 200
        assert provider.journal.last.header("anthropic-beta") == expected


RELAYED = (
    *("set-cookie", "set-cookie2", "x-accel-redirect", "x-accel-buffering", "x-accel-expires", "x-sendfile"),
    *("connection", "keep-alive", "proxy-authenticate", "trailer", "upgrade", "content-language"),
    *("location", "refresh", "link", "server", "via", "x-powered-by", "www-authenticate", "authentication-info"),
    *("access-control-allow-origin", "content-security-policy", "strict-transport-security", "alt-svc", "nel"),
    *("x-ratelimit-remaining-requests", "anthropic-ratelimit-tokens-remaining", "openai-organization", "cf-ray"),
    *("x-request-id", "request-id", "x-should-retry", "x-gateway-provider", "x-gateway-dropped", "age", "etag"),
)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [200, 400, 401, 429, 503])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_no_header_of_a_provider_is_relayed(
    provider: StandIn, tmp_path: Path, path: str, status: int, stream: bool
) -> None:
    more = tuple((name, "canary; <http://x>; max-age=1") for name in RELAYED)

    def dressed(asked: Request) -> Answer:
        if status != 200:
            return Answer(status, more, (Piece(b'{"error": {"message": "no", "type": "x"}}'),))
        plain = answer_for("words-1", asked, 1, 0)
        return Answer(200, (*plain.headers, *more), plain.body, plain.framing)

    provider.script(dressed)
    with House(configuration(provider.url), tmp_path) as house:  # where a refused key leaves no trace
        answer = house.ask("up/words-1", path, stream=stream)
    assert (answer.status == 200) == (status == 200)
    assert "canary" not in str(answer.headers)
    assert answer.headers["x-request-id"].startswith("req_")


def test_a_cookie_of_a_provider_reaches_no_other_call(house: House, provider: StandIn) -> None:
    cookie = Answer(200, (("set-cookie", "session=of-one-tenant; Path=/"),), (Piece(b"{}"),))
    provider.script(cookie, model="words-1")
    house.ask("up/words-1")
    assert house.ask("up/words-2").status == 200
    assert provider.journal.last.header("cookie") is None


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "a\rb", "a\0b", "\x1b[31m", "世界", "a\u2028b", "\x7f"])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_no_name_that_a_client_makes_up_breaks_a_header(house: House, path: str, value: str) -> None:
    """Names of models and of fields come back in headers; the house checks what the server is given."""
    answer = house.ask(f"up/{value}", path)
    assert (answer.status, "x-evil" in answer.headers) == (200, False)
    assert set(answer.headers["x-gateway-model"]) <= set("ax-evil: 1b[31m?")
    for upstream in ("up", "claude"):
        dropped = house.post(call(f"{upstream}/words-1", path, **{value: 1}), path)
        assert (dropped.status, "x-evil" in dropped.headers) == (200, False)


def test_fields_that_were_dropped_are_named_as_far_as_a_header_goes(house: House) -> None:
    """Proxies have four kilobytes for all headers of an answer."""
    many: dict[str, Any] = {f"{'field' * 30}{number}": 1 for number in range(2000)}
    answer = house.ask("claude/words-1", **many)
    named = answer.headers["x-gateway-dropped"]
    assert answer.status == 200
    assert named.startswith("fieldfield")
    assert named.endswith(", ...")
    assert len(named) <= 1030
    assert sum(len(name) + len(value) for name, value in answer.headers.items()) < 3000


@pytest.mark.parametrize("given", ["abc-1.2_Z", "a" * 64])
def test_a_harmless_request_id_is_kept(house: House, given: str) -> None:
    assert house.ask(headers=[("X-Request-Id", given)]).headers["x-request-id"] == given


@pytest.mark.parametrize(
    "given",
    ["", "a" * 65, "a b", "a,b", "a\r\nx-evil: 1", "a\n", "\n", "é", "<b>", "../x", "${jndi:x}", "%0d%0a", "\x85"],
)
def test_any_other_request_id_is_replaced_everywhere(house: House, given: str) -> None:
    answer = house.ask(headers=[("X-Request-Id", given)])
    assert answer.headers["x-request-id"].startswith("req_")
    assert house.log()[-1]["request_id"] == answer.headers["x-request-id"]


def test_two_request_ids_are_none(house: House) -> None:
    answer = house.ask(headers=[("X-Request-Id", "one"), ("X-Request-Id", "two")])
    assert answer.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("path", ["/v1/models", "/v1/nope", "/health", "/metrics"])
def test_no_browser_guesses_what_an_answer_is(house: House, path: str) -> None:
    assert house.get(path).headers["x-content-type-options"] == "nosniff"
    for stream in (False, True):
        assert house.ask(stream=stream).headers["x-content-type-options"] == "nosniff"


def test_nobody_in_a_browser_may_ask(house: House) -> None:
    """No page of another origin: there is no answer to a preflight, and no header that allows anything."""
    origin = [("Origin", "http://page.example"), ("Access-Control-Request-Method", "POST")]
    assert house.request("OPTIONS", CHAT, origin).status == 405
    for answer in (house.ask(headers=origin), house.get("/v1/models", headers=origin)):
        assert not [name for name in answer.headers if name.startswith("access-control")]
