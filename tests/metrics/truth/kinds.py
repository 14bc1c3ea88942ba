"""The kinds of calls, and the configuration behind them. Each has providers of its own, so that none is in the way."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.standin import StandIn
from tests.standin.grammar import answer_for
from tests.standin.message import Answer, Request

WORDS = 5  # in an answer, a token each
CUT = 5  # tokens that the first three words are taken for
KEYS = {"acme": "gk-" + "a" * 40, "small": "gk-" + "s" * 40, "leaver": "gk-" + "l" * 40}
LIMITS = {"small": {"requests_per_minute": 40}}
PRICE = {"input": 1, "output": 10}


@dataclass(frozen=True)
class Kind:
    """`fails`: what each attempt before the answer ends in, as (provider, error_type)."""

    name: str
    targets: tuple[str, ...] = ()
    fails: tuple[tuple[str, str], ...] = ()
    stream: bool = False
    leaves: bool = False  # the client, after the first word
    tenant: str = "acme"
    path: str = "/v1/chat/completions"
    more: dict[str, Any] = field(default_factory=dict)  # of the body
    settings: dict[str, Any] = field(default_factory=dict)  # of the model
    share: int = 1

    @property
    def providers(self) -> list[str]:
        return [target.partition("/")[0] for target in self.targets]


ANSWER = f"words-{WORDS}"

KINDS = (
    Kind("plain", ("plain/" + ANSWER,), share=6),
    Kind("streamed", ("streamed/" + ANSWER,), stream=True, share=6),
    Kind("messages", ("messages/" + ANSWER,), path="/v1/messages", share=2),
    Kind("embeddings", ("simulated/x",), path="/v1/embeddings", more={"input": "five words to be embedded"}),
    Kind("again", ("again/again-500",), fails=(("again", "server_error"),)),
    Kind("elsewhere", ("lost/fault-404", "found/" + ANSWER), fails=(("lost", "model_not_found"),)),
    Kind(
        "nowhere",
        ("gone/fault-404", "away/fault-404"),
        fails=(("gone", "model_not_found"), ("away", "model_not_found")),
    ),
    Kind("refused", ("refused/fault-400",), fails=(("refused", "invalid_request"),)),
    Kind("toolong", ("toolong/fault-context",), fails=(("toolong", "context_length"),), stream=True),
    Kind("busy", ("busy/fault-429-after-1",), fails=(("busy", "rate_limited"),)),
    Kind("nokey", ("nokey/fault-401",), fails=(("nokey", "authentication"),)),
    Kind("broken", ("broken/fault-badjson",), fails=(("broken", "invalid_response"),)),
    Kind(
        "cut",
        ("cut/words-20-fault-cut-3",),
        fails=(("cut", "stream_interrupted"),),
        stream=True,
        settings={"stream_rescue": "off"},
    ),
    Kind(
        "rescued",
        ("rescued/again-cut",),
        fails=(("rescued", "stream_interrupted"),),
        stream=True,
        settings={"stream_rescue": "replay"},
    ),
    Kind("left", ("left/words-400-gap-50",), stream=True, leaves=True, tenant="leaver"),
    Kind("cached", ("cached/" + ANSWER,), settings={"cache": {"ttl": 3600}}, share=2),
    Kind("limited", ("limited/" + ANSWER,), tenant="small"),
    Kind("unknown"),
    Kind("surrogate"),
    Kind("notjson"),
    Kind("stranger"),
)


def configuration(url: str) -> dict[str, Any]:
    """`url`: of the stand-in."""
    names = {name for kind in KINDS for name in kind.providers if name != "simulated"}
    providers: dict[str, Any] = {
        name: {"kind": "compatible", "base_url": f"{url}/v1", "api_key": "k"} for name in sorted(names)
    }
    models = {
        kind.name: {
            "targets": list(kind.targets),
            "price": PRICE,
            **kind.settings,
        }
        for kind in KINDS
        if kind.targets
    }
    return {
        "providers": {**providers, "simulated": {"latency": 0}},
        "models": models,
        "tenants": {
            name: {"keys": [f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"], "limits": LIMITS.get(name, {})}
            for name, key in KEYS.items()
        },
        "resilience": {"rate_limit_wait": 0, "breaker": {"consecutive": 10**6, "min_calls": 10**6}},
        "health": {"probe": False},
    }


def scripted(provider: StandIn) -> None:
    """What depends on how often the same call has come: the first time it fails."""
    seen: Counter[str] = Counter()

    def again(bad: str) -> Any:
        def answer(request: Request) -> Answer:
            said = request.json["messages"][-1]["content"]
            seen[said] += 1
            return answer_for(bad if seen[said] == 1 else ANSWER, request, 1, 0)

        return answer

    provider.script(again("fault-500"), times=None, model="again-500")
    provider.script(again(f"{ANSWER}-fault-cut-3"), times=None, model="again-cut")
