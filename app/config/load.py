"""From a file, or from what was published of it, to Settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from app.config import document, entries, files, references
from app.config.document import Unreadable
from app.config.expand import expand
from app.config.judge import judge
from app.config.kinds import KINDS, Kind
from app.config.problems import ConfigError, Problem, Report
from app.config.settings import Settings
from app.config.sources import Sources

#: What runs where there is no file: an answer without an account.
BUILT_IN = """\
providers:
  simulated: {}
models:
  simulated: {targets: [simulated/simulated], cache: {ttl: 300}}
"""


def parse(
    text: str,
    environ: Mapping[str, str],
    read_file: files.Reader,
    *,
    origin: str | None = None,
    kinds: Mapping[str, Kind] = KINDS,
) -> Settings:
    """Pure. Raises ConfigError with every problem that there is.

    `origin` is the file's path: what the error calls it, and where relative names in it start from.
    """
    report = Report()
    try:
        found = document.read(text, report)
    except Unreadable as error:
        raise ConfigError([Problem((), error.message, error.line)], origin) from None
    tree = expand(found.tree, environ, report)
    tree = entries.complete(tree, kinds, report)
    tree, from_file = files.fill(tree, read_file, os.path.dirname(origin or ""), report)
    references.check(tree, report)
    settings = judge(tree, from_file, report)
    if settings is None or report:
        raise report.error(found.lines, origin)
    return settings


def read_sources(path: Path | None, environ: Mapping[str, str]) -> Sources:
    """The text of the configuration and of every file it names; None is the built-in one.

    A named file that cannot be read is noted, and is a problem for settings_of(). A configuration that is broken names
    nothing. Raises ConfigError if the configuration itself cannot be read.
    """
    if path is None:
        return Sources(None, BUILT_IN)
    origin = str(path.absolute())
    if not origin.isprintable():
        raise ConfigError([Problem((), "expected a path of printable characters")], ascii(origin))
    try:
        with path.open("rb") as file:
            text = file.read(document.MAX_BYTES + 1).decode("utf-8-sig")
    except OSError as error:
        raise ConfigError([Problem((), f"cannot be read: {error.strerror}")], str(path)) from error
    except UnicodeDecodeError:
        raise ConfigError([Problem((), "expected UTF-8 text")], str(path)) from None
    return Sources.of(origin, text, _names(text, environ))


def settings_of(sources: Sources, environ: Mapping[str, str]) -> Settings:
    """Pure, like parse(): what was read stays as it was, whatever happened to the files since."""
    return parse(sources.text, environ, sources.read, origin=sources.origin)


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    return settings_of(read_sources(path, environ), environ)


def locate(environ: Mapping[str, str], cwd: Path) -> Path | None:
    """GATEWAY_CONFIG, else gateway.yaml in this directory, else None.

    Raises ConfigError if the variable names a file that is not there.
    """
    if name := environ.get("GATEWAY_CONFIG"):
        path = cwd / name
        if not path.is_file():
            raise ConfigError([Problem((), "GATEWAY_CONFIG names it, but there is no such file")], name)
        return path
    usual = cwd / "gateway.yaml"
    return usual if os.path.lexists(usual) else None  # a link that leads nowhere is a mistake, not an absence


def _names(text: str, environ: Mapping[str, str]) -> list[str]:
    ignored = Report()
    try:
        tree = expand(document.read(text, ignored).tree, environ, ignored)
    except Unreadable:
        return []
    return sorted(files.named(tree))
