"""How a worker stops listening, so that nobody is hung up on whom the kernel has let in.

Who connects waits in the listener's queue until a worker takes the connection. Workers and master share one listener;
when the last of them closes it, the kernel resets whatever waits there. So a worker that is told to stop takes what
waits before it closes its own end. In a reload that is all, for others go on listening. Where the instance ends, nobody
comes after it, and a connection that came between the last look and the close would be lost: the listener first turns
newcomers away. On TCP a filter drops their SYN, which they send again a second later, to be refused as by a port where
nobody listens; handshakes that are under way get a moment to end. A unix socket is shut, which refuses them at once.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct

HANDSHAKE = 0.2  # seconds; a round trip, for those whose SYN is answered already

_ATTACH, _DETACH = 26, 27  # SO_ATTACH_FILTER, SO_DETACH_FILTER; Python has no names for them
_LOAD_BYTE, _IF_SET, _RETURN = 0x30, 0x45, 0x06  # of classic BPF
_FLAGS, _SYN = 13, 0x02  # in the TCP header
_NO_SYN = b"".join(
    struct.pack("HBBI", *step)
    for step in ((_LOAD_BYTE, 0, 0, _FLAGS), (_IF_SET, 0, 1, _SYN), (_RETURN, 0, 0, 0), (_RETURN, 0, 0, 0xFFFFFFFF))
)


def is_let_go(listener: socket.socket, master: int) -> bool:
    """Whether the master has closed this listener: it does so before it tells its workers that the instance ends."""
    ours = os.fstat(listener.fileno())
    try:
        for name in os.listdir(f"/proc/{master}/fd"):
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.stat(f"/proc/{master}/fd/{name}"), ours):
                    return False
    except FileNotFoundError:
        return True  # the master is gone
    except OSError:
        return False  # it may not be looked at; turning people away from others would be the greater harm
    return True


def turn_away(listener: socket.socket) -> bool:
    """From now on nobody new gets in. Whether some may be half in, with a handshake under way."""
    try:
        if listener.family == socket.AF_UNIX:
            listener.shutdown(socket.SHUT_RD)
            return False  # and nobody is half in
        steps = ctypes.create_string_buffer(_NO_SYN, len(_NO_SYN))
        listener.setsockopt(socket.SOL_SOCKET, _ATTACH, struct.pack("HL", len(_NO_SYN) // 8, ctypes.addressof(steps)))
    except OSError:
        return False
    return True


def let_in(listener: socket.socket) -> None:
    """Undo `turn_away`: a listener that came from outside may have been through it with another instance."""
    with contextlib.suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _DETACH, 0)
