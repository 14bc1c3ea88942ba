"""What the gateway says to requests that are no calls, or bad ones: always JSON, in the language of the path."""

from __future__ import annotations

import codecs
import json
import re
from functools import partial

import pytest

from tests.gunicorn import Server, until
from tests.journeys.house import GUEST, KEY
from tests.journeys.plainly import CHAT, MESSAGES, Answered, ask, call, chunked, request, send

GOOD = call("simulated")
ENDPOINTS = (CHAT, "/v1/completions", "/v1/embeddings", "/v1/moderations", MESSAGES, f"{MESSAGES}/count_tokens")


def post(server: Server, body: bytes, path: str = CHAT, headers: dict[str, str] | None = None) -> Answered:
    return send(server, request("POST", path, body, headers=headers))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1/nope"),
        ("POST", "/v1/files"),
        ("POST", f"{CHAT}/"),
        ("GET", "/v1/models/"),
        ("PUT", "/v2"),
    ],
)
def test_a_path_that_is_not_there_is_a_404_that_names_what_is(server: Server, method: str, path: str) -> None:
    answer = send(server, request(method, path, b"{}" if method == "POST" else None))
    assert (answer.status, answer.error["type"], answer.error["code"]) == (404, "invalid_request_error", "not_found")
    assert all(endpoint in answer.error["message"] for endpoint in (*ENDPOINTS, "/v1/models", "/health", "/metrics"))
    assert set(answer.error) == {"message", "type", "param", "code"}
    assert answer.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        *(("GET", path, {"POST"}) for path in ENDPOINTS),
        ("DELETE", CHAT, {"POST"}),
        ("PROPFIND", CHAT, {"POST"}),
        ("POST", "/v1/models", {"GET", "HEAD"}),
        ("POST", "/health/live", {"GET", "HEAD"}),
        ("DELETE", "/metrics", {"GET", "HEAD"}),
    ],
)
def test_another_method_is_a_405_that_names_those_allowed(
    server: Server, method: str, path: str, allowed: set[str]
) -> None:
    answer = send(server, request(method, path))
    assert (answer.status, set(answer.headers["allow"].split(", "))) == (405, allowed)
    assert answer.error["message"]
    assert ("request_id" in answer.json) == path.startswith(MESSAGES)


def test_options_is_a_method_like_another(server: Server) -> None:
    """Browsers would ask with it whether they may call; they may not."""
    for path, status in ((CHAT, 405), ("/v1/models", 405), ("/nope", 404)):
        answer = send(server, request("OPTIONS", path, key=None))
        assert (answer.status, bool(answer.error["message"])) == (status, True)


def test_head_has_no_body(server: Server) -> None:
    for path, status in (("/v1/models", 200), ("/health/live", 200), (CHAT, 405), ("/nope", 404)):
        head = send(server, request("HEAD", path))
        assert (head.status, head.body) == (status, b"")


def test_an_error_of_a_call_says_how_far_it_got(server: Server) -> None:
    unknown, refused = post(server, call("nothing")), post(server, GOOD, headers={"Authorization": "Bearer sk-wrong"})
    told = {name: value for name, value in unknown.headers.items() if name.startswith("x-gateway")}
    assert (unknown.status, told) == (404, {"x-gateway-attempts": "0", "x-gateway-cache": "bypass"})
    assert (refused.status, [name for name in refused.headers if name.startswith("x-gateway")]) == (401, [])


@pytest.mark.parametrize("name", ["ü\r\nx-evil: 1", "世界", "a\0b"])
def test_a_name_that_no_header_can_carry_breaks_no_answer(server: Server, name: str) -> None:
    answer = post(server, call(f"simulated/{name}"))
    assert (answer.status, "x-evil" in answer.headers) == (200, False)
    assert answer.headers["x-gateway-model"].startswith(("??", "a?"))


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_a_body_that_is_too_large_is_a_413_however_its_length_is_told(server: Server, path: str) -> None:
    large = call("simulated", path=path, user="x" * 100_000)
    answers = [
        post(server, large, path),
        post(server, b"", path, {"Content-Length": str(1 << 40)}),
        send(server, request("POST", path, headers={"Transfer-Encoding": "chunked"}) + chunked(large)),
        send(server, request("POST", path, headers={"Transfer-Encoding": "chunked"}) + chunked(*[b" " * 4096] * 30)),
    ]
    kind = "invalid_request_error" if path == CHAT else "request_too_large"
    assert [(answer.status, answer.error["type"]) for answer in answers] == [(413, kind)] * 4
    assert "100000 bytes" in answers[0].error["message"]


def test_a_chunked_body_is_as_good_as_any(server: Server) -> None:
    head = request("POST", CHAT, headers={"Transfer-Encoding": "chunked"})
    assert send(server, head + chunked(GOOD[:5], GOOD[5:6], GOOD[6:])).status == 200


