"""Whether a call may go on, and what it gives back when it is over.

A call takes what it needs from every limit that it falls under, in one round trip, and looks what there is then. If it
is too much for one of them, it gives everything back and is refused: refused calls cost nothing. Adding before looking
is what makes the limit exact however many processes do it at the same time.

Where nobody can be asked, or not everybody has agreed yet after an outage, each process keeps to its own share.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from app.core.call import Call, Route
from app.core.clock import Clock
from app.core.errors import ErrorType, GatewayError, Status, invalid
from app.core.exchange import Exchange, Observer, Outcome
from app.limits.cost import Guess, Outputs, guess, used
from app.limits.headers import headers
from app.limits.parts import Excess, Inside, Limit, Part, Rate, What
from app.limits.place import Place
from app.limits.window import Window
from app.store.store import Store

Hit = Callable[[str, str], None]  # (tenant, limit_type)


@dataclass(frozen=True, slots=True)
class Allowance:
    """None is no limit. Requests and tokens are of any 60 seconds."""

    requests: int | None = None
    tokens: int | None = None
    concurrent: int | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a tenant may use in all, and of the models that have limits of their own; a trailing * is a pattern."""

    all: Allowance = Allowance()
    models: Mapping[str, Allowance] = field(default_factory=dict)

    def of(self, model: str) -> list[tuple[str, Allowance]]:
        """What a call of this model falls under: ("", all of them together) and (name in `models`, its own)."""
        own = model if model in self.models else None
        if own is None:
            patterns = [name for name in self.models if name.endswith("*") and model.startswith(name[:-1])]
            own = max(patterns, key=len, default=None)
        found = [("", self.all)] if own is None else [("", self.all), (own, self.models[own])]
        return [(name, allowance) for name, allowance in found if allowance != Allowance()]


class Books:
    """What a process has counted, whatever the configuration."""

    def __init__(self, clock: Clock) -> None:
        self.outputs = Outputs()
        self._clock = clock
        self._places: dict[str, Place] = {}

    def place(self, tenant: str) -> Place:
        found = self._places.get(tenant)
        return found if found is not None else self._places.setdefault(tenant, Place(tenant, self._clock))

    def tick(self, store: Store) -> None:
        """Once a second, where the store is shared."""
        for place in tuple(self._places.values()):
            place.tick(store, int(self._clock.time()))


@dataclass(frozen=True, slots=True)
class Limits:
    """`processes`: how many there are, each of which has its share when it cannot ask."""

    tenants: Mapping[str, Allowed]
    default: Allowed  # of who is not among them
    processes: int
    hit: Hit
    books: Books
    clock: Clock

    def admit(self, call: Call, route: Route, exchange: Exchange, store: Store) -> None:
        """Let a call in, and hear when it is over. The answer's headers say what is left. `store`: the call's.

        Raises:
            GatewayError: rate_limited; invalid_request where the input alone is more than a minute may have.
        """
        tenant = call.tenant.name
        rules = self.tenants.get(tenant, self.default).of(route.model)
        if not rules:
            return
        cost = Guess(0, 0)
        if any(allowance.tokens is not None for _, allowance in rules):
            cost = guess(call, self.books.outputs.mean(route.label))
            _check_input(call, cost, rules)
        admission = Admission(self, store, self.books.place(tenant), route.label, cost)
        excess = admission.try_in(rules, self.clock.time())
        exchange.headers.update(admission.headers(is_in=excess is None))
        if excess is not None:
            self.hit(tenant, excess.what)
            raise _refusal(tenant, excess)
        exchange.join(admission)


