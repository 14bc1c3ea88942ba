"""What happens around the calls now and then: memcached has hiccups, and somebody changes the configuration."""

from __future__ import annotations

import itertools
import json
import os
import random
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.memcached import Memcached
from tests.soak.hour.watch import Spans

MEMCACHED = 20.0  # seconds between two hiccups, about
CONFIGURATION = 45.0  # between two changes
BAD = 5  # every so many changes, one that cannot be accepted comes first
SILENT = (0.1, 0.4, 2.5)  # seconds
GONE = 1.0


class Troubles:
    """Two threads, until `over`. `spans`: when it was memcached's turn."""

    def __init__(self, memcached: Memcached, file: Path, config: Mapping[str, Any], pace: float = 1.0) -> None:
        self._memcached = memcached
        self._file = file
        self._config = config
        self._pace = pace
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._hiccups), threading.Thread(target=self._changes)]
        self._failed: list[BaseException] = []
        self.spans = Spans()
        self.hiccups, self.changes = 0, 0

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Afterwards all is as it was."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _hiccups(self) -> None:
        chance = random.Random(7)
        while not self._over.wait(self._pace * MEMCACHED * chance.uniform(0.5, 1.5)):
            with self.spans.one():
                self.hiccups += 1
                if self.hiccups % 4:
                    self._memcached.stop()
                    self._over.wait(chance.choice(SILENT))
                    self._memcached.go_on()
                else:
                    self._memcached.kill()
                    self._over.wait(GONE)
                    self._memcached.start()

    def _changes(self) -> None:
        for number in itertools.count(1):
            if self._over.wait(self._pace * CONFIGURATION):
                break
            if number % BAD == 0:
                self._write({**self._config, "providers": {}})
                if self._over.wait(self._pace * 5):
                    break
            self._write({**self._config, "timeouts": {"deadline": 100 + number % 2}})
            self.changes += 1
        self._write(self._config)

    def _write(self, config: Mapping[str, Any]) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(config))
        os.replace(fresh, self._file)
