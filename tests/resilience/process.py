"""A worker process over the shared breakers, told line by line what to do: `python -m tests.resilience.process PATH`.

Each line is a command, answered by one line when it is done.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from app.core.clock import SystemClock
from app.core.errors import ErrorType, GatewayError
from app.resilience.breaker import Admission, Breakers
from app.resilience.records import Kind, Records
from app.resilience.state import Breaking

ROOT = Path(__file__).parent.parent.parent
ENDLESS = Breaking(window=1e9, min_calls=2**31, consecutive=2**31)  # counts everything, never opens
FAILURE = GatewayError(ErrorType.SERVER_ERROR, "it went wrong", provider="openai")


class Process:
    """The other end of the line."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-m", "tests.resilience.process", str(path)]
        self._child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, command: str) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(command + "\n")
        self._child.stdin.flush()

    def result(self) -> str:
        """Empty if it has died."""
        assert self._child.stdout is not None
        return self._child.stdout.readline().strip()

    def do(self, command: str) -> str:
        self.start(command)
        return self.result()

    def send(self, number: signal.Signals) -> None:
        self._child.send_signal(number)

    def kill(self) -> None:
        self._child.kill()
        self._child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.kill()
        for end in (self._child.stdin, self._child.stdout):
            assert end is not None
            end.close()


class Here:
    """This end."""

    def __init__(self, path: Path) -> None:
        clock = SystemClock()
        self.records = Records(path, clock)
        self.counting = Breakers(self.records, ENDLESS, clock)
        self.breaking = Breakers(self.records, Breaking(), clock)
        self.probe: Admission | None = None

    def count(self, calls: str, targets: str) -> str:
        """So many calls over so many targets, some of which fail; how many did."""
        dice = random.Random()
        failed = 0
        for number in range(int(calls)):
            admission = self.counting.ask(f"openai/{number % int(targets)}", "openai")
            assert isinstance(admission, Admission)
            if dice.random() < 0.3:
                admission.failed(FAILURE, alone=False)
                failed += 1
            else:
                admission.succeeded()
        while not self.records.catch_up():
            pass
        return str(failed)

    def ask(self, key: str, when: str = "0") -> str:
        """`when`: monotonic, so that several processes ask in the same microsecond."""
        _spin(when)
        answer = self.breaking.ask(key, "openai")
        if not isinstance(answer, Admission):
            return str(answer.reason)
        self.probe = answer
        return "probe" if answer.probe else "call"

    def fail(self, key: str, when: str) -> str:
        _spin(when)
        while self.records.find(Kind.TARGET, key, "openai") is None:
            pass  # who cannot have the lock would count for himself
        admission = self.counting.ask(key, "openai")
        assert isinstance(admission, Admission)
        admission.failed(FAILURE, alone=False)
        while not self.records.catch_up():
            pass
        return "failed"

    def leave(self) -> str:
        if self.probe:
            self.probe.abandoned()
        return "left"

    def hold(self) -> str:
        """Take the lock and never give it back."""
        return str(self.records._lock._take())


def _spin(until: str) -> None:
    while time.monotonic() < float(until):
        pass


def main() -> None:
    here = Here(Path(sys.argv[1]))
    for line in sys.stdin:
        command, *words = line.split()
        sys.stdout.write(getattr(here, command)(*words) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
