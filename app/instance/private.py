"""Asking the housekeeper, over the socket in the run directory."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping
from pathlib import Path

_PATIENCE = 2.0  # seconds


def get(socket_path: Path, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers (lower-case names) and body. Raises OSError when there is no answer in time."""
    connection = _Unix(socket_path)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    except http.client.HTTPException as error:
        raise OSError(f"the housekeeper's answer cannot be read: {error}") from error
    finally:
        connection.close()


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_PATIENCE)
        self.sock.connect(str(self._path))
