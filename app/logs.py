"""What is written down. The only door to structlog.

One line a call, told by its exchange, and whatever else is worth a line. Never a body, never a key.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, BinaryIO, Protocol

import structlog

from app.core.call import Call, Route, Target
from app.core.errors import GatewayError
from app.core.exchange import Observer, Outcome
from app.core.json import dumps

_SHARED = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)
#: What would end a line, move a cursor or turn text around for whoever looks at it; JSON escapes the rest itself.
_UNSEEN: Mapping[int, str] = {
    number: f"\\u{number:04x}"
    for number in (*range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
_CONTROLS: Mapping[int, str] = {**{number: f"\\x{number:02x}" for number in range(0x20)}, **_UNSEEN}
_NANO = 9  # digits of dollars: as fine as any price of a single token


class Logger(Protocol):
    def info(self, event: str, **fields: object) -> None: ...


def configure(level: str, form: str) -> Logger:
    """Set up the whole process: ours and the standard library's lines go to stderr in one form.

    `level`: debug | info | warning | error; `form`: json | console.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    last: list[Any] = [structlog.processors.JSONRenderer(_text)]
    if form == "console":
        last = [_printable, structlog.dev.ConsoleRenderer(colors=False)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_SHARED],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    logging.getLogger("urllib3").setLevel(max(number, logging.ERROR))  # its warnings quote URLs
    if form == "json":
        return json_lines(sys.stderr.buffer, number)
    return _logger(structlog.PrintLoggerFactory(sys.stderr)(), [*_SHARED, *last], number)


def json_lines(file: BinaryIO, level: int) -> Logger:
    """A logger of its own, that writes a line of JSON an event."""
    return _logger(structlog.BytesLoggerFactory(file)(), [*_SHARED, structlog.processors.JSONRenderer(_bytes)], level)


def _logger(inner: object, processors: list[Any], level: int) -> Logger:
    logger: Logger = structlog.wrap_logger(
        inner, processors=processors, wrapper_class=structlog.make_filtering_bound_logger(level)
    ).bind()
    return logger


class Waits(Protocol):
    """For shared state: of one call, so far."""

    @property
    def waited(self) -> float: ...  # seconds

    @property
    def waits(self) -> int: ...


class CallLog:
    """Writes one line for each call, when it has ended."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def entry(self, call: Call, waits: Waits) -> Observer:
        return _Entry(self._logger, call, waits)

    def refused(self, call_id: str, operation: str, address: str, error: GatewayError) -> None:
        """Of a body that never became a Call: its tenant and model are not known, or not believed."""
        self._logger.info(
            "call",
            request_id=call_id,
            client=address,
            operation=operation,
            status=error.counts_as,
            error_type=error.type,
            param=error.param,
            attempts=[],
        )


class _Entry(Observer):
    __slots__ = ("_attempts", "_call", "_logger", "_model", "_waits")

    def __init__(self, logger: Logger, call: Call, waits: Waits) -> None:
        self._logger = logger
        self._call = call
        self._waits = waits
        self._model: str | None = None
        self._attempts: list[str] = []

    def on_route(self, route: Route) -> None:
        self._model = route.label

    def on_attempt(self, target: Target) -> None:
        self._attempts.append(target.name)

    def on_failure(self, target: Target, error: GatewayError) -> None:
        self._attempts[-1] = f"{target.name}: {error.type}"

    def on_end(self, outcome: Outcome) -> None:
        call, charged = self._call, outcome.charged
        self._logger.info(
            "call",
            request_id=call.id,
            client=call.address,
            operation=call.language.operation,
            tenant=call.tenant.name,
            key=call.tenant.key,
            model=self._model,
            provider=outcome.target.provider.name if outcome.target else None,
            stream=call.stream,
            status=outcome.status,
            error_type=outcome.error.type if outcome.error else None,
            attempts=self._attempts,
            input_tokens=charged.input,
            cached_input_tokens=charged.cached_input,
            output_tokens=charged.output,
            reasoning_tokens=charged.reasoning_output,
            guessed=outcome.guessed,
            cost_usd=round(outcome.cost, _NANO),
            provider_cost_usd=round(outcome.spent, _NANO),
            ttft=None if outcome.ttft is None else round(outcome.ttft, 4),
            seconds=round(outcome.seconds, 4),
            cache=outcome.cache,
            rescued=outcome.rescued,
            malformed=outcome.malformed,
            memcached_seconds=round(self._waits.waited, 4),
            memcached_waits=self._waits.waits,
            worker=os.getpid(),
        )


def _printable(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """For a terminal: a text that somebody else chose stays on its line, and has no colours."""
    for name, value in event.items():
        if isinstance(value, str) and not value.isprintable() and name != "exception":
            event[name] = value.translate(_CONTROLS)
    return event


def _bytes(event: object, **_: object) -> bytes:
    line = dumps(event, default=str)
    return line if line.isascii() and b"\x7f" not in line else line.decode().translate(_UNSEEN).encode()


def _text(event: object, **_: object) -> str:
    return _bytes(event).decode()
