"""What the tests of this room begin with."""

from __future__ import annotations

from pathlib import Path

from app.core.errors import ErrorType, GatewayError
from app.resilience.breaker import Admission, Breakers, Refusal, fingerprint
from app.resilience.records import CAPACITY, Records
from app.resilience.state import Breaking
from tests.clock import ManualClock

KEY, PROVIDER = "openai/gpt-4.1", "openai"


def error(error_type: ErrorType, *, retry_after: float | None = None, provider: str | None = PROVIDER) -> GatewayError:
    return GatewayError(error_type, "it went wrong", provider=provider, retry_after=retry_after)


SERVER_ERROR = error(ErrorType.SERVER_ERROR)


class Worker:
    """One process's view of the shared breakers, about one target unless said otherwise. No jitter unless chosen."""

    def __init__(
        self,
        directory: Path,
        clock: ManualClock,
        policy: Breaking | None = None,
        *,
        capacity: int = CAPACITY,
        chance: float = 0.5,
        credentials: str = "",
    ) -> None:
        self.clock = clock
        self.chance = chance
        self.records = Records(directory / "breakers", clock, capacity)
        self.keys = {PROVIDER: fingerprint(credentials)}
        self.turns: list[str] = []
        self.breakers = Breakers(
            self.records,
            policy or Breaking(),
            clock,
            self.keys,
            chance=lambda: self.chance,
            told=lambda provider, circuit: self.turns.append(f"{provider} {circuit.name}"),
        )

    def ask(self, key: str = KEY, provider: str = PROVIDER, *, waited: bool = False) -> Admission | Refusal:
        return self.breakers.ask(key, provider, waited=waited)

    def admitted(self, key: str = KEY, provider: str = PROVIDER, *, waited: bool = False) -> Admission:
        answer = self.ask(key, provider, waited=waited)
        assert isinstance(answer, Admission)
        return answer

    def refused(self, key: str = KEY, provider: str = PROVIDER) -> Refusal:
        answer = self.ask(key, provider)
        assert isinstance(answer, Refusal)
        return answer

    def succeed(self, times: int = 1) -> None:
        for _ in range(times):
            self.admitted().succeeded()

    def fail(self, times: int = 1, why: GatewayError = SERVER_ERROR, *, alone: bool = False) -> None:
        for _ in range(times):
            self.admitted().failed(why, alone=alone)

    def open(self) -> None:
        """By failures in a row, as many as the default takes."""
        self.fail(5)

    def half_open(self) -> None:
        self.open()
        self.clock.now += 5.01

    def close(self) -> None:
        self.records.close()
