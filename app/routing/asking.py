"""One attempt at one target: translate, send, and wait for the answer to begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from app.core.attempt import Attempt
from app.core.call import Call, Target
from app.core.clock import Clock
from app.core.errors import ErrorType, GatewayError
from app.core.exchange import Batch, Exchange
from app.core.json import NotJson, loads
from app.core.language import Translation
from app.core.wire import Ask, Frame
from app.routing.stream import Bounds, Judge, Stream
from app.upstream.answer import Answer, Transport
from app.upstream.watch import Guard, Watch

SHORTEST = 0.001  # seconds for a connection: less is taken for none
MOST_NAMES, LONGEST_NAME = 100, 64  # of dropped fields, to be told and kept: clients send thousands, pages long


@dataclass(frozen=True, slots=True)
class Asker:
    transports: Mapping[str, Transport]  # by provider
    watch: Watch
    clock: Clock

    def able(self, call: Call, target: Target) -> bool:
        """Whether this target's provider can be told this kind of call at all."""
        return call.language.carried_by_chat or call.language.operation in target.provider.dialect.native

    def ends_at(self, call: Call, target: Target) -> float:
        """When this call must be over if this target answers it (monotonic)."""
        deadline = target.timeouts.deadline
        return call.began + (deadline if call.patience is None else min(deadline, call.patience))

    def impatient(self, call: Call, error: GatewayError) -> bool:
        """Whether it was the client's own patience that ended: that says nothing of the target."""
        if call.patience is None or not (error.silent or error.type is ErrorType.TIMEOUT):
            return False
        return self.clock.monotonic() >= call.began + call.patience

    def ask(self, call: Call, target: Target, exchange: Exchange, guard: Guard, judge: Judge) -> Iterator[Batch]:
        """The batches of this target's answer; its first content is already there.

        Raises:
            GatewayError: with a provider if the attempt failed, without if it was never made.
        """
        provider = target.provider
        ask = Ask(
            operation=call.language.operation,
            body=call.body,
            stream=call.stream,
            wants_usage=call.stream and call.language.wants_usage(call.body),
            headers=call.headers,
            created=int(self.clock.time()),
            max_output=target.max_output,
            id=call.id,
        )
        translation: Translation | None = None
        if ask.operation not in provider.dialect.native:
            told = replace(ask, body={**ask.body, "model": target.model}, marks=provider.dialect.marks)
            translation = call.language.through_chat(told)
            ask = translation.ask
        request = provider.dialect.encode(ask, provider, target.model)
        dropped = request.dropped if translation is None else _named(translation, request.dropped)
        exchange.dropped = tuple(name[:LONGEST_NAME] for name in dropped[:MOST_NAMES])

        timeouts = target.timeouts
        attempt = exchange.attempt(target)
        guard.renew()
        bounds = Bounds(attempt, self.ends_at(call, target), guard, self.watch, self.clock)
        if call.stream:
            bounds.allow_first()
        else:
            bounds.allow(timeouts.first_byte_plain)
        connect = min(timeouts.connect, max(SHORTEST, guard.due - self.clock.monotonic()))
        answer = self.transports[provider.name].send(provider, request, connect, guard)
        if answer.status != 200:
            raise provider.dialect.decode_error(provider, answer.status, answer.headers, answer.read())
        if call.stream:
            reader = provider.dialect.reader(ask, provider)
            stream = Stream(
                answer, reader, translation, bounds, framing=request.framing, judge=judge, skipped=exchange.skipped
            )
            stream.begin()
            return stream
        frame = _whole(answer, ask, attempt, translation, self.clock)
        bounds.end()
        judge.succeeded()
        return iter([[frame]])


def _named(translation: Translation, dropped: tuple[str, ...]) -> tuple[str, ...]:
    """Everything that was lost on the way, as the client calls it."""
    called = translation.called
    return (*translation.dropped, *(called.get(name, name) for name in dropped))


def _whole(answer: Answer, ask: Ask, attempt: Attempt, translation: Translation | None, clock: Clock) -> Frame:
    provider = attempt.target.provider
    body = answer.read()
    attempt.ended = clock.monotonic()
    try:
        parsed = loads(body)
        if not isinstance(parsed, dict):
            raise ValueError("not an object")  # noqa: TRY004 - what decode raises, too
        frame = provider.dialect.decode(ask, provider, parsed)
    except ValueError as error:
        what = "is not JSON" if isinstance(error, NotJson) else "is not an answer"
        message = f"provider {provider.name} sent a body that {what}"
        raise GatewayError(ErrorType.INVALID_RESPONSE, message, provider=provider.name) from error
    attempt.usage, attempt.chars, attempt.complete = frame.usage, frame.chars, True
    if translation is not None:
        frame = translation.whole(frame)
    frame.last = True
    return frame
