"""Whom a connection trusts: the certificates of its provider, read once."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core.clock import SystemClock
from app.core.errors import ErrorType, GatewayError
from app.core.provider import Provider
from app.core.wire import UpstreamRequest
from app.instance import system
from app.providers import registry
from app.upstream.client import HttpAnswer, HttpTransport
from app.upstream.watch import Watch
from tests.standin import Authority, StandIn, make_authority

Ask = Callable[[Provider], HttpAnswer]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def standin(authority: Authority) -> Iterator[StandIn]:
    with StandIn(tls=authority.context()) as server:
        yield server


@pytest.fixture
def ask() -> Ask:
    transport, watch = HttpTransport(system.poll), Watch(SystemClock(), system.poll())

    def send(provider: Provider) -> HttpAnswer:
        body = {"model": "words-2", "messages": [{"role": "user", "content": "hi"}]}
        url = f"{provider.base_url}/chat/completions"
        return transport.send(provider, UpstreamRequest(url, {}, body, False), 5.0, watch.begin(None))

    return send


def provider(url: str, ca_file: Path | None) -> Provider:
    trusted = str(ca_file) if ca_file else None
    return registry.build("p", "compatible", base_url=f"{url}/v1", key="sk-upstream", ca_file=trusted)


def test_certificates_are_read_once_for_all_connections_of_all_that_trust_them(
    standin: StandIn, authority: Authority, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []
    load = ssl.SSLContext.load_verify_locations

    def counted(context: ssl.SSLContext, *given: Any, **named: Any) -> None:
        read.append(given)
        load(context, *given, **named)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    asked = provider(standin.url, authority.ca_file)
    answers = [ask(one) for one in (asked, asked, replace(asked, name="q"))]
    assert [answer.read()[:1] for answer in answers] == [b"{"] * 3
    assert standin.journal.totals["connections"] == 3
    assert read == [(str(authority.ca_file),)]


def test_a_certificate_of_nobody_who_is_trusted_is_refused(standin: StandIn, ask: Ask) -> None:
    with pytest.raises(GatewayError, match="securely") as caught:
        ask(provider(standin.url, None))
    assert caught.value.type is ErrorType.CONNECTION
    assert not standin.journal.requests()


@pytest.mark.parametrize("wrong", [{"name": "DNS:elsewhere.example"}, {"days": -1}])
def test_a_certificate_for_another_name_or_time_is_refused(authority: Authority, ask: Ask, wrong: Any) -> None:
    with StandIn(tls=authority.context(**wrong)) as standin:
        with pytest.raises(GatewayError, match="securely"):
            ask(provider(standin.url, authority.ca_file))
        assert not standin.journal.requests()


def test_certificates_that_cannot_be_read_are_a_failed_connection(standin: StandIn, ask: Ask, tmp_path: Path) -> None:
    with pytest.raises(GatewayError) as caught:
        ask(provider(standin.url, tmp_path / "gone.pem"))
    assert caught.value.type is ErrorType.CONNECTION


def test_a_proxy_that_speaks_tls_is_held_to_the_same_certificates(
    standin: StandIn, authority: Authority, ask: Ask
) -> None:
    through = replace(provider("http://provider.invalid", authority.ca_file), proxy=standin.url)
    assert ask(through).read().startswith(b"{")
    assert standin.journal.last.target == "http://provider.invalid/v1/chat/completions"
    with pytest.raises(GatewayError):
        ask(replace(through, name="q", ca_file=None))
    assert len(standin.journal.requests()) == 1
