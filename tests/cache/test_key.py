"""Which calls are the same."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cache.key import VERSION, key_of
from app.core.call import Call, Tenant
from app.core.json import Json, dumps, loads
from app.surfaces import LANGUAGES
from tests.cache.given import ROUTE

LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
BODIES = st.dictionaries(st.text(max_size=8), VALUES, max_size=6)


def key(
    body: Json, tenant: str = "acme", generations: tuple[bytes, bytes] = (b"1", b"1"), *, shared: bool = False
) -> str:
    call = Call(
        id="req_1",
        language=LANGUAGES["/v1/chat/completions"],
        model="fast",
        body=body,
        stream=False,
        tenant=Tenant(tenant),
        headers={},
        patience=None,
        began=0.0,
    )
    return key_of(call, ROUTE, generations, shared=shared)


def shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, list):
        return [shuffled(one, rng) for one in value]
    if isinstance(value, dict):
        items = [(name, shuffled(one, rng)) for name, one in value.items()]
        rng.shuffle(items)
        return dict(items)
    return value


@given(BODIES, st.randoms(use_true_random=False))
def test_the_order_of_fields_makes_no_difference_however_deep(body: Json, rng: random.Random) -> None:
    assert key(shuffled(body, rng)) == key(body)


@given(BODIES, BODIES)
def test_different_bodies_have_different_keys(one: Json, other: Json) -> None:
    one, other = (
        {n: v for n, v in loads(dumps(b)).items() if n not in ("stream", "stream_options")} for b in (one, other)
    )
    assert (key(one) == key(other)) == (told(one) == told(other))


def parsed(body: Json) -> Json:
    """As it comes in, without what makes no difference."""
    return {name: value for name, value in loads(dumps(body)).items() if name not in ("stream", "stream_options")}


def told(body: Json) -> str:
    """Exactly: 1, 1.0 and true are three things."""
    return repr(in_order(body))


def in_order(value: Any) -> Any:
    if isinstance(value, list):
        return [in_order(one) for one in value]
    if isinstance(value, dict):
        return [(name, in_order(one)) for name, one in sorted(value.items())]
    return value


def test_no_tenant_can_be_named_so_that_it_is_everybody() -> None:
    """Nor can parts of one thing pass for another."""
    keys = {
        key({}, "None"),
        key({}, "null"),
        key({}, ""),
        key({}, "acme"),
        key({}, "acme", shared=True),
        key({}, "acme", (b"11", b"")),
        key({}, "acme", (b"", b"11")),
    }
    assert len(keys) == 7


def test_what_another_version_of_the_gateway_has_kept_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a new one is rolled out both run beside each other."""
    ours = key({"a": 1})
    monkeypatch.setattr("app.cache.key.VERSION", VERSION + 1)
    assert key({"a": 1}) != ours


def test_a_key_is_a_whole_digest_that_shows_nothing() -> None:
    made = key({"messages": [{"role": "user", "content": "a secret"}]}, "acme")
    assert len(made) == 43
    assert "acme" not in made
