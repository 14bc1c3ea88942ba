"""A clock that stands still until a test moves it, for what takes a Clock (app/core/clock.py)."""


class ManualClock:
    """Both of its times are `now`, in seconds; a sleep is over at once, and it is later then."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