@pytest.mark.parametrize(
    ("body", "half"),
    [(b"zz\r\n{}\r\n0\r\n\r\n", False), (b"2\r\n{}no0\r\n\r\n", False), (b"10\r\n{", True), (b"", True)],
)
def test_chunks_that_are_none_are_a_400_and_end_the_connection(server: Server, body: bytes, half: bool) -> None:
    """What follows them is no request: nobody may smuggle one past a proxy so."""
    follows = b"" if half else request("GET", "/v1/models")
    head = request("POST", CHAT, headers={"Transfer-Encoding": "chunked"}, keep=True)
    answer = send(server, head + body + follows, half=half)
    assert (answer.status, answer.error["type"]) == (400, "invalid_request_error")
    assert b"HTTP/1.1" not in answer.body
    assert b"owned_by" not in answer.body


def test_a_body_that_ends_too_early_is_a_400(server: Server) -> None:
    answer = send(server, request("POST", CHAT, GOOD[:10], headers={"Content-Length": "500"}), half=True)
    assert (answer.status, answer.error["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate", "gzip, identity"])
def test_a_compressed_body_is_a_415(server: Server, coding: str) -> None:
    answer = post(server, GOOD, headers={"Content-Encoding": coding})
    assert (answer.status, answer.error["code"]) == (415, "unsupported_encoding")
    assert post(server, GOOD, headers={"Content-Encoding": "identity"}).status == 200


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(GOOD.decode().encode("utf-16"), "UTF-8", id="utf-16"),
        pytest.param(b'{"model": "caf\xe9"}', "UTF-8", id="latin-1"),
        pytest.param(codecs.BOM_UTF8 + GOOD, "BOM", id="byte order mark"),
        pytest.param(GOOD[:-1] + b', "temperature": NaN}', "not valid JSON", id="NaN"),
        pytest.param(GOOD[:-1] + b', "temperature": -Infinity}', "not valid JSON", id="infinity"),
        pytest.param(GOOD[:-1] + b', "temperature": 1e999}', "infinity", id="a number too large"),
        pytest.param(GOOD[:-1] + b', "user": "\\ud800"}', "surrogate", id="lone high surrogate"),
        pytest.param(GOOD[:-1] + b', "user": "\\udc00"}', "surrogate", id="lone low surrogate"),
        pytest.param(GOOD[:-1] + b', "user": "\n"}', "control character", id="raw line end"),
        pytest.param(GOOD[:-1] + b', "x": ' + b"[" * 200 + b"]" * 200 + b"}", "200 levels", id="depth 201"),
        pytest.param(b"[" * 90_000, "200 levels", id="depth 90,000"),
        pytest.param(GOOD + b"x", "after document", id="trailing text"),
        pytest.param(GOOD + GOOD, "after document", id="two objects"),
        pytest.param(GOOD[:-1], "not valid JSON", id="cut"),
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"[]", "JSON object", id="array"),
        pytest.param(b'"model"', "JSON object", id="string"),
        pytest.param(b"null", "JSON object", id="null"),
        pytest.param(b"{'model': 1}", "not valid JSON", id="single quotes"),
        pytest.param(b"\x00", "not valid JSON", id="a null byte"),
    ],
)
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_json_is_read_strictly_and_what_is_wrong_is_said(server: Server, path: str, body: bytes, why: str) -> None:
    answer = post(server, body, path)
    assert (answer.status, answer.error["type"]) == (400, "invalid_request_error")
    assert why in answer.error["message"]


def test_what_is_only_unusual_is_taken(server: Server) -> None:
    deep = b"[" * 199 + b"]" * 199
    for more in (b', "x": ' + deep + b"}", b', "user": "\\ud83d\\ude42 \\u0000"}', b', "stream": null}', b"}\r\n\t "):
        assert post(server, GOOD[:-1] + more).status == 200
    assert ask(server, "simulated", headers={"Content-Type": "text/plain"}).status == 200


@pytest.mark.parametrize("model", [None, 1, True, [], {}, "", "m" * 257])
def test_a_model_that_is_no_name_is_refused_by_field(server: Server, model: object) -> None:
    for path in (CHAT, MESSAGES, "/v1/embeddings"):
        answer = post(server, json.dumps({"model": model, "max_tokens": 9}).encode(), path)
        assert (answer.status, "model must be a string" in answer.error["message"]) == (400, True)
    assert post(server, b'{"messages": []}').error["param"] == "model"


