"""What the operating system gives, whether or not gevent stands in front of it."""

from __future__ import annotations

import select
import socket as sockets
import sys


def poll() -> select.poll:
    """`select.poll()` itself: for a look that never waits, gevent's own costs a watcher for each socket."""
    if "gevent.monkey" in sys.modules:
        from gevent import monkey  # noqa: PLC0415 - only where it is in use

        found: select.poll = monkey.get_original("select", "poll")()
        return found
    return select.poll()


def socket(fd: int) -> sockets.socket:
    """Over an open one whose flags are others' too: gevent's own would make it non-blocking for them all."""
    if "gevent.monkey" in sys.modules:
        from gevent import monkey  # noqa: PLC0415 - only where it is in use

        found: sockets.socket = monkey.get_original("socket", "socket")(fileno=fd)
        return found
    return sockets.socket(fileno=fd)
