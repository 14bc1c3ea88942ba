"""Ask one target after another until one starts to answer; commit at the first content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.core.call import Call, Route, Target
from app.core.clock import Clock
from app.core.errors import ErrorType, GatewayError, Next, invalid
from app.core.exchange import Batch, Exchange
from app.core.json import NotJson, loads
from app.core.language import Translation
from app.core.wire import Ask, Frame
from app.routing.stream import Bounds, Stream
from app.upstream.answer import Answer, Transport
from app.upstream.watch import Guard, Watch


@dataclass(frozen=True, slots=True)
class Attempts:
    transports: Mapping[str, Transport]  # by provider
    watch: Watch
    clock: Clock

    def first_answer(self, call: Call, route: Route, exchange: Exchange) -> Iterator[Batch]:
        """The batches of the first target that starts to answer; its first content is already there.

        Raises:
            GatewayError: the request itself is wrong, or no target answered: then the last failure.
        """
        able = self._able(call, route)
        if not able:
            return iter([[_unaided(call, route, exchange)]])
        guard = self.watch.begin(call.client)
        try:
            return self._first(call, able, exchange, guard)
        except BaseException:
            self.watch.end(guard)
            raise

    def _first(self, call: Call, targets: Sequence[Target], exchange: Exchange, guard: Guard) -> Iterator[Batch]:
        failure: GatewayError | None = None
        for target in targets:
            try:
                return self._ask(call, target, exchange, guard)
            except GatewayError as error:
                if error.provider is None:  # refused by us before anything was sent, or the client has left
                    raise
                failure = _as_seen_here(error, target)
                exchange.failure(target, failure)
                if failure.rule.next is not Next.YES:
                    raise failure from error
        if failure is None:
            raise GatewayError(ErrorType.NO_PROVIDER, "no provider is left to ask for this model")
        failure.gave_up = True
        raise failure

    def _able(self, call: Call, route: Route) -> Sequence[Target]:
        """The targets whose provider can be told this kind of call at all."""
        operation = call.language.operation
        return [t for t in route.targets if operation in t.provider.dialect.native or call.language.carried_by_chat]

    def _ask(self, call: Call, target: Target, exchange: Exchange, guard: Guard) -> Iterator[Batch]:
        provider = target.provider
        ask = Ask(
            operation=call.language.operation,
            body=call.body,
            stream=call.stream,
            wants_usage=call.stream and call.language.wants_usage(call.body),
            headers=call.headers,
            created=int(self.clock.time()),
            id=call.id,
        )
        translation: Translation | None = None
        if ask.operation not in provider.dialect.native:
            translation = call.language.through_chat(ask)
            ask = translation.ask
        request = provider.dialect.encode(ask, provider, target.model)
        exchange.dropped = (*(translation.dropped if translation else ()), *request.dropped)

        timeouts = target.timeouts
        deadline = min(timeouts.deadline, call.patience or timeouts.deadline)
        bounds = Bounds(target, call.began + deadline, guard, self.watch, self.clock)
        bounds.allow(timeouts.first_byte if call.stream else timeouts.first_byte_plain)
        exchange.attempt(target)
        answer = self.transports[provider.name].send(provider, request, timeouts.connect, guard)
        if answer.status != 200:
            raise provider.dialect.decode_error(provider, answer.status, answer.headers, answer.read())
        if not call.stream:
            frame = _whole(answer, ask, target, translation)
            bounds.end()
            return iter([[frame]])
        stream = Stream(answer, provider.dialect.reader(ask, provider), translation, bounds)
        stream.begin()
        return stream


def _unaided(call: Call, route: Route, exchange: Exchange) -> Frame:
    frame = call.language.unaided(call.body)
    if frame is None:
        what = call.language.operation
        raise invalid(f"no provider of model {route.label!r} offers {what}", "model", code="unsupported_operation")
    exchange.estimated = True
    return frame


def _whole(answer: Answer, ask: Ask, target: Target, translation: Translation | None) -> Frame:
    provider = target.provider
    body = answer.read()
    try:
        parsed = loads(body)
        if not isinstance(parsed, dict):
            raise ValueError("not an object")  # noqa: TRY004 - what decode raises, too
        frame = provider.dialect.decode(ask, provider, parsed)
    except ValueError as error:
        what = "is not JSON" if isinstance(error, NotJson) else "is not an answer"
        message = f"provider {provider.name} sent a body that {what}"
        raise GatewayError(ErrorType.INVALID_RESPONSE, message, provider=provider.name) from error
    if translation is not None:
        frame = translation.whole(frame)
    frame.last = True
    return frame


def _as_seen_here(error: GatewayError, target: Target) -> GatewayError:
    """A provider that does not know a model that we configured for it is our trouble, not the caller's."""
    if error.type is ErrorType.MODEL_NOT_FOUND and target.configured:
        message = f"provider {target.provider.name} does not know the model that is configured for it"
        return GatewayError(ErrorType.MODEL_NOT_FOUND, message, status=502, provider=target.provider.name)
    return error
