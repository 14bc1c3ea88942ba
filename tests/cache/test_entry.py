"""What somebody who can write into the store, and has no secret, can make of it: nothing that is given out."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cache.entry import Corrupt, Entry, Seal
from app.cache.generations import place
from app.core.usage import Usage
from app.store import store as stores
from app.store.store import Store
from tests.cache.given import ANSWER, SECRET, Clock, Worker, asks, plain

ENTRY = Entry(b'{"a":1}', 100, 200, "openai", "gpt-4.1", Usage(1, 2, 3, 4, 5), ("seed", "n"))
KEY, OTHER = stores.key("one"), stores.key("other")
SEAL = Seal([SECRET])


def test_an_entry_comes_back_as_it_was() -> None:
    assert SEAL.open(KEY, SEAL.close(KEY, ENTRY)) == ENTRY
    bare = replace(ENTRY, usage=None, dropped=())
    assert SEAL.open(KEY, SEAL.close(KEY, bare)) == bare


def test_any_flipped_bit_is_noticed() -> None:
    value = SEAL.close(KEY, ENTRY)
    for at in range(len(value) * 8):
        changed = bytearray(value)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(Corrupt):
            SEAL.open(KEY, bytes(changed))


def test_an_entry_under_another_key_is_noticed() -> None:
    with pytest.raises(Corrupt):
        SEAL.open(OTHER, SEAL.close(KEY, ENTRY))


def test_an_entry_of_another_secret_is_noticed() -> None:
    with pytest.raises(Corrupt):
        SEAL.open(KEY, Seal([b"x" * 32]).close(KEY, ENTRY))


@given(st.binary(max_size=200))
def test_garbage_is_noticed(value: bytes) -> None:
    with pytest.raises(Corrupt):
        SEAL.open(KEY, value)


def test_a_secret_can_be_replaced_while_both_are_known() -> None:
    old, new = b"o" * 32, b"n" * 32
    both = Seal([new, old])
    assert both.open(KEY, Seal([old]).close(KEY, ENTRY)) == ENTRY
    assert Seal([new]).open(KEY, both.close(KEY, ENTRY)) == ENTRY
    with pytest.raises(Corrupt):
        Seal([old]).open(KEY, both.close(KEY, ENTRY))


# The same, through the store and the cache.

Spoil = Callable[[bytes, bytes], bytes]
"""Of the value under a key and the one under another key: what a hostile writer puts under the first."""

SPOILS: dict[str, Spoil] = {
    "a flipped bit in the answer": lambda own, other: own[:-3] + bytes([own[-3] ^ 1]) + own[-2:],
    "a flipped bit in the head": lambda own, other: own[:36] + bytes([own[36] ^ 1]) + own[37:],
    "a flipped bit in the tag": lambda own, other: bytes([own[0] ^ 1]) + own[1:],
    "another tenant's entry": lambda own, other: other,
    "its head with another answer": lambda own, other: own[:60] + other[60:],
    "cut": lambda own, other: own[:-1],
    "longer": lambda own, other: own + b" ",
    "nothing": lambda own, other: b"",
    "garbage": lambda own, other: os.urandom(300),
    "huge garbage": lambda own, other: os.urandom(900_000),
    "a pickle": lambda own, other: b"cos\nsystem\n(S'false'\ntR.",
}


@pytest.mark.parametrize("how", SPOILS)
def test_what_was_tampered_with_is_an_error_and_never_given_out(store: Store, clock: Clock, how: str) -> None:
    worker = Worker(store, clock)
    keys = {}
    for tenant in ("acme", "other"):
        first = worker.call(tenant=tenant)
        first.fetch()
        first.answered(plain({**ANSWER, "id": tenant}))
        keys[tenant] = first.visit._terms.key  # type: ignore[attr-defined]
    own, other = store.read(keys["acme"]).value, store.read(keys["other"]).value
    assert own is not None
    assert other is not None
    assert store.write(keys["acme"], SPOILS[how](own, other), 100)
    worker.counted.clear()

    assert asks(worker, tenant="acme")

    assert worker.counted == {("get", "error"): 1, ("delete", "ok"): 1}
    assert not asks(worker, tenant="other"), "nothing else is harmed"


def test_an_old_entry_that_is_put_back_has_ended_all_the_same(store: Store, clock: Clock) -> None:
    worker = Worker(store, clock)
    first = worker.call()
    first.fetch()
    first.answered(plain())
    key = first.visit._terms.key  # type: ignore[attr-defined]
    old = store.read(key).value
    assert old is not None
    clock.now += 100

    store.write(key, old, 100)

    assert asks(worker)


def test_an_old_generation_that_is_put_back_brings_nothing_back(store: Store, clock: Clock) -> None:
    worker = Worker(store, clock)
    first = worker.call()
    first.fetch()
    first.answered(plain())
    old = store.read(place("acme")).value
    assert old is not None
    clock.now += 5
    worker.generations.forget(store, "acme")
    assert asks(worker)

    store.write(place("acme"), old, 0)
    clock.now += 5

    assert asks(worker)
    clock.now += 5
    assert store.read(place("acme")).value != old, "it is put right again"


@pytest.mark.parametrize("value", [b"", b"1", b"garbage" * 100, bytes(40)])
def test_a_generation_that_nobody_signed_is_replaced(store: Store, clock: Clock, value: bytes) -> None:
    store.write(place("acme"), value, 0)
    worker = Worker(store, clock)
    first = worker.call()
    assert first.fetch() is None
    first.answered(plain())

    assert not asks(Worker(store, clock))
