"""A server that answers whatever it is told to, in place of memcached."""

import re
import socket
import threading
from types import TracebackType
from typing import Self

from app.store.server import TRIED

MET = b"MN\r\n"


class Liar:
    """To whoever calls it says `answer`, however many commands came; the gateway's own tries it answers as memcached.

    With another `greeting` than memcached's it does not; nor where it `lies_at_once` to everything but a greeting.
    """

    def __init__(self, answer: bytes, greeting: bytes = MET, port: int = 0, *, lies_at_once: bool = False) -> None:
        self.answer = answer
        self.greeting = greeting
        self._lies_at_once = lies_at_once
        self._listener = socket.create_server(("127.0.0.1", port))
        self.name = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while asked := connection.recv(65_536):
                    connection.sendall(self._reply(asked))
            except OSError:
                return

    def _reply(self, asked: bytes) -> bytes:
        if asked == b"mn\r\n":
            return self.greeting
        if TRIED.encode() not in asked or self._lies_at_once:
            return self.answer
        flags = re.findall(rb"m[ag] (\S+)( .*)?( O\d+)\r\n", asked)
        return b"".join(
            b"VA 1%s%s\r\n1\r\n" % (b" k" + name if b" k" in more else b"", mark) for name, more, mark in flags
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
