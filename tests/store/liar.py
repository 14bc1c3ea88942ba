"""A server that answers whatever it is told to, in place of memcached."""

import socket
import threading
from types import TracebackType
from typing import Self


class Liar:
    """Greets as memcached does; to everything else it says `answer`, however many commands came."""

    def __init__(self, answer: bytes, greeting: bytes = b"MN\r\n", port: int = 0) -> None:
        self.answer = answer
        self.greeting = greeting
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
                    connection.sendall(self.greeting if asked == b"mn\r\n" else self.answer)
            except OSError:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
