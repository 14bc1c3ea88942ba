"""A worker's place in its instance: what create_app needs of the processes around it."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from app.config.load import locate, read_sources, settings_of
from app.config.problems import ConfigError
from app.config.settings import Settings
from app.config.sources import Sources
from app.instance import configuration, environment, private
from app.instance.failing import exit_code
from app.instance.housekeeping import Housekeeping
from app.instance.published import Published, Trouble
from app.instance.rundir import RunDir
from app.instance.server import THREADS, WAITING
from app.instance.tick import Tick
from app.metrics import slots
from app.metrics.slots import DRAINING, REPLACED, Slot

log = logging.getLogger(__name__)

_PAUSE = 10.0  # seconds before a published configuration that could not be built is tried again

Swap = Callable[[Settings, str], None]


class Member:
    def __init__(self, run_dir: RunDir, slot: Slot, environ: Mapping[str, str], found: environment.Environment):
        self.run_dir = run_dir
        self.slot = slot
        self._environ = environ
        self._metrics = found.metrics
        self._has_threads = found.worker_class == "gthread"
        self._published = Published(run_dir.config)
        self._hash: str | None = None
        self._failed: str | None = None
        self._not_before = 0.0

    @property
    def workers(self) -> int:
        """How many this instance has, when all are there."""
        return environment.read(self._environ).workers

    def configuration(self) -> tuple[Settings, str]:
        """What is in force, and its hash. At a cold start this checks and publishes it first.

        Ends the process, and with it the start of the service, if the very first one is bad.
        """
        found = self._published.current()
        if found is None:
            with self._published.alone():
                found = self._published.current() or self._first()
        self._hash, content = found
        return settings_of(Sources.from_bytes(content), self._environ), self._hash

    def watch(self, swap: Swap, *jobs: Callable[[], object]) -> Tick:
        """Start the tick: whenever another configuration comes into force, `swap` is called with it and its hash.

        `jobs` are done along with that, once a second.
        """

        def look() -> None:
            self._look(swap)

        tick = Tick([Housekeeping(self.run_dir, self._environ).ensure, look, *jobs])
        tick.start()
        return tick

    def fitted(self, settings: Settings) -> Settings:
        """As this worker can keep them: one of gthread takes no more calls than it has threads."""
        if not self._has_threads:
            return settings
        given = settings.server
        room = {"max_in_flight": min(given.max_in_flight, THREADS), "queue": min(given.queue, WAITING)}
        return settings.model_copy(update={"server": given.model_copy(update=room)})

    def relay(self, path: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        """Ask the housekeeper: status, headers (lower-case names), body. Raises OSError when it is gone."""
        return private.get(self.run_dir.socket, path, headers)

    def trouble(self) -> str | None:
        """What is wrong with the newest configuration, None where nothing is."""
        found = self._published.trouble()
        return found.message if found else None

    def homeless(self) -> bool:
        """Whether somebody has taken the run directory away."""
        return not self.slot.is_there()

    def draining(self) -> bool:
        """Whether the instance ends. In a reload this worker is told to stop, too, but there are others."""
        if self.slot.marked() != DRAINING:
            return False
        return all(said.endswith((DRAINING, REPLACED)) for said in slots.held(self.slot.directory).values())

    def _first(self) -> tuple[str, bytes]:
        if self._published.trouble() is not None:
            sys.exit(exit_code(self.run_dir))  # another worker has said why
        try:
            sources = read_sources(locate(self._environ, Path.cwd()), self._environ)
            configuration.accept(sources, self._environ, configuration.listeners(self.run_dir), self._metrics)
        except ConfigError as error:
            self._published.say(Trouble("", str(error), time.time()))
            print(f"\n{error}\n", file=sys.stderr, flush=True)
            sys.exit(exit_code(self.run_dir))
        self._published.publish(sources.hash, sources.to_bytes())
        return sources.hash, sources.to_bytes()

    def _look(self, swap: Swap) -> None:
        name = self._published.hash()
        if name is None or name == self._hash or (name == self._failed and time.monotonic() < self._not_before):
            return
        found = self._published.current()
        assert found is not None, "what was published once stays"  # noqa: S101 - narrows the type
        name, content = found
        try:
            swap(settings_of(Sources.from_bytes(content), self._environ), name)
        except Exception:
            self._failed, self._not_before = name, time.monotonic() + _PAUSE
            raise
        self._hash = name
        log.info("configuration %s is in force", name[:12])


def attach() -> Member:
    """The instance that this worker belongs to, by its environment. Raises RuntimeError outside of a worker."""
    if "GATEWAY_SLOT" not in os.environ:
        raise RuntimeError("this is no worker of a gateway; start one with: gunicorn -c gunicorn.conf.py wsgi:app")
    found = environment.read(os.environ)
    run_dir = RunDir(found.run_dir)
    number, _, fd = os.environ["GATEWAY_SLOT"].partition(":")
    slot = Slot(run_dir.metrics, int(number), int(fd))
    return Member(run_dir, slot, os.environ, found)
