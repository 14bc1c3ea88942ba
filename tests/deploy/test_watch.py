"""deploy/nginx/watch: whom it takes out of the file of replicas, and when."""

from __future__ import annotations

import contextlib
import os
import signal
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.gunicorn import ROOT, free_port, until
from tests.tools import tool
from tests.wire import Wire

PATIENCE = 0.5


class Alive(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/live" else 500)
        self.end_headers()

    def address_string(self) -> str:
        return "a neighbour"

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where something is alive."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Alive) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


@contextlib.contextmanager
def watch(file: Path, reload: str = "true") -> Iterator[subprocess.Popen[bytes]]:
    """On the file, with `reload` as the command of a shell that makes nginx read it."""
    tool("curl")
    environment = {**os.environ, "WATCH_EVERY": "0.1", "WATCH_PATIENCE": str(PATIENCE)}
    process = subprocess.Popen(
        [ROOT / "deploy" / "nginx" / "watch", file, "sh", "-c", f"echo >> {file}.reloads; {reload}"], env=environment
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(15)


def reloads(file: Path) -> int:
    log = file.with_name(file.name + ".reloads")
    return len(log.read_text()) if log.exists() else 0


def asked(wire: Wire, times: int) -> None:
    """Wait until it was asked so often from now on."""
    before = len(wire.arrivals)
    until(lambda: len(wire.arrivals) >= before + times, f"{times} questions")


def test_one_that_hangs_is_out_until_it_answers(port: int, tmp_path: Path) -> None:
    file = tmp_path / "replicas.conf"
    with Wire(port) as one, Wire(port) as other:
        lines = [f"  server 127.0.0.1:{one.port} max_fails=0; # rack 1\n", f"server 127.0.0.1:{other.port};\n"]
        before = "# server 127.0.0.1:1;\n" + "".join(lines)
        file.write_text(before)
        with watch(file):
            one.blackhole(connects=False)
            until(lambda: " down;" in file.read_text(), "watch that takes it out")
            assert file.read_text() == before.replace("max_fails=0;", "max_fails=0 down; # hangs")
            until(lambda: reloads(file) == 1, "reload")
            one.restore()
            until(lambda: file.read_text() == before, "watch that puts it back")
            until(lambda: reloads(file) == 2, "reload")


def test_where_more_than_half_hang_nobody_is_out(port: int, tmp_path: Path) -> None:
    file = tmp_path / "replicas.conf"
    with Wire(port) as one, Wire(port) as other, Wire(port) as third:
        before = "".join(f"server 127.0.0.1:{wire.port} max_fails=0;\n" for wire in (one, other, third))
        file.write_text(before)
        one.blackhole()
        other.blackhole()
        with watch(file):
            asked(third, 6)
            assert file.read_text() == before
            one.restore()
            until(lambda: " down;" in file.read_text(), "watch that takes one out")
            assert file.read_text().splitlines()[1].endswith(" down; # hangs")
    assert file.read_text() == before
    assert reloads(file) == 2


def test_one_that_refuses_is_nginx_s_business_and_one_that_is_out_already_somebody_else_s(
    port: int, tmp_path: Path
) -> None:
    file = tmp_path / "replicas.conf"
    with Wire(port) as one, Wire(port) as kept:
        kept.blackhole()
        before = f"server 127.0.0.1:{free_port()};\nserver 127.0.0.1:{one.port};\nserver 127.0.0.1:{kept.port} down;\n"
        file.write_text(before)
        with watch(file):
            asked(one, 6)
        assert file.read_text() == before
        assert reloads(file) == 0
        assert not kept.arrivals


def test_a_reload_that_fails_is_tried_again(port: int, tmp_path: Path) -> None:
    file = tmp_path / "replicas.conf"
    with Wire(port) as one, Wire(port) as other:
        file.write_text(f"server 127.0.0.1:{one.port};\nserver 127.0.0.1:{other.port};\n")
        one.blackhole()
        with watch(file, "exit 1"):
            until(lambda: reloads(file) >= 2, "second try")


def test_a_unix_socket_is_asked_too(port: int, tmp_path: Path) -> None:
    file, path = tmp_path / "replicas.conf", tmp_path / "s.sock"
    with socketserver.ThreadingUnixStreamServer(str(path), Alive) as server, Wire(port) as other:
        before = f"server unix:{path} max_fails=0;\nserver 127.0.0.1:{other.port};\n"
        file.write_text(before)
        with watch(file) as process:  # nobody takes what is in the socket's queue
            until(lambda: " down;" in file.read_text(), "watch that takes it out")
            threading.Thread(target=server.serve_forever, daemon=True).start()
            until(lambda: file.read_text() == before, "watch that puts it back")
            server.shutdown()
            process.send_signal(signal.SIGINT)
            assert process.wait(15) == 0
