"""Google's tokens, fetched by google-auth itself from a token endpoint of our own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app.core.clock import SystemClock
from app.core.errors import ErrorType, GatewayError
from app.core.provider import Cloud, Provider
from app.core.wire import UpstreamRequest
from app.credentials.google import PAUSE, GoogleCredentials
from app.instance import system
from app.providers import registry
from app.upstream.client import HttpTransport
from app.upstream.watch import Guard, Watch
from tests.clock import ManualClock
from tests.standin import Answer, Piece, StandIn, closed_port

TOKEN = "/token"


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as standin:
        yield standin


@pytest.fixture
def account(standin: StandIn, private_key: str, tmp_path: Path) -> Path:
    """The file of a service account whose tokens come from the stand-in."""
    return written(tmp_path / "account.json", private_key, f"{standin.url}{TOKEN}")


def written(path: Path, private_key: str, token_uri: str) -> Path:
    info = {
        "type": "service_account",
        "client_email": "gateway@my-project.iam.gserviceaccount.com",
        "private_key_id": "abc",
        "private_key": private_key,
        "token_uri": token_uri,
    }
    path.write_text(json.dumps(info))
    return path


def token(name: str, lasts: int = 3600) -> Answer:
    return said({"access_token": name, "expires_in": lasts, "token_type": "Bearer"})


def said(body: Any, status: int = 200, **more: Any) -> Answer:
    return Answer(status, (("content-type", "application/json"),), (Piece(json.dumps(body).encode()),), **more)


def vertex(file: Path | None, url: str = "http://127.0.0.1:9") -> Provider:
    cloud = Cloud(project="my-project", location="europe-west4", credentials_file=str(file) if file else None)
    return registry.build("cloud", "vertex", base_url=url, cloud=cloud)


def guard() -> Guard:
    return Watch(SystemClock(), system.poll()).begin(None)


def shown(credentials: GoogleCredentials, patience: Guard | None = None) -> str:
    return credentials.headers("POST", "http://h/", {}, b"", patience or guard())["authorization"]


def fetched(standin: StandIn) -> Sequence[object]:
    return standin.journal.requests(path=TOKEN)


def test_a_service_accounts_token_goes_with_every_request_and_is_fetched_once(standin: StandIn, account: Path) -> None:
    standin.script(token("tok-1"), path=TOKEN)
    provider, transport = vertex(account, standin.url), HttpTransport(system.poll)
    url = f"{provider.base_url}/chat/completions"

    for _ in range(2):
        transport.send(provider, UpstreamRequest(url, provider.headers, {"model": "x"}, False), 5, guard()).read()
    transport.get(provider, f"{provider.base_url}/models", 5, guard()).read()

    asked = [request.header("authorization") for request in standin.journal.requests() if request.path != TOKEN]
    assert asked == ["Bearer tok-1"] * 3
    assert len(fetched(standin)) == 1


def test_the_first_token_is_fetched_before_the_first_call(standin: StandIn, account: Path) -> None:
    standin.script(token("tok-1"), path=TOKEN)
    credentials = GoogleCredentials(vertex(account))
    credentials.prepare()
    standin.journal.wait(path=TOKEN, outcome="complete")
    credentials.prepare()

    assert (shown(credentials), len(fetched(standin))) == ("Bearer tok-1", 1)


def test_calls_that_come_together_wait_for_one_token(standin: StandIn, account: Path) -> None:
    held = said({"access_token": "tok-1", "expires_in": 3600, "token_type": "Bearer"}, gate="token")
    standin.script(held, path=TOKEN)
    credentials = GoogleCredentials(vertex(account))
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(shown(credentials))) for _ in range(5)]
    for thread in threads:
        thread.start()
    standin.journal.wait(path=TOKEN)
    standin.release("token")
    for thread in threads:
        thread.join(10)

    assert found == ["Bearer tok-1"] * 5
    assert len(fetched(standin)) == 1


def test_an_old_token_is_used_while_a_new_one_is_fetched(standin: StandIn, account: Path) -> None:
    """Nobody waits for it, and while none comes nobody asks for it all the time."""
    clock = ManualClock()
    credentials = GoogleCredentials(vertex(account), clock)
    standin.script(token("old", lasts=60), path=TOKEN)
    assert shown(credentials) == "Bearer old"
    assert [shown(credentials) for _ in range(3)] == ["Bearer old"] * 3
    assert len(fetched(standin)) == 1

    clock.now += PAUSE
    standin.script(said({"access_token": "new", "expires_in": 3600, "token_type": "Bearer"}, gate="new"), path=TOKEN)
    assert [shown(credentials) for _ in range(3)] == ["Bearer old"] * 3
    standin.journal.wait(2, path=TOKEN)
    standin.release("new")
    while shown(credentials) == "Bearer old":
        threading.Event().wait(0.01)
    assert (shown(credentials), len(fetched(standin))) == ("Bearer new", 2)


def test_a_token_that_is_over_is_waited_for(standin: StandIn, account: Path) -> None:
    credentials = GoogleCredentials(vertex(account))
    standin.script(token("over", lasts=0), path=TOKEN)
    standin.script(token("new"), path=TOKEN)

    shown(credentials)
    assert shown(credentials) == "Bearer new"


def test_credentials_that_google_refuses_are_ours_and_their_secrets_stay_with_us(
    standin: StandIn, account: Path, private_key: str, caplog: pytest.LogCaptureFixture
) -> None:
    refused = {"error": "invalid_grant", "error_description": "gateway@my-project is disabled"}
    standin.script(said(refused, 400), path=TOKEN, times=None)

    with pytest.raises(GatewayError) as caught:
        shown(GoogleCredentials(vertex(account)))
    assert (caught.value.type, caught.value.status, caught.value.provider) == (ErrorType.AUTHENTICATION, 502, "cloud")
    for text in (caught.value.message, caplog.text):
        assert "my-project" not in text
        assert private_key.splitlines()[1] not in text


def test_each_call_gets_an_error_of_its_own(standin: StandIn, account: Path) -> None:
    """What is noted in an error is about one call."""
    standin.script(said({"error": "invalid_grant"}, 400), path=TOKEN, times=None)
    credentials = GoogleCredentials(vertex(account))
    errors = []
    for _ in range(2):
        with pytest.raises(GatewayError) as caught:
            shown(credentials)
        errors.append(caught.value)

    assert errors[0] is not errors[1]


def test_nobody_there_to_give_a_token_is_a_connection_that_failed(private_key: str, tmp_path: Path) -> None:
    file = written(tmp_path / "account.json", private_key, f"http://127.0.0.1:{closed_port()}/token")

    with pytest.raises(GatewayError) as caught:
        shown(GoogleCredentials(vertex(file)))
    assert (caught.value.type, caught.value.provider) == (ErrorType.CONNECTION, "cloud")


@pytest.mark.parametrize(
    "content", ["", "[]", '{"type": "service_account"}', '{"type": "made_up"}', '{"type": "external_account"}']
)
def test_a_file_that_holds_no_credentials_is_told_as_such(content: str, tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text(content)

    with pytest.raises(GatewayError) as caught:
        shown(GoogleCredentials(vertex(file)))
    assert caught.value.type is ErrorType.AUTHENTICATION


def test_a_call_does_not_outlive_its_time_waiting_for_a_token(standin: StandIn, account: Path) -> None:
    standin.script(said({}, gate="never"), path=TOKEN)
    credentials, patience = GoogleCredentials(vertex(account)), guard()
    errors: list[GatewayError] = []

    def call() -> None:
        with pytest.raises(GatewayError) as caught:
            shown(credentials, patience)
        errors.append(caught.value)

    thread = threading.Thread(target=call)
    thread.start()
    standin.journal.wait(path=TOKEN)
    patience.late = True
    patience.ring()
    thread.join(10)
    standin.release("never")

    assert [(error.type, error.provider) for error in errors] == [(ErrorType.TIMEOUT, "cloud")]


def test_the_content_of_the_file_is_the_fingerprint(account: Path) -> None:
    one, same = (GoogleCredentials(vertex(account)).fingerprint for _ in range(2))
    account.write_text(account.read_text().replace("abc", "def"))

    assert one == same != GoogleCredentials(vertex(account)).fingerprint
    assert GoogleCredentials(vertex(None)).fingerprint == "of the machine"


def test_a_key_needs_no_token() -> None:
    provider = registry.build("cloud", "vertex", key="AIza", cloud=Cloud(project="p"))
    given = registry.build("cloud", "vertex", headers={"Authorization": "Bearer own"}, cloud=Cloud(project="p"))

    assert (provider.credentials, given.credentials) == (None, None)
