"""A socket that never blocks, plain or TLS, and that can end in every way a peer can."""

from __future__ import annotations

import array
import contextlib
import fcntl
import socket
import ssl
import struct
import termios

_AT_ONCE = struct.pack("ii", 1, 0)


class Channel:
    """`receive` and `send` say None and 0 where they would block; a broken connection is an OSError."""

    def __init__(self, accepted: socket.socket, tls: ssl.SSLContext | None) -> None:
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = accepted
        self.is_ready = tls is None
        if tls is not None:
            self.socket = tls.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)

    def shake_hands(self) -> bool:
        """Carry the TLS handshake on; True once it is over."""
        if not self.is_ready and isinstance(self.socket, ssl.SSLSocket):
            try:
                self.socket.do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
            self.is_ready = True
        return True

    def receive(self) -> bytes | None:
        """What has come, b'' at the end, None when there is nothing yet."""
        try:
            return self.socket.recv(1 << 16)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except ssl.SSLEOFError:
            return b""

    def send(self, data: memoryview) -> int:
        """How much of it the kernel took."""
        try:
            return self.socket.send(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0

    @property
    def unsent(self) -> int:
        """Bytes that the peer's kernel has not confirmed."""
        waiting = array.array("i", [0])
        fcntl.ioctl(self.socket.fileno(), termios.TIOCOUTQ, waiting)
        return waiting[0]

    def finish(self, *, politely: bool) -> None:
        """Send FIN; `politely` says goodbye in TLS first, a cut does not."""
        if politely and isinstance(self.socket, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):  # the peer's goodbye has not come, ours is out
                self.socket.unwrap()
        socket.socket.shutdown(self.socket, socket.SHUT_WR)

    def reset(self) -> None:
        """Send RST instead of FIN and let go."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.socket.close()

    def close(self) -> None:
        self.socket.close()
