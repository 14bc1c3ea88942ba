"""The stand-in as a process: prints its port, serves until SIGTERM, SIGINT or the end of its standard input.

python -m tests.standin --port 0 [--keep 10000] [--seed 0] [--tls-cert FILE --tls-key FILE]
python -m tests.standin --grammar
"""

from __future__ import annotations

import argparse
import signal
import ssl
import sys
import threading

from tests.standin.grammar import table
from tests.standin.server import StandIn


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.standin", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--keep", type=int, default=10_000, help="finished requests that the journal keeps")
    parser.add_argument("--seed", type=int, default=0, help="of chance-P")
    parser.add_argument("--tls-cert")
    parser.add_argument("--tls-key")
    parser.add_argument("--grammar", action="store_true", help="print what model names can ask for")
    parser.add_argument("--watch-stdin", action="store_true", help="end when the standard input does")
    options = parser.parse_args()
    if options.grammar:
        print(table())
        return 0
    tls = None
    if options.tls_cert:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.tls_cert, options.tls_key)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with StandIn(port=options.port, tls=tls, keep=options.keep, seed=options.seed) as standin:
        print(standin.port, flush=True)
        if options.watch_stdin:
            threading.Thread(target=_watch_stdin, args=(stop,), daemon=True).start()
        stop.wait()
    return 0


def _watch_stdin(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
