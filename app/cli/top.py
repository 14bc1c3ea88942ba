"""`llm-gateway top`: what a gateway on this machine is doing, live."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import deque

from app.core.json import dumps
from app.instance import environment
from app.instance.rundir import RunDir
from app.top.reading import Reading, read
from app.top.screen import Screen, as_json
from app.top.view import view

HELP = "show what a gateway on this machine is doing, live"

_SPAN = 10.0  # seconds that the figures are of


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--interval", type=float, default=2.0, metavar="SECONDS", help="default: 2")
    parser.add_argument("--once", action="store_true", help="two looks, an interval apart, and what happened between")
    parser.add_argument("--json", action="store_true", help="for programs: an object a line")


def run(arguments: argparse.Namespace) -> int:
    """1 where no gateway answers: the environment says which one is meant, as it does for the gateway itself."""
    try:
        run_dir = environment.read(os.environ).run_dir
    except environment.BadEnvironment as error:
        print(error, file=sys.stderr)
        return 1
    socket = RunDir(run_dir).socket
    interval = max(arguments.interval, 1.0)  # a page is a second old at most
    live = sys.stdout.isatty() and not arguments.once and not arguments.json
    screen = Screen(colours=live)
    try:
        seen = deque([read(socket)])
        while True:
            time.sleep(interval)
            seen.append(read(socket))
            while len(seen) > 2 and seen[-1].at - seen[1].at >= _SPAN:
                seen.popleft()
            _show(seen[0], seen[-1], screen, as_lines=arguments.json, live=live)
            if arguments.once:
                return 0
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"no gateway answers in {run_dir} ({error}); GATEWAY_RUN_DIR or GATEWAY_BIND say where", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _show(before: Reading, after: Reading, screen: Screen, *, as_lines: bool, live: bool) -> None:
    found = view(before, after)
    if as_lines:
        print(dumps(as_json(found)).decode(), flush=True)
        return
    if live:
        print(screen.fitted(found, *os.get_terminal_size()), flush=True)
    else:
        print("\n".join(screen.lines(found)), flush=True)
