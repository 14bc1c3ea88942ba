"""Calls, processes and a clock for the tests of limits. The store is real; only time is made up."""

from __future__ import annotations

from collections import Counter
from typing import Any

from app.core.attempt import Attempt
from app.core.call import Call, Route, Target, Tenant
from app.core.errors import GatewayError
from app.core.exchange import Exchange
from app.core.usage import Usage
from app.core.wire import Frame
from app.limits.limits import Allowance, Allowed, Books, Limits
from app.providers import registry
from app.store.ending import Ending
from app.store.store import Store
from app.surfaces import LANGUAGES
from tests.clock import ManualClock

TARGET = Target(registry.build("alpha", "openai"), "m")
BODY = {"messages": [{"role": "user", "content": "x" * 392}], "max_tokens": 50}  # 392 + 4 bytes: 99 tokens, and 50


class Process:
    """A worker with limits of its own over a store that others may share."""

    def __init__(
        self,
        store: Store,
        clock: ManualClock,
        *,
        processes: int = 1,
        tenant: str = "acme",
        models: dict[str, Allowance] | None = None,
        books: Books | None = None,
        **limits: int,
    ) -> None:
        self.hits: Counter[str] = Counter()
        self.clock = clock
        self.store = store
        self.books = books or Books(clock)
        self.limits = Limits(
            tenants={tenant: Allowed(Allowance(**limits), models or {})},
            default=Allowed(),
            processes=processes,
            hit=lambda tenant, what: self.hits.update([what]),
            books=self.books,
            clock=clock,
        )
        self._tenant = tenant

    def call(self, body: dict[str, Any] | None = None, model: str = "m", path: str = "/v1/chat/completions") -> Running:
        """Let one in. Raises GatewayError."""
        call = Call(
            id="req_1",
            language=LANGUAGES[path],
            model=model,
            body=BODY if body is None else body,
            stream=False,
            tenant=Tenant(self._tenant),
            headers={},
            patience=None,
            began=self.clock.monotonic(),
        )
        exchange = Exchange(call, self.clock)
        store = self.store.for_call()
        exchange.join(Ending(store))
        try:
            self.limits.admit(call, Route(model, model, (TARGET,)), exchange, store)
        except GatewayError as error:
            exchange.end(error)
            raise
        return Running(exchange)

    def admits(self, **more: Any) -> bool:
        """Whether one more call is let in; it ends at once, with 0 tokens if there was no provider to ask."""
        try:
            self.call(**more).ends()
        except GatewayError as error:
            if error.status != 429:
                raise
            return False
        return True

    def tick(self) -> None:
        self.books.tick(self.store)


class Running:
    """A call that is inside."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self._attempt: Attempt | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {name.removeprefix("x-ratelimit-"): value for name, value in self.exchange.headers.items()}

    def asks(self) -> Running:
        self._attempt = self.exchange.attempt(TARGET)
        return self

    def says(self, chars: int, usage: Usage | None = None) -> Running:
        if self._attempt is not None:
            self._attempt.chars += chars
            self._attempt.usage = usage
        self.exchange.batch([Frame({}, chars=chars, usage=usage)])
        return self

    def ends(self, error: GatewayError | None = None) -> None:
        self.exchange.end(error)

    def answers(self, input: int, output: int) -> None:
        """Asks a provider, who says this and counts so many tokens."""
        self.asks().says(4 * output, Usage(input, output)).ends()


def hire(store: Store, clock: ManualClock, tenant: str, count: int = 2, **limits: Any) -> list[Process]:
    return [Process(store, clock, tenant=tenant, processes=count, **limits) for _ in range(count)]
