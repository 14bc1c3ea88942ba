"""What only the store in memory has to show: time, and its bound."""

from app.core.clock import Clock
from app.store.memory import Memory
from app.store.store import Claim, Found, add, hold, read
from tests.clock import ManualClock


def test_everything_ends_after_its_time() -> None:
    clock: Clock = ManualClock()
    store = Memory(clock)
    store.write("value", b"v", 10)
    store.tally("c", [add("old", 1, 10), add("renewed", 1, 10), hold("for ever", 7, 0)])
    clock.sleep(6)
    store.tally("c", [add("old", 1, 10), add("renewed", 1, 10, renew=True)])
    assert store.claim("value", b"w", 10) is Claim.TAKEN
    clock.sleep(6)
    assert store.read("value") == Found(None)
    assert store.claim("value", b"w", 10) is Claim.WON
    assert store.tally("c", [read("old"), read("renewed"), read("for ever")]) == [None, 2, 7]


def test_what_was_not_used_for_the_longest_time_goes_first() -> None:
    store = Memory(ManualClock(), most=1000)
    for name in "abc":
        store.write(name, bytes(100), 60)
    store.read("a")
    store.write("d", bytes(100), 60)
    assert [store.read(name).value is not None for name in "abcd"] == [True, False, True, True]


def test_what_is_larger_than_everything_is_not_kept() -> None:
    store = Memory(ManualClock(), most=1000)
    store.write("a", b"old", 60)
    assert not store.write("a", bytes(2000), 60)
    assert store.read("a") == Found(None)
