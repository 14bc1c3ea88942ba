"""The configuration as it lies on disk: looked at twice a second, and published where it is good.

What is compared is content, of the file and of every file that it names: links that are turned to other files, as
Kubernetes does it, change no time of a file. A bad one changes nothing but what is said about it.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from app.config.document import MAX_BYTES
from app.config.load import locate, read_sources, settings_of
from app.config.problems import ConfigError
from app.config.settings import Settings
from app.config.sources import Sources
from app.instance.published import Published, Trouble

log = logging.getLogger(__name__)

_SETTLE = 0.1  # seconds that a new content must last: nobody wants the half that an editor has written so far


class Watch:
    """`accept` judges, and raises ConfigError. `environ` and the working directory are those of the workers."""

    def __init__(self, published: Published, accept: Callable[[Sources], Settings], environ: Mapping[str, str]) -> None:
        self._published = published
        self._accept = accept
        self._environ = environ
        found = published.current()
        assert found is not None, "a housekeeper is started after the first good start"  # noqa: S101 - narrows the type
        self.hash, content = found
        self._sources = Sources.from_bytes(content)
        self.settings = settings_of(self._sources, environ)
        self._trouble = published.trouble()
        self._seen: tuple[bytes, Sources] | None = None

    @property
    def trouble(self) -> Trouble | None:
        """What is wrong with the newest configuration, while an older one is in force."""
        return self._trouble

    @property
    def since(self) -> float:
        """Unix seconds: when the configuration in force was published."""
        return self._published.since()

    def look(self) -> None:
        """Publish what is new, or say what is wrong with it."""
        sources = self._read()
        if not self._is_news(sources):
            return
        time.sleep(_SETTLE)
        again = self._read()
        if isinstance(again, Sources) and isinstance(sources, Sources) and again.hash != sources.hash:
            return  # still being written
        if isinstance(again, ConfigError):
            self._refuse("", again)
        elif again.hash == self.hash:
            self._relax()
        else:
            self._judge(again)

    def _is_news(self, sources: Sources | ConfigError) -> bool:
        known = self._trouble
        if isinstance(sources, ConfigError):
            return known is None or known.message != str(sources)
        if sources.hash == self.hash:
            return known is not None
        return known is None or known.hash != sources.hash

    def _judge(self, sources: Sources) -> None:
        try:
            settings = self._accept(sources)
        except ConfigError as error:
            self._refuse(sources.hash, error)
            return
        try:
            self._published.publish(sources.hash, sources.to_bytes())
        except OSError as error:
            self._wait(sources.hash, error)
            return
        self.hash, self.settings, self._sources = sources.hash, settings, sources
        self._relax()
        log.info("configuration %s is good and published", self.hash[:12])

    def _wait(self, hash_: str, error: OSError) -> None:
        """It is good, and there is no room for it: look again and again, but say so once."""
        message = f"the run directory cannot take the configuration: {error.strerror}"
        if self._trouble is not None and self._trouble.message == message:
            return
        log.error("%s; %s stays in force", message, self.hash[:12])
        self._trouble = Trouble("", message, time.time())
        with contextlib.suppress(OSError):
            self._published.say(self._trouble)

    def _refuse(self, hash_: str, error: ConfigError) -> None:
        self._trouble = Trouble(hash_, str(error), time.time())
        with contextlib.suppress(OSError):
            self._published.say(self._trouble)
        log.error("the configuration on disk is not taken over, %s stays in force: %s", self.hash[:12], error)

    def _relax(self) -> None:
        self._trouble = None
        self._published.say(None)

    def _read(self) -> Sources | ConfigError:
        """The same text names the same files: only a new one is parsed for them."""
        try:
            origin = self._sources.origin
            path = Path(origin) if origin else locate(self._environ, Path.cwd())
            if path is None:
                return read_sources(None, self._environ)
            raw = _raw(path)
            if raw is not None and self._seen is not None and self._seen[0] == raw:
                known = self._seen[1]
                return Sources.of(str(path.absolute()), known.text, {*known.files, *known.unreadable})
            sources = read_sources(path, self._environ)
        except ConfigError as error:
            return error
        if raw is not None:
            self._seen = raw, sources
        return sources


def _raw(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError:
        return None
