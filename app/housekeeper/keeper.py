"""The life of a housekeeper: from its lock to the end of the last worker."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping

from app import logs
from app.config.settings import MetricsS, Settings
from app.config.sources import Sources
from app.core.clock import SystemClock
from app.core.process import lives
from app.core.version import version
from app.health.health import Health, ProviderHealth
from app.health.report import report, report_targets
from app.housekeeper import doors
from app.housekeeper.pages import Pages
from app.housekeeper.watch import Watch
from app.instance import configuration
from app.instance.environment import Address
from app.instance.published import Published
from app.instance.rundir import RunDir
from app.metrics import slots
from app.metrics.exposition import Exposition, Facts
from app.metrics.health import ProviderFacts

log = logging.getLogger(__name__)

_LOOK = 0.5  # seconds
_ALONE = 10.0  # seconds without a worker though the master seems to live: its process id may be another's by now


class Keeper:
    def __init__(self, run_dir: RunDir, lock: int, master: int, metrics: Address, environ: Mapping[str, str]) -> None:
        self._run_dir = run_dir
        self._lock = lock
        self._master = master
        self._address = metrics
        self._since = time.time()
        self._serving = False
        self._trouble: str | None = None
        self._seen_a_worker = time.monotonic()
        listeners = configuration.listeners(run_dir)

        def accept(sources: Sources) -> Settings:
            return configuration.accept(sources, environ, listeners, metrics)

        self._watch = Watch(Published(run_dir.config), accept, environ)
        self._health = Health(run_dir.breakers, SystemClock())
        self._pages = Pages(Exposition(run_dir.metrics, self._facts), self._metrics, self._state)

    def run(self) -> None:
        """Returns when there is nobody left to keep house for."""
        self._adopt(self._watch.settings)
        self._health.start()
        doors.open_unix(self._run_dir.socket, self._pages.private)
        while self._needed():
            if not self._serving:
                self._open()
            before = self._watch.settings
            try:
                self._watch.look()
            except Exception:
                log.exception("looking at the configuration failed")
            if self._watch.settings is not before:
                self._adopt(self._watch.settings)
            time.sleep(_LOOK)

    def _needed(self) -> bool:
        try:
            if not os.path.samestat(os.fstat(self._lock), self._run_dir.housekeeper.stat()):
                return False  # another instance has emptied the directory
        except OSError:
            return False
        now = time.monotonic()
        if slots.held(self._run_dir.metrics):
            self._seen_a_worker = now
            return True
        return lives(self._master) and now - self._seen_a_worker < _ALONE

    def _open(self) -> None:
        try:
            doors.open_tcp(self._address, self._pages.public)
        except OSError as error:
            trouble = f"{self._address} cannot be opened: {error.strerror or error}"
            if trouble != self._trouble:
                log.error("metrics are served on the gateway's own port only: %s", trouble)  # noqa: TRY400 - no news
            self._trouble = trouble
        else:
            self._serving, self._trouble = True, None

    def _metrics(self) -> MetricsS:
        return self._watch.settings.metrics

    def _facts(self) -> Facts:
        watch = self._watch
        exits = slots.exits(self._run_dir.metrics)
        return Facts(
            version(),
            exits,
            watch.settings.providers,
            config_is_good=watch.trouble is None,
            config_since=watch.since,
            health={name: _counted(health) for name, health in self._health.providers().items()},
        )

    def _state(self) -> dict[str, object]:
        trouble = self._watch.trouble
        return {
            "pid": os.getpid(),
            "since": self._since,
            "degraded": self._trouble is not None or trouble is not None,
            "config": {
                "hash": self._watch.hash,
                "error": trouble and {"message": trouble.message, "since": trouble.since},
            },
            "providers": report(self._health.providers(), time.monotonic()),
            "targets": report_targets(self._health.targets()),
            "metrics": {"address": str(self._address), "serving": self._serving, "error": self._trouble},
            "workers": [
                {"slot": slot, "pid": int(pid or 0), "state": state or "booting"}
                for slot, said in slots.held(self._run_dir.metrics).items()
                for pid, _, state in [said.partition(" ")]
            ],
        }

    def _adopt(self, settings: Settings) -> None:
        """In its own life, too: a configuration that cannot be watched is still published, merged and served."""
        logs.configure(settings.logging.level, settings.logging.format)
        try:
            self._health.adopt(settings)
        except Exception:
            log.exception("the providers of this configuration cannot be watched")


def _counted(health: ProviderHealth) -> ProviderFacts:
    probes = health.probes
    checks = {str(result): count for result, count in probes.counts.items()} if probes else {}
    return ProviderFacts(health.well, health.circuit, checks, probes.time if probes and probes.last else None)
