"""What is left of a tenant's limits, for whoever looks from outside: nothing is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.core.clock import Clock
from app.limits.headers import Standing
from app.limits.limits import Allowance
from app.limits.parts import What
from app.limits.place import Place, Subject
from app.limits.window import SPAN, Window, whole_at
from app.store import store
from app.store.store import Store


def look(
    shared: Store, clock: Clock, tenant: str, rules: Sequence[tuple[str, Allowance]]
) -> list[tuple[str, Standing]] | None:
    """Of each limit, with the model it is of ("" is all of them together). None: the store does not answer."""
    now = clock.time()
    place = Place(tenant, clock)
    found: list[tuple[str, Standing]] = []
    for model, allowance in rules:
        subject = place.subject(model)
        for what, most in (
            (What.REQUESTS, allowance.requests),
            (What.TOKENS, allowance.tokens),
            (What.CONCURRENCY, allowance.concurrent),
        ):
            if most is None:
                continue
            if what is What.CONCURRENCY:
                inside = _inside(shared, place, subject)
                if inside is None:
                    return None
                found.append((model, Standing(what, most, most - inside, None)))
                continue
            buckets = _buckets(shared, place, subject.requests if what is What.REQUESTS else subject.tokens, now)
            if buckets is None:
                return None
            found.append((model, Standing(what, most, most - sum(buckets.values()), whole_at(buckets, now))))
    return found


def _buckets(shared: Store, place: Place, window: Window, now: float) -> Mapping[int, int] | None:
    seconds = range(int(now) - SPAN, int(now) + 2)
    numbers = place.ask(shared, [store.read(window.key(second)) for second in seconds])
    if numbers is None:
        return None
    return {second: number for second, number in zip(seconds, numbers, strict=True) if number}


def _inside(shared: Store, place: Place, subject: Subject) -> int | None:
    """Over all processes; the first question tells how many there are."""
    if place.ask(shared, []) is None:
        return None
    numbers = place.ask(shared, [store.read(subject.key(number)) for number in range(place.numbers)])
    return None if numbers is None else sum(number or 0 for number in numbers)
