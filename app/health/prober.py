"""When whom is asked: each provider once an interval, each question in a thread of its own.

One thread looks at the clock and starts the others, so that a provider that hangs keeps nobody waiting. What the Guard
cannot wake, a name that is being looked up say, is counted as a timeout all the same and left behind until it ends.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from app.core.clock import Clock
from app.core.provider import Provider
from app.health import probe
from app.health.probe import Finding
from app.health.verdict import ENOUGH, Result
from app.upstream.client import HttpTransport
from app.upstream.watch import INTERVAL, Guard, Poll, Watch

log = logging.getLogger(__name__)

_SOON = 1.0  # seconds within which a provider is asked for the first time
_GRACE = 2 * INTERVAL  # seconds that a thread which was told to stop may take


@dataclass(frozen=True, slots=True)
class Probes:
    """What the probes of a provider have found so far."""

    counts: Mapping[Result, int]  # every result, the zeros too
    failed_in_a_row: int = 0
    last: Finding | None = None
    at: float = 0.0  # when that was known, monotonic
    time: float = 0.0  # the same in Unix seconds


@dataclass(slots=True)
class _Run:
    guard: Guard
    ends_at: float  # monotonic
    given_up: bool = False  # its result was not waited for


class _Line:
    """One provider, as long as its configuration does not change. Used under the Prober's lock."""

    def __init__(self, provider: Provider, url: str, transport: HttpTransport, due: float) -> None:
        self.provider = provider
        self.url = url
        self.transport = transport
        self.due = due  # monotonic, when it is asked next
        self.run: _Run | None = None
        self.found = Probes(dict.fromkeys(Result, 0))

    def note(self, finding: Finding, clock: Clock) -> None:
        failed = 0 if finding.result is Result.SUCCESS else self.found.failed_in_a_row + 1
        if failed == ENOUGH:
            log.warning("provider %s fails its health checks: %s", self.provider.name, finding.result)
        elif not failed and self.found.failed_in_a_row >= ENOUGH:
            log.warning("provider %s answers its health checks again", self.provider.name)
        counts = {**self.found.counts, finding.result: self.found.counts[finding.result] + 1}
        self.found = Probes(counts, failed, finding, clock.monotonic(), clock.time())


class Prober:
    """`poll` makes what `select.poll()` makes; `chance` gives 0 to 1."""

    def __init__(self, clock: Clock, poll: Callable[[], Poll], *, chance: Callable[[], float] = random.random) -> None:
        self._clock = clock
        self._poll = poll
        self._chance = chance
        self._watch = Watch(clock, poll())
        self._lock = threading.Lock()
        self._lines: dict[str, _Line] = {}
        self._interval = self._timeout = 1.0
        self._stopped = threading.Event()

    def adopt(self, wanted: Iterable[tuple[Provider, str]], interval: float, timeout: float) -> None:
        """Whom to ask from now on, and at which URL; how often, and for how long, in seconds.

        What is known of a provider stays known as long as it is configured as before.
        """
        with self._lock:
            self._interval, self._timeout = interval, timeout
            now = self._clock.monotonic()
            transport = HttpTransport(self._poll)  # a new one knows nothing of what a provider's name once stood for
            lines: dict[str, _Line] = {}
            for provider, url in wanted:
                line = self._lines.get(provider.name)
                if line is None or (line.provider, line.url) != (provider, url):
                    due = now + min(_SOON, interval) * self._chance()
                    line = _Line(provider, url, transport, due)
                line.due = min(line.due, now + interval)
                lines[provider.name] = line
            self._lines = lines

    def found(self) -> dict[str, Probes]:
        """By provider."""
        with self._lock:
            return {name: line.found for name, line in self._lines.items()}

    def start(self) -> None:
        threading.Thread(target=self._go, name="probes", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def look(self) -> None:
        """Once over everybody."""
        self._watch.look()
        with self._lock:
            now = self._clock.monotonic()
            for line in self._lines.values():
                run = line.run
                if run is not None and not run.given_up and now >= run.ends_at + _GRACE:
                    run.given_up = True
                    line.note(Finding(Result.TIMEOUT, None), self._clock)
                if now < line.due or (run is not None and not run.given_up):
                    continue
                line.due = now + self._interval * (0.9 + 0.2 * self._chance())
                if run is None:
                    self._begin(line, now)
                else:
                    line.note(Finding(Result.TIMEOUT, None), self._clock)  # the same question, still in the air

    def _begin(self, line: _Line, now: float) -> None:
        guard = self._watch.begin(None)
        guard.due = now + self._timeout
        run = _Run(guard, guard.due)
        thread = threading.Thread(target=self._ask, args=(line, run), name=f"probe {line.provider.name}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self._watch.end(guard)
            raise
        line.run = run

    def _ask(self, line: _Line, run: _Run) -> None:
        finding = None
        try:
            finding = probe.ask(line.transport, line.provider, line.url, self._timeout, run.guard)
        except Exception:  # our own mistake: it says nothing of the provider, and must not end its probes
            log.exception("probing provider %s failed", line.provider.name)
        finally:
            self._watch.end(run.guard)
            with self._lock:
                line.run = None
                if finding is not None and not run.given_up and self._lines.get(line.provider.name) is line:
                    line.note(finding, self._clock)

    def _go(self) -> None:
        while not self._stopped.wait(INTERVAL):
            try:
                self.look()
            except Exception:
                log.exception("a look at the probes failed")
