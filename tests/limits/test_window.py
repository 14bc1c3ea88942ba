"""The arithmetic of a sliding minute."""

from hypothesis import given
from hypothesis import strategies as st

from app.limits.window import SPAN, Window, room_at, whole_at
from tests.clock import ManualClock
from tests.limits.given import Process

T = 1_700_000_000


def test_buckets_leave_the_window_61_seconds_after_they_began() -> None:
    window = Window("k", is_settled_later=False)
    window.put(T, 5, counted=True)
    window.turn(T + SPAN)
    assert window.local() == 5
    window.turn(T + SPAN + 1)
    assert window.local() == 0
    assert not window.counted


def test_a_bucket_of_requests_is_read_until_two_seconds_after_its_end_and_then_kept() -> None:
    window = Window("k", is_settled_later=False)
    assert window.unknown(T) == [*range(T - 60, T), T + 1]
    window.learn(T, dict.fromkeys(window.unknown(T), 1))
    assert window.unknown(T) == [T - 2, T - 1, T + 1]
    assert window.unknown(T + 1) == [T - 2, T - 1, T, T + 2]
    window.learn(T + 1, dict.fromkeys(window.unknown(T + 1), 1))
    assert window.unknown(T + 1) == [T - 1, T, T + 2]
    assert window.unknown(T + 50) == [*range(T - 1, T + 50), T + 51]
    assert window.unknown(T + 500) == [*range(T + 440, T + 500), T + 501]


def test_buckets_of_tokens_are_all_read_once_a_second() -> None:
    window = Window("k", is_settled_later=True)
    window.learn(T, dict.fromkeys(window.unknown(T), 1))
    assert window.unknown(T) == [T - 2, T - 1, T + 1]
    assert window.unknown(T + 1) == [*range(T - 59, T + 1), T + 2]


def test_after_a_clock_went_back_everything_is_read_again() -> None:
    window = Window("k", is_settled_later=False)
    window.turn(T)
    window.learn(T, dict.fromkeys(window.unknown(T), 1))
    window.turn(T - 1)
    assert window.unknown(T - 1) == [T - 2, T], "a second more or less is how clocks are"
    window.turn(T - 30)
    assert window.unknown(T - 30) == [*range(T - 90, T - 30), T - 29]
    assert window.others(T - 30) == 0


def test_what_the_store_took_from_us_is_there_whatever_it_says() -> None:
    """It may have thrown a counter out to make room."""
    window = Window("k", is_settled_later=True)
    window.put(T - 5, 7, counted=True)
    window.put(T - 6, 7, counted=False)
    window.learn(T, {T - 5: None, T - 6: None, T - 7: 3})
    assert window.others(T) == 10


def test_what_is_owed_is_the_difference_of_what_is_ours_and_what_is_counted() -> None:
    window = Window("k", is_settled_later=True)
    window.put(T, 10, counted=True)
    window.put(T, 5, counted=False)
    window.put(T - 1, 4, counted=True)
    window.put(T - 1, -1, counted=False)
    assert dict(window.owed()) == {T: 5, T - 1: -1}
    window.forget_the_store()
    assert dict(window.owed()) == {T: 15, T - 1: 3}


def test_room_comes_when_enough_old_buckets_have_left() -> None:
    buckets = {T: 3, T + 10: 4, T + 20: 3}
    now = T + 30.25
    assert room_at(buckets, 10, 0, now) == 0
    assert room_at(buckets, 10, 1, now) == 61 - 30.25
    assert room_at(buckets, 10, 3, now) == 61 - 30.25
    assert room_at(buckets, 10, 4, now) == 71 - 30.25
    assert room_at(buckets, 10, 10, now) == 81 - 30.25
    assert room_at(buckets, 6, 0, now) == 71 - 30.25
    assert whole_at(buckets, now) == 81 - 30.25
    assert whole_at({}, now) == whole_at({T: 0}, now) == 0


@given(
    limit=st.integers(1, 20),
    steps=st.lists(st.tuples(st.floats(0, 40), st.integers(1, 25)), max_size=150),
    start=st.floats(0, 60),
)
def test_no_sixty_seconds_ever_hold_more_than_the_limit(
    limit: int, steps: list[tuple[float, int]], start: float
) -> None:
    """Whatever the costs, and wherever in a second or a minute the calls come."""
    from app.store.memory import Memory  # noqa: PLC0415

    clock = ManualClock(T + start)
    process = Process(Memory(clock), clock, tokens=limit)
    admitted: list[tuple[float, int]] = []
    for wait, cost in steps:
        clock.sleep(wait / 10 if cost % 2 else wait)
        try:
            process.call({"messages": [], "max_tokens": cost})
        except Exception:  # noqa: S112
            continue
        admitted.append((clock.now, min(cost, limit)))
        assert sum(cost for at, cost in admitted if at > clock.now - 60) <= limit
