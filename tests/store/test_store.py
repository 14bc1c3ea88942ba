"""What holds for every store, whatever stands behind it."""

import itertools
import threading

from app.store.store import Claim, Found, Store, add, hold, key, read, take

_NUMBERS = itertools.count()


def fresh() -> str:
    """A key that no other test uses."""
    return key("test", str(next(_NUMBERS)))


def test_a_key_stands_for_its_parts_and_no_others() -> None:
    assert key("a", "bc") != key("ab", "c")
    assert key("a") != key("a", "")
    assert key("secret words", b"\x00") == key(b"secret words", "\x00")
    assert len(key("x" * 10_000, "\ud800")) == 43
    assert key("anything").replace("-", "").replace("_", "").isalnum()


def test_what_was_written_is_found(store: Store) -> None:
    where = fresh()
    assert store.read(where) == Found(None)
    for value in (b"", b"one", b"\r\nEND\r\n", bytes(range(256)) * 100):
        assert store.write(where, value, 60)
        assert store.read(where) == Found(value)
    assert store.drop(where)
    assert store.read(where) == Found(None)
    assert store.drop(where)


def test_of_all_who_claim_one_has_won(store: Store) -> None:
    where, outcomes = fresh(), list[Claim]()
    threads = [
        threading.Thread(target=lambda n=n: outcomes.append(store.claim(where, b"%d" % n, 60))) for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome.value for outcome in outcomes) == ["taken"] * 19 + ["won"]


def test_a_claim_is_released_by_its_owner_alone(store: Store) -> None:
    where = fresh()
    assert store.claim(where, b"me", 60) is Claim.WON
    assert not store.release(where, b"you")
    assert store.read(where) == Found(b"me")
    assert store.release(where, b"me")
    assert store.claim(where, b"you", 60) is Claim.WON
    assert not store.release(where, b"me")
    assert not store.release(fresh(), b"me")


def test_counters_are_made_added_to_and_taken_from(store: Store) -> None:
    one, two = fresh(), fresh()
    assert store.tally(one, [read(one), add(one, 5, 60), add(one, 2, 60), read(one), read(two)]) == [
        None,
        5,
        7,
        7,
        None,
    ]
    assert store.tally(one, [take(one, 3), take(one, 10), take(two, 1), read(one)]) == [4, 0, None, 0]
    assert store.tally(one, [add(one, 1, 60, renew=True), read(one)]) == [1, 1]
    assert store.tally(one, []) == []


def test_a_number_is_held_by_whoever_came_first(store: Store) -> None:
    where = fresh()
    assert store.tally(where, [hold(where, 12345, 60), hold(where, 67890, 60), read(where)]) == [12345, 12345, 12345]


def test_many_steps_are_one_tally(store: Store) -> None:
    place = fresh()
    steps = [add(f"{place}{n}", n, 60) for n in range(500)]
    assert store.tally(place, steps) == list(range(500))
    assert store.tally(place, [read(f"{place}{n}") for n in range(500)]) == list(range(500))


def test_counting_at_the_same_time_loses_nothing(store: Store) -> None:
    where = fresh()

    def count() -> None:
        for _ in range(100):
            store.tally(where, [add(where, 3, 60), take(where, 1)])

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.tally(where, [read(where)]) == [1600]


def test_what_is_no_number_is_not_counted(store: Store) -> None:
    where = fresh()
    store.write(where, b"words", 60)
    assert store.tally(where, [add(where, 1, 60), read(where)]) == [None, None]
