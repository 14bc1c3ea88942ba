"""The configuration in force: published once it was found good, so that all workers build the same gateway.

What is published is opaque here: bytes under a hash. A file named after the hash is written first, then a `current`
that names it is renamed into place: a reader sees the old one or the new one, whole. Files are their owner's alone
(0600): the content of secrets is in them.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.core import json
from app.instance.rundir import try_lock


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with the newest configuration, while an older one is in force."""

    hash: str  # of the bad one; empty where it could not even be read
    message: str
    since: float  # Unix seconds


@dataclass(frozen=True, slots=True)
class Published:
    directory: Path

    def hash(self) -> str | None:
        """Of what is in force; None before the first good start."""
        try:
            return (self.directory / "current").read_text()
        except FileNotFoundError:
            return None

    def current(self) -> tuple[str, bytes] | None:
        """Hash and bytes of what is in force."""
        for _ in range(100):  # what `current` named may have been replaced before it was read
            name = self.hash()
            if name is None:
                return None
            with contextlib.suppress(FileNotFoundError):
                return name, (self.directory / name).read_bytes()
        raise FileNotFoundError(f"{self.directory} names a configuration that is not there")

    def since(self) -> float:
        """Unix seconds: when what is in force was published."""
        return (self.directory / "current").stat().st_mtime

    def publish(self, name: str, content: bytes) -> None:
        """Only with `alone()` held, or by the housekeeper once there is one."""
        self._write(name, content)
        self._write("current", name.encode())
        for path in self.directory.iterdir():
            if len(path.name) == len(name) and path.name != name:
                path.unlink()

    def trouble(self) -> Trouble | None:
        try:
            return Trouble(**json.loads((self.directory / "config-error.json").read_bytes()))
        except FileNotFoundError:
            return None

    def say(self, trouble: Trouble | None) -> None:
        """Note what is wrong, or that nothing is any more."""
        if trouble is None:
            (self.directory / "config-error.json").unlink(missing_ok=True)
        else:
            content = {"hash": trouble.hash, "message": trouble.message, "since": trouble.since}
            self._write("config-error.json", json.dumps(content))

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """At a cold start all workers come at once, and one of them checks and publishes."""
        while (fd := try_lock(self.directory / "lock")) is None:
            time.sleep(0.02)
        try:
            yield
        finally:
            os.close(fd)

    def _write(self, name: str, content: bytes) -> None:
        fresh = self.directory / f"{name}.new"
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with open(fd, "wb") as file:
                file.write(content)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
        fresh.rename(self.directory / name)
