"""python -m tests.wire TARGET: a wire to that port in a process of its own, until its standard input ends.

Its port is the only line that it prints. Stopped (SIGSTOP) it is a black hole: the kernel goes on taking connections
and what they send, and nothing comes of it.
"""

from __future__ import annotations

import sys

from tests.wire import Wire


def main() -> None:
    with Wire(int(sys.argv[1])) as wire:
        print(wire.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
