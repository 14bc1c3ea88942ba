"""Signatures, held against a reading of AWS's own description of them."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.errors import ErrorType, GatewayError
from app.core.provider import Cloud, Credentials, Provider
from app.providers import registry
from tests.standin.message import Request
from tests.standin.sigv4 import ACCESS_KEY, SECRET_KEY, fault_of

ARN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
URL = f"https://bedrock-runtime.eu-central-1.amazonaws.com/model/{ARN.replace(':', '%3A').replace('/', '%2F')}/converse"
BODY = '{"messages": ["世界"]}'.encode()
HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "llm-gateway"}


class NoPatience:
    def until(self, ready: threading.Event, provider: str) -> None:
        raise AssertionError("nothing is waited for")


def keys(access_key: str = ACCESS_KEY, token: str = "") -> str:
    text = f"[default]\naws_access_key_id={access_key}\naws_secret_access_key={SECRET_KEY}\n"
    return text + (f"aws_session_token={token}\n" if token else "")


def provider(file: Path | None, key: str | None = None) -> Provider:
    cloud = Cloud(region="eu-central-1", credentials_file=str(file) if file else None)
    return registry.build("bedrock", "bedrock", cloud=cloud, key=key)


def credentials(file: Path) -> Credentials:
    found = provider(file).credentials
    assert found is not None
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "aws"
    path.write_text(keys())
    return path


def signed(by: Credentials, url: str = URL, body: bytes = BODY) -> Request:
    added = by.headers("POST", url, HEADERS, body, NoPatience())
    host, _, path = url.removeprefix("https://").partition("/")
    headers = {**HEADERS, **added, "Host": host}
    return Request("POST", f"/{path}", tuple(headers.items()), body)


def test_a_signature_holds_for_an_arn_whose_path_is_encoded_twice(file: Path) -> None:
    request = signed(credentials(file))

    assert fault_of(request) is None
    assert "/eu-central-1/bedrock/aws4_request" in (request.header("authorization") or "")


@pytest.mark.parametrize(
    "changed",
    [{"body": BODY + b" "}, {"target": "/model/other/converse"}, {"method": "GET"}],
)
def test_a_request_that_is_changed_after_it_was_signed_is_refused(file: Path, changed: dict[str, bytes]) -> None:
    assert fault_of(replace(signed(credentials(file)), **changed)) is not None  # type: ignore[arg-type]


def test_a_temporary_key_shows_its_token_and_signs_it(file: Path) -> None:
    file.write_text(keys(token="session-token"))
    request = signed(credentials(file))

    assert request.header("x-amz-security-token") == "session-token"
    assert "x-amz-security-token" in (request.header("authorization") or "")
    assert fault_of(request) is None


def test_new_keys_are_other_credentials(file: Path) -> None:
    before = credentials(file).fingerprint
    file.write_text(keys(access_key="AKIDOTHER"))

    assert credentials(file).fingerprint != before
    assert "AKID" not in before


def test_keys_that_cannot_be_read_any_more_are_refused_as_ours(file: Path) -> None:
    by = credentials(file)
    file.unlink()

    with pytest.raises(GatewayError) as caught:
        signed(by)
    assert caught.value.type is ErrorType.AUTHENTICATION
    assert caught.value.provider == "bedrock"


def test_an_api_key_is_a_header_and_nothing_is_signed(file: Path) -> None:
    by = provider(None, key="bedrock-api-key")

    assert by.credentials is None
    assert by.headers["authorization"] == "Bearer bedrock-api-key"


def test_what_is_signed_is_never_logged(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """botocore writes down the whole of it, session tokens included, for who logs at debug."""
    file.write_text(keys(token="session-token"))
    with caplog.at_level(logging.DEBUG):
        signed(credentials(file))

    assert "session-token" not in caplog.text


def test_nothing_of_botocore_is_imported_for_who_has_no_bedrock() -> None:
    program = "import app.worker, sys; sys.exit(any(name.startswith('botocore') for name in sys.modules))"

    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
