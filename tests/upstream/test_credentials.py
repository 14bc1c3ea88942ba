"""What proves who we are, where it is made for each request."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from app import configured
from app.core.clock import SystemClock
from app.core.errors import ErrorType, GatewayError
from app.core.provider import Patience, Provider
from app.core.wire import UpstreamRequest
from app.instance import system
from app.providers import registry
from app.upstream.client import HttpTransport
from app.upstream.watch import Guard, Watch
from tests.standin import StandIn


@dataclass(slots=True)
class Signed:
    """Signs by writing down what it is asked to sign."""

    seen: list[tuple[str, str, str | None, bytes]] = field(default_factory=list)
    fingerprint: str = "one"

    def prepare(self) -> None: ...

    def headers(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, patience: Patience
    ) -> Mapping[str, str]:
        self.seen.append((method, url, headers.get("Content-Type"), body))
        return {"authorization": f"Signed {len(self.seen)}"}


class Waiting:
    """Has nothing to show until somebody sets `ready`."""

    fingerprint = "two"

    def __init__(self) -> None:
        self.begun, self.ready = threading.Event(), threading.Event()

    def prepare(self) -> None: ...

    def headers(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, patience: Patience
    ) -> Mapping[str, str]:
        self.begun.set()
        patience.until(self.ready, "p")
        return {"authorization": "late"}


def test_each_request_is_signed_as_it_is_sent() -> None:
    signed, watch = Signed(), Watch(SystemClock(), system.poll())
    with StandIn() as standin:
        provider = replace(registry.build("p", "compatible", base_url=standin.url), credentials=signed)
        transport = HttpTransport(system.poll)
        url = f"{provider.base_url}/chat/completions"
        transport.send(provider, UpstreamRequest(url, {}, {"model": "x"}, stream=False), 5, watch.begin(None)).read()
        transport.get(provider, f"{provider.base_url}/models", 5, watch.begin(None)).read()

        sent = standin.journal.requests()

    assert signed.seen == [
        ("POST", url, "application/json", b'{"model":"x"}'),
        ("GET", f"{provider.base_url}/models", None, b""),
    ]
    assert [request.header("authorization") for request in sent] == ["Signed 1", "Signed 2"]


def test_a_call_stops_waiting_for_its_credentials_when_its_client_leaves_or_its_time_is_up() -> None:
    watch = Watch(SystemClock(), system.poll())
    for due, expected in (("gone", ErrorType.CANCELLED), ("late", ErrorType.TIMEOUT)):
        waiting = Waiting()
        provider: Provider = replace(registry.build("p", "compatible", base_url="http://h"), credentials=waiting)
        guard = watch.begin(None)
        failures: list[GatewayError] = []

        def ask(provider: Provider = provider, guard: Guard = guard, failures: list[GatewayError] = failures) -> None:
            request = UpstreamRequest("http://h/v1/chat/completions", {}, {}, stream=False)
            with pytest.raises(GatewayError) as raised:
                HttpTransport(system.poll).send(provider, request, 5, guard)
            failures.append(raised.value)

        thread = threading.Thread(target=ask)
        thread.start()
        assert waiting.begun.wait(10)
        setattr(guard, due, True)
        guard.ring()
        thread.join(10)

        assert [failure.type for failure in failures] == [expected]


def test_other_credentials_end_a_quarantine() -> None:
    provider = registry.build("p", "compatible", base_url="http://h")
    shown = [
        configured.credentials({"p": replace(provider, credentials=Signed(fingerprint=each))})["p"] for each in "aab"
    ]
    assert shown[0] == shown[1] != shown[2]
    assert configured.credentials({"p": provider})["p"] not in shown
