"""`python -m app.housekeeper`, as a worker starts it: never by hand."""

from __future__ import annotations

import argparse
import os
import signal
from pathlib import Path

from app.housekeeper.keeper import Keeper
from app.instance import environment, memory, sink
from app.instance.rundir import RunDir

_NICE = 5  # a large merge takes a tenth of a second of a core: streams go first


def main() -> None:
    parser = argparse.ArgumentParser(prog="housekeeper")
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--lock", type=int, required=True, help="an open file that holds housekeeper.lock")
    parser.add_argument("--master", type=int, required=True, help="process id of gunicorn's master")
    given = parser.parse_args()
    # They come to the whole group. It ends when the last worker has ended, and no sooner.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    sink.install()
    memory.give_back()
    os.set_inheritable(given.lock, False)
    os.nice(_NICE)
    Keeper(RunDir(given.run_dir), given.lock, given.master, environment.read(os.environ).metrics, os.environ).run()


if __name__ == "__main__":
    main()