class Admission(Observer):
    """What a call has taken, until it is over."""

    def __init__(self, limits: Limits, store: Store, place: Place, label: str, cost: Guess) -> None:
        self._limits = limits
        self._store = store
        self._place = place
        self._label = label
        self._cost = cost
        self._parts: list[Part] = []
        self._tokens: list[Rate] = []
        self._rates: list[Rate] = []
        self._insides: list[Inside] = []
        self._is_counted = False  # by the store

    def try_in(self, rules: Sequence[tuple[str, Allowance]], now: float) -> Excess | None:
        """None: it is in. Otherwise nothing of it is left."""
        place, store = self._place, self._store
        if store.is_shared and place.number is None and any(rule.concurrent is not None for _, rule in rules):
            place.join(store)
        with place.lock:
            place.used_at = int(now)
            self._take_apart(rules, now)
            excess = _first([part.certain() for part in self._parts])
        if excess is None:
            excess = self._ask(store) if store.is_shared else self._alone()
        with place.lock:
            if excess is None:
                for rate in self._rates:
                    rate.window.put(rate.second, rate.cost, counted=self._is_counted)
                return None
            undo = [step for part in self._parts for step in part.leave()]
        if undo:
            place.tell(store, undo, counts_calls=bool(self._insides))
        return excess

    def headers(self, *, is_in: bool) -> dict[str, str]:
        with self._place.lock:
            return headers([part.standing(is_in=is_in) for part in self._parts])

    def on_end(self, outcome: Outcome) -> None:
        if outcome.usage is not None and outcome.status is Status.SUCCESS:
            self._limits.books.outputs.note(self._label, outcome.usage.output)
        tokens, second = used(self._cost, outcome), int(self._limits.clock.time())
        place = self._place
        store = self._store
        is_counted = self._is_counted and not store.gone()  # or the store hears of it all when it can be asked
        changes: list[tuple[Window, int, int]] = []
        with place.lock:
            place.used_at = second
            for rate in self._tokens:
                if (change := rate.settle(tokens, second)) is not None:
                    rate.window.put(*change, counted=is_counted)
                    changes.append((rate.window, *change))
            released = [step for inside in self._insides for step in inside.leave()]
        if store.is_shared:
            place.settle(store, changes if is_counted else (), released)

    def _take_apart(self, rules: Sequence[tuple[str, Allowance]], now: float) -> None:
        tokens = self._cost.input + self._cost.output
        for model, allowance in rules:
            subject = self._place.subject(model)
            if (most := allowance.requests) is not None:
                self._rates.append(Rate(subject.requests, self._limit(What.REQUESTS, model, most), 1, now))
            if (most := allowance.tokens) is not None:
                self._tokens.append(Rate(subject.tokens, self._limit(What.TOKENS, model, most), tokens, now))
            if (most := allowance.concurrent) is not None:
                self._insides.append(Inside(self._place, subject, self._limit(What.CONCURRENCY, model, most)))
        self._rates += self._tokens
        self._parts = [*self._rates, *self._insides]

    def _limit(self, what: What, model: str, most: int) -> Limit:
        return Limit(what, model, most, share=max(1, most // self._limits.processes))

    def _ask(self, store: Store) -> Excess | None:
        place, counts_calls = self._place, bool(self._insides)
        with place.lock:
            asked = [list(part.steps()) for part in self._parts]
        numbers = place.ask(store, [step for steps in asked for step in steps], counts_calls)
        if numbers is None:
            return self._alone()
        rest = iter(numbers)
        answers = [list(islice(rest, len(steps))) for steps in asked]
        for steps, answer in zip(asked, answers, strict=True):
            if steps and steps[0].first is not None and answer[0] is None:  # the server has no room for a counter
                return self._alone()
        self._is_counted = True
        for part, answer in zip(self._parts, answers, strict=True):
            if more := part.more():
                answer.extend(place.ask(store, more) or ())
        with place.lock:
            excess = _first([part.heard(iter(answer)) for part, answer in zip(self._parts, answers, strict=True)])
        return self._alone() if excess is None and not place.is_agreed else excess

    def _alone(self) -> Excess | None:
        with self._place.lock:
            return _first([part.alone() for part in self._parts])


def _first(found: Iterable[Excess | None]) -> Excess | None:
    """The one that takes longest to have room again, since the call needs all of them."""
    longest = None
    for excess in found:
        if excess is not None and (longest is None or excess.room_in > longest.room_in):
            longest = excess
    return longest


def _check_input(call: Call, cost: Guess, rules: Sequence[tuple[str, Allowance]]) -> None:
    for model, allowance in rules:
        if allowance.tokens is not None and cost.input > allowance.tokens:
            field = next((name for name in ("messages", "input", "prompt") if name in call.body), None)
            raise invalid(
                f"the input has about {cost.input} tokens; {_who(call.tenant.name, model)} has {allowance.tokens}"
                " in any 60 seconds",
                field,
            )


def _refusal(tenant: str, excess: Excess) -> GatewayError:
    unit = "calls at a time" if excess.what is What.CONCURRENCY else f"{excess.what} in any 60 seconds"
    wait = max(1.0, excess.room_in)
    message = f"{_who(tenant, excess.model)} is limited to {excess.limit} {unit}; try again in {math.ceil(wait)} s"
    return GatewayError(ErrorType.RATE_LIMITED, message, retry_after=wait)


def _who(tenant: str, model: str) -> str:
    return f"tenant {tenant} with model {model}" if model else f"tenant {tenant}"
