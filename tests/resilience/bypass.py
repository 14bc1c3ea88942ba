"""A witness that no call goes round its breaker: stands between a loop of attempts and its breakers and transports.

witness = Witness(breakers)
attempts = Attempts(breakers=witness, transports={"openai": witness.watch(transport)}, ...)
...
witness.check()
"""

from __future__ import annotations

from collections import Counter

from app.core.errors import GatewayError
from app.core.provider import Provider
from app.core.wire import UpstreamRequest
from app.resilience.breaker import Admission, Breakers, Refusal
from app.upstream.answer import Answer, Transport
from app.upstream.watch import Guard


class Witness(Breakers):
    """Each admission is good for one request to its provider, and must be ended."""

    def __init__(self, breakers: Breakers) -> None:
        self._breakers_seen = breakers
        self._unused: Counter[str] = Counter()
        self._open: set[_Seen] = set()
        self._bypassed: list[str] = []
        self.asked = self.sent = 0

    def ask(self, key: str, provider: str, *, waited: bool = False) -> Admission | Refusal:
        self.asked += 1
        answer = self._breakers_seen.ask(key, provider, waited=waited)
        if isinstance(answer, Refusal):
            return answer
        seen = _Seen(answer, self._open)
        self._unused[provider] += 1
        return seen

    def admits(self, key: str, provider: str) -> bool:
        return self._breakers_seen.admits(key, provider)

    def watch(self, transport: Transport) -> Transport:
        return _Watched(transport, self)

    def check(self) -> None:
        """After the calls: every request was admitted, and every admission has its verdict."""
        assert not self._bypassed, f"sent without asking the breaker: {self._bypassed}"
        assert not self._open, f"{len(self._open)} admissions were never ended"
        assert self.sent, "nothing was sent at all, so this proves nothing"

    def send(self, provider: str) -> None:
        self.sent += 1
        if self._unused[provider] > 0:
            self._unused[provider] -= 1
        else:
            self._bypassed.append(provider)


class _Seen(Admission):
    __slots__ = ("_among", "_inner")

    def __init__(self, inner: Admission, among: set[_Seen]) -> None:
        self._inner = inner
        self._among = among
        among.add(self)

    @property
    def probe(self) -> bool:
        return self._inner.probe

    def succeeded(self) -> None:
        self._among.discard(self)
        self._inner.succeeded()

    def failed(self, error: GatewayError, *, alone: bool) -> None:
        self._among.discard(self)
        self._inner.failed(error, alone=alone)

    def abandoned(self) -> None:
        self._among.discard(self)
        self._inner.abandoned()


class _Watched:
    def __init__(self, transport: Transport, witness: Witness) -> None:
        self._transport = transport
        self._witness = witness

    def send(self, provider: Provider, request: UpstreamRequest, connect: float, guard: Guard) -> Answer:
        self._witness.send(provider.name)
        return self._transport.send(provider, request, connect, guard)
