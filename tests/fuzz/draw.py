"""Cases at random, most of them nearly sound."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from random import Random
from typing import Any

import yaml

from app.config.load import BUILT_IN
from app.core.json import dumps
from tests.config.test_accepted import EVERYTHING
from tests.fuzz import change, seeds
from tests.fuzz.case import Case, Headers
from tests.fuzz.change import SETTINGS, VALUES, Changes
from tests.fuzz.house import KINDS
from tests.fuzz.targets import FORMS, Targets, Wanted

STATUSES = (200, 200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 408, 413, 422, 429, 498, 499, 500, 503, 529, 599)
_LINE = (
    b'{"event":"call","timestamp":"2026-11-25T12:00:00Z","tenant":"a","key":"b","model":"m","provider":"p",'
    b'"operation":"chat","status":"success","error_type":null,"input_tokens":1,"output_tokens":2,"cost_usd":0.1}\n'
)
_ASKING: Mapping[str, Sequence[str]] = {
    "Content-Type": ("text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""),
    "Content-Length": ("0", "-1", "x", "99999999999", ""),
    "Content-Encoding": ("gzip", "identity", ""),
    "Authorization": ("Bearer", "Bearer x", "Basic eDp5", "\xff", "bearer  " + "k" * 600),
    "X-Api-Key": ("x", "", "\xe9"),
    "X-Request-Id": ("a b", "x" * 65, "ok", "\xff", "../"),
    "X-Request-Timeout-Ms": ("0", "-1", "1e400", "nan", "100000", "x", "1_0"),
    "X-Stainless-Read-Timeout": ("inf", "600", "\u0661"[:0] + "1"),
    "Cache-Control": ("no-cache", "max-age=" + "9" * 20, "max-age", ",,=", "no-store", 'max-age="1"'),
    "X-Gateway-Cache-Ttl": ("1", "0", "-1", "9" * 11, "\xb2"),
    "Anthropic-Version": ("x", "", "\xe9"),
    "Anthropic-Beta": ("a,b", "\xff"),
    "Host": ("x", "[::1", "\xff", ""),
    "Cookie": ("=", "a=b; \xff"),
    "Transfer-Encoding": ("chunked", "x"),
    "Range": ("bytes=0-",),
    "X-HTTP-Method-Override": ("GET",),
    "Accept": ("text/html",),
    "Expect": ("100-continue",),
}
_TELLING: Mapping[str, Sequence[str]] = {
    "retry-after": (
        "0",
        "1",
        "-1",
        "x",
        "1e308",
        "9" * 400 + "h",
        "Wed, 21 Oct 2099 07:28:00 GMT",
        "nan",
        "\u0661",
        "",
    ),
    "retry-after-ms": ("1", "1e308", "x", "inf"),
    "date": ("Wed, 21 Oct 2015 07:28:00 GMT", "x", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
    "x-ratelimit-reset-requests": ("1s", "6m0s", "1d", "9" * 400 + "s", "2099-01-01T00:00:00Z"),
    "x-ratelimit-remaining-requests": ("0", "x"),
    "content-type": ("text/html", "application/json", "\xff"),
    "x-amzn-errortype": ("ThrottlingException:http://x", "", ":"),
}


class Draw:
    """Draws for every target; `chance` decides."""

    def __init__(self, targets: Targets) -> None:
        self._offered = cache(lambda: list(_offered(targets)))
        self.by_target: Mapping[str, Callable[[Random], Case]] = {
            "ask": self.ask,
            "answer": self.answer,
            "sse": self.sse,
            "frames": self.frames,
            "config": self.config,
            "log": self.log,
        }

    def ask(self, chance: Random) -> Case:
        path, kind = chance.choice(seeds.PATHS), chance.choice(KINDS)
        body = {**chance.choice(seeds.ASKS[path]), "model": kind}
        if chance.randrange(3) == 0:
            body["stream"] = chance.choice((True, True, None, "x"))
        tree = Changes(chance).tree(body)
        written = change.dug(json.dumps(tree, ensure_ascii=chance.randrange(2) == 0)).encode("utf-8", "surrogatepass")
        if chance.randrange(10) == 0:
            written = change.raw(written, chance)
        return Case(("ask", kind, path), written, _headers(chance, _ASKING))

    def answer(self, chance: Random) -> Case:
        kind, path, form, wanted = chance.choice(self._offered())
        status = chance.choice(STATUSES)
        words = ("answer", kind, path, form, str(status))
        family = seeds.family(kind)
        events = seeds.STREAMS[family].get(wanted.about) if form == "stream" else None
        if status != 200:
            tree = Changes(chance).tree(chance.choice(_REFUSALS))
            body = change.dug(json.dumps(tree)).encode()
        elif events is not None:
            body = seeds.written(tuple(change.stream(list(events), chance)))
        else:
            body = change.dug(json.dumps(Changes(chance).tree(seeds.PLAIN[family][wanted.about]))).encode()
        if chance.randrange(10) == 0:
            body = change.raw(body, chance)
        return Case(words, body, _headers(chance, _TELLING))

    def sse(self, chance: Random) -> Case:
        return Case(("sse",), change.raw(seeds.written(_any_stream(chance))[:600], chance))

    def frames(self, chance: Random) -> Case:
        whole = seeds.frames(seeds.written(seeds.STREAMS["bedrock"]["chat"]))[:900]
        return Case(("frames",), whole if chance.randrange(4) == 0 else change.raw(whole, chance))

    def config(self, chance: Random) -> Case:
        text = chance.choice((EVERYTHING, BUILT_IN, *_FILES))
        if chance.randrange(3):
            tree = Changes(chance, SETTINGS, VALUES).tree(yaml.safe_load(text))
            text = change.dug(yaml.safe_dump(tree, allow_unicode=True, default_flow_style=None, sort_keys=False))
        written = text.encode("utf-8", "surrogatepass")
        return Case(("config",), change.raw(written, chance) if chance.randrange(3) == 0 else written)

    def log(self, chance: Random) -> Case:
        lines = [_LINE]
        for _ in range(chance.randrange(4)):
            tree = Changes(chance).tree(json.loads(_LINE), 2)
            lines.append(change.dug(json.dumps(tree, separators=(",", ":"))).encode() + b"\n")
        return Case(("log",), change.raw(b"".join(lines), chance))

    def sound(self) -> list[Case]:
        """What is as it should be: requests and answers of each kind, and configurations."""
        cases = [
            Case(("ask", kind, path), dumps({**body, "model": kind}))
            for kind in KINDS
            for path, bodies in seeds.ASKS.items()
            for body in bodies
        ]
        cases += [
            Case(("answer", kind, path, form, "200"), seeds.good(kind, wanted.about, stream=form == "stream"))
            for kind, path, form, wanted in self._offered()
        ]
        return cases + [Case(("config",), text.encode()) for text in (EVERYTHING, BUILT_IN, *_FILES)]


_REFUSALS: Sequence[Any] = (
    {"error": {"message": "no", "type": "invalid_request_error", "param": "x", "code": "context_length_exceeded"}},
    {"type": "error", "error": {"type": "overloaded_error", "message": "no"}, "request_id": "r"},
    {"error": {"code": 429, "message": "no", "status": "RESOURCE_EXHAUSTED", "details": [{"retryDelay": "1s"}]}},
    [{"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}],
    {"message": "no", "__type": "ThrottlingException"},
    {"object": "error", "message": {"detail": [{"loc": ["body", "x"], "msg": "no"}]}, "code": 1},
    {"detail": "no"},
)

#: Small files that most of the code reads.
_FILES = (
    'providers: {openai: {api_key: k, models: ["*"]}, b: {kind: bedrock, region: us-east-1, api_key: k}}\n'
    "models: {fast: {targets: [openai/gpt, {target: b/claude, weight: 2}], fallbacks: {any: [slow]}},"
    ' "slow*": {targets: ["openai/*"], strategy: weighted, cache: {ttl: 5}}}\n',
    'server: {open: true, trusted_proxies: ["10.0.0.0/8"]}\nmetrics: {token: "${X:-y}"}\n' + BUILT_IN,
)


def _offered(targets: Targets) -> Iterator[tuple[str, str, str, Wanted]]:
    """Kinds, and the paths and forms in which one of them is asked for something."""
    for kind in KINDS:
        for path in seeds.PATHS:
            for form in FORMS:
                if kind != "simulated" and (wanted := targets.wanted(kind, path, stream=form == "stream")):
                    yield kind, path, form, wanted


def _any_stream(chance: Random) -> tuple[seeds.Named, ...]:
    family = chance.choice(tuple(seeds.STREAMS))
    return seeds.STREAMS[family][chance.choice(tuple(seeds.STREAMS[family]))]


def _headers(chance: Random, known: Mapping[str, Sequence[str]]) -> Headers:
    if chance.randrange(3):
        return ()
    names = [chance.choice(tuple(known)) for _ in range(1 + chance.randrange(3))]
    return tuple((name, chance.choice(known[name])) for name in names)