@pytest.mark.parametrize(
    ("name", "value", "param"),
    [
        ("stream", "yes", "stream"),
        ("stream", 1, "stream"),
        ("messages", None, "messages"),
        ("messages", "hello", "messages"),
        ("messages", [], "messages"),
        ("messages", ["hello"], "messages[0]"),
        ("messages", [{"content": "hello"}], "messages[0].role"),
        ("messages", [{"role": "user", "content": 5}], "messages[0].content"),
        ("messages", [{"role": "user", "content": ["hello"]}], "messages[0].content[0]"),
        ("temperature", "hot", "temperature"),
        ("tools", {}, "tools"),
        ("max_tokens", -1, "max_tokens"),
        ("stream_options", 5, "stream_options"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(server: Server, name: str, value: object, param: str) -> None:
    answer = post(server, json.dumps(json.loads(GOOD) | {name: value}).encode())
    assert (answer.status, answer.error["param"], answer.error["type"]) == (400, param, "invalid_request_error")


@pytest.mark.parametrize("given", ["abc-1.2_Z", "0", "a" * 64])
def test_a_harmless_request_id_is_kept(server: Server, given: str) -> None:
    headers = {"X-Request-Id": given}
    assert ask(server, "simulated", headers=headers).headers["x-request-id"] == given
    assert ask(server, "nothing", headers=headers).headers["x-request-id"] == given
    refused = ask(server, "nothing", path=MESSAGES, headers=headers)
    assert (refused.headers["x-request-id"], refused.json["request_id"]) == (given, given)


@pytest.mark.parametrize("given", ["a" * 65, "a b", "a;b", "é", "{}", "<script>", "a,b", "../x"])
def test_any_other_request_id_is_replaced(server: Server, given: str) -> None:
    answer = ask(server, "simulated", headers={"X-Request-Id": given})
    assert answer.status == 200
    assert answer.headers["x-request-id"].startswith("req_")


def test_the_id_that_a_failed_call_got_is_the_one_in_the_log(server: Server) -> None:
    def line(given: str) -> str:
        return next((one for one in server.log().splitlines() if given in one), "")

    for model, status in (("up/words-1", "success"), ("up/fault-400", "client_error")):
        given = ask(server, model).headers["x-request-id"]
        assert f'"status":"{status}"' in until(partial(line, given), "line of the call")


def test_a_key_is_needed_before_anything_is_read(server: Server) -> None:
    for key in (None, "", "wrong", "k" * 5000, "\u00e9", f"{KEY} ", KEY.upper()):
        for path in ("/v1/models", CHAT, MESSAGES):
            given = {"Authorization": f"Bearer {key}"} if key is not None else {"Authorization": ""}
            body = b"{" if path != "/v1/models" else None
            answer = send(server, request("POST" if body else "GET", path, body, headers=given))
            if key == f"{KEY} ":  # white space around a header's value is none of it
                assert answer.status in (200, 400)
                continue
            assert (answer.status, answer.error["type"]) == (401, "authentication_error")
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Api-Key", "X-Api-Key"])
def test_the_key_is_taken_from_the_headers_of_other_clients(server: Server, header: str) -> None:
    assert send(server, request("GET", "/v1/models", headers={"Authorization": "", header: KEY})).status == 200


def test_a_tenant_sees_and_uses_its_models_alone(server: Server) -> None:
    listed = send(server, request("GET", "/v1/models", key=GUEST)).json["data"]
    assert [model["id"] for model in listed] == ["simulated"]
    hidden = send(server, request("GET", "/v1/models/other", key=GUEST))
    missing = send(server, request("GET", "/v1/models/nothing", key=GUEST))
    assert (hidden.status, missing.status) == (404, 404)
    assert "other" not in missing.error["message"]
    for model, status in (("other", 403), ("up/words-1", 403), ("up/guest/words-1", 200), ("nothing", 404)):
        answer = send(server, request("POST", CHAT, call(model), key=GUEST))
        assert answer.status == status
        if status == 403:
            assert (answer.error["type"], answer.error["code"]) == ("permission_error", "permission")


def test_health_needs_no_key_and_metrics_no_forwarded_neighbour(server: Server) -> None:
    for path in ("/health", "/health/live", "/health/ready"):
        assert send(server, request("GET", path, key=None)).json["status"] == "ok"
    server.private("/state")  # once there is somebody who knows
    assert send(server, request("GET", "/metrics", key=None)).status == 200
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-Ip"):
        assert send(server, request("GET", "/metrics", headers={header: "for=10.0.0.1"})).status == 404


def test_a_connection_goes_on_after_an_error(server: Server) -> None:
    """Whether the call was refused before its body was read, or after."""
    wrong = request("POST", CHAT, GOOD, key="wrong", keep=True)
    bad = request("POST", CHAT, b"{", keep=True)
    answer = send(server, wrong + bad + request("POST", CHAT, GOOD))
    later = re.findall(rb"HTTP/1.1 ([0-9]{3}) ", answer.body)
    assert (answer.status, later) == (401, [b"400", b"200"])
