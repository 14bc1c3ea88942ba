"""What the environment may say."""

import os
import tempfile
from pathlib import Path

import pytest

from app.instance.environment import Address, BadEnvironment, read


def test_an_empty_environment_is_enough() -> None:
    found = read({})
    assert found.binds == ("127.0.0.1:8080",)
    assert found.metrics == Address("127.0.0.1", 9464)
    assert found.workers >= 2
    assert found.worker_class == "gevent"
    assert found.run_dir == Path(tempfile.gettempdir(), f"llm-gateway-8080-{os.geteuid()}")


def test_the_run_directory_is_named_after_the_port_in_the_users_runtime_directory(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path), "GATEWAY_BIND": "[::1]:9000"}
    assert read(environ).run_dir == tmp_path / "llm-gateway-9000"
    gone = {**environ, "XDG_RUNTIME_DIR": str(tmp_path / "gone")}
    assert read(gone).run_dir.parent == Path(tempfile.gettempdir())
    assert read({**environ, "GATEWAY_RUN_DIR": "/run/gateway"}).run_dir == Path("/run/gateway")


def test_two_unix_sockets_have_two_run_directories() -> None:
    one, other = (read({"GATEWAY_BIND": f"unix:/run/{name}.sock"}).run_dir for name in "ab")
    assert one != other


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GATEWAY_BIND", ""),
        ("GATEWAY_BIND", "8080"),
        ("GATEWAY_BIND", "localhost"),
        ("GATEWAY_BIND", "127.0.0.1:0"),
        ("GATEWAY_BIND", "127.0.0.1:65536"),
        ("GATEWAY_BIND", "127.0.0.1:8080,nonsense"),
        ("GATEWAY_BIND", "unix:relative.sock"),
        ("GATEWAY_METRICS_BIND", "9464"),
        ("GATEWAY_METRICS_BIND", "unix:/run/metrics.sock"),
        ("WEB_CONCURRENCY", "0"),
        ("WEB_CONCURRENCY", "auto"),
        ("GATEWAY_WORKER_CLASS", "sync"),
        ("FORWARDED_ALLOW_IPS", "*"),
        ("FORWARDED_ALLOW_IPS", "10.0.0.1"),
    ],
)
def test_what_cannot_be_is_named(variable: str, value: str) -> None:
    with pytest.raises(BadEnvironment, match=f"{variable}: expected"):
        read({variable: value})


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(BadEnvironment) as caught:
        read({"GATEWAY_BIND": "x", "WEB_CONCURRENCY": "x", "GATEWAY_WORKER_CLASS": "x"})
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - judged, not bound
        ("::", False),
        ("192.0.2.1", False),
        ("no.such.host.invalid", False),
    ],
)
def test_an_address_is_this_machines_alone_only_if_all_it_stands_for_is(host: str, loopback: bool) -> None:
    assert Address(host, 80).is_loopback is loopback
