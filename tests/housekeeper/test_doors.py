"""What the housekeeper answers over its two doors."""

import gzip
import http.client
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import requests
from pydantic import SecretStr

from app.config.settings import MetricsS
from app.housekeeper import doors
from app.housekeeper.pages import Answer, Pages
from app.instance import private
from app.instance.environment import Address
from app.metrics.exposition import Exposition, Facts
from tests.gunicorn import free_port

Open = Callable[[MetricsS], tuple[str, Path]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Open]:
    """Both doors over an empty directory: the URL of one, the path of the other."""
    servers = []

    def start(settings: MetricsS) -> tuple[str, Path]:
        pages = Pages(Exposition(tmp_path, lambda: Facts("1", {}, None)), lambda: settings, lambda: {"pid": 7})
        address = Address("127.0.0.1", free_port())
        servers.append(doors.open_tcp(address, pages.public))
        servers.append(doors.open_unix(tmp_path / "private.sock", pages.private))
        return f"http://{address}", tmp_path / "private.sock"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_metrics_are_on_both_doors_and_state_on_the_private_one(serve: Open) -> None:
    url, path = serve(MetricsS())
    answer = requests.get(url + "/metrics", timeout=5)
    assert answer.status_code == 200
    assert "build_info" in answer.text
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert requests.get(url + "/healthz", timeout=5).text == "ok\n"
    assert requests.get(url + "/state", timeout=5).status_code == 404
    status, headers, body = private.get(path, "/state")
    assert (status, headers["content-type"], body) == (200, "application/json", b'{"pid":7}')
    status, headers, body = private.get(path, "/metrics", {"Accept-Encoding": "gzip"})
    assert b"build_info" in gzip.decompress(body)


def test_with_a_token_the_port_answers_whoever_has_it(serve: Open) -> None:
    url, path = serve(MetricsS(token=SecretStr("let-me-in")))
    for wrong in ({}, {"Authorization": "Bearer let-me"}, {"Authorization": "Bearer \xfc"}):
        answer = requests.get(url + "/metrics", headers=wrong, timeout=5)
        assert answer.status_code == 401
        assert "build_info" not in answer.text
        assert "let-me-in" not in answer.text
    assert requests.get(url + "/metrics", headers={"Authorization": "Bearer let-me-in"}, timeout=5).ok
    assert requests.get(url + "/healthz", timeout=5).ok
    assert private.get(path, "/metrics")[0] == 200


def test_other_methods_and_nonsense_get_json(serve: Open) -> None:
    url, _ = serve(MetricsS())
    answer = requests.post(url + "/metrics", timeout=5)
    assert (answer.status_code, answer.headers["Content-Type"]) == (501, "application/json")
    with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=5) as raw:
        raw.sendall(b"nonsense \xff\r\n\r\n")
        assert b"<html" not in raw.recv(4096).lower()


def test_a_page_that_fails_is_an_error_and_not_the_end(serve: Open, tmp_path: Path) -> None:
    def broken(path: str, headers: Mapping[str, str]) -> Answer:
        raise ZeroDivisionError

    server = doors.open_unix(tmp_path / "broken.sock", broken)
    try:
        for _ in range(2):
            assert private.get(tmp_path / "broken.sock", "/metrics")[0] == 500
    finally:
        server.shutdown()
        server.server_close()


def test_a_taken_port_is_an_error_of_the_operating_system(serve: Open) -> None:
    url, _ = serve(MetricsS())
    with pytest.raises(OSError, match="Address already in use"):
        doors.open_tcp(Address("127.0.0.1", int(url.rsplit(":", 1)[1])), lambda path, headers: (200, {}, b""))


def test_connections_beyond_what_it_holds_are_closed_and_the_rest_is_served(serve: Open) -> None:
    url, _ = serve(MetricsS())
    port = int(url.rsplit(":", 1)[1])
    silent = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(32)]
    try:
        with pytest.raises((requests.ConnectionError, http.client.HTTPException)):
            requests.get(url + "/healthz", timeout=5)
    finally:
        for connection in silent:
            connection.close()


def test_nobody_there_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"No such file|refused"):
        private.get(tmp_path / "private.sock", "/metrics")


def test_nonsense_instead_of_an_answer_is_an_oserror(tmp_path: Path) -> None:
    path = tmp_path / "private.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"nonsense\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(OSError, match="cannot be read"):
            private.get(path, "/metrics")
        thread.join()
