"""`llm-gateway doctor`: whether a deployment is well, seen from its own machine, and what to do where it is not."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from app.config import load
from app.core.clock import SystemClock
from app.core.json import dumps
from app.doctor import machine, memcached, running
from app.doctor.finding import Finding, Level
from app.instance import environment
from app.instance.rundir import RunDir

HELP = "say whether a deployment is well, and what to do where it is not"


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=Path, help="default: GATEWAY_CONFIG, else ./gateway.yaml")
    parser.add_argument("--json", action="store_true", help="for programs: an object a line")


def run(arguments: argparse.Namespace) -> int:
    """1 where something is bad. In the environment in which the gateway was started."""
    try:
        here = environment.read(os.environ)
    except environment.BadEnvironment as error:
        print(error, file=sys.stderr)
        return 1
    logging.disable(logging.WARNING)  # what the parts have to say is said as a finding
    worst = 0
    for finding in _findings(arguments.file, here):
        worst |= finding.level is Level.BAD
        print(_json(finding) if arguments.json else _text(finding), flush=True)
    return int(worst)


def _findings(file: Path | None, here: environment.Environment) -> Iterator[Finding]:
    sources = load.read_sources(file or load.locate(os.environ, Path.cwd()), os.environ)
    settings = load.settings_of(sources, os.environ)
    yield from machine.files(settings, RunDir(here.run_dir).lock)
    yield from machine.run_directory(here.run_dir)
    yield from memcached.check(settings, SystemClock())
    yield from running.check(settings, here, sources.hash)


def _text(finding: Finding) -> str:
    mend = f"\n      -> {finding.do}" if finding.do else ""
    return f"{finding.level:4}  {finding.what}: {finding.said}{mend}"


def _json(finding: Finding) -> str:
    return dumps(
        {"level": finding.level, "what": finding.what, "said": finding.said, "do": finding.do or None}
    ).decode()
