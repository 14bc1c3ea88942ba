"""Settings that name a file."""

from pathlib import Path

import certifi
import pytest

from tests.config.given import problems, settings

TEXT = """
metrics: {token_file: token}
providers:
  openai: {api_key_file: /run/key, models: ["*"]}
"""
SECRETS = "cache: {secret_file: secrets}\nproviders: {simulated: {models: ['*']}}"


@pytest.fixture(scope="module")
def certificate() -> str:
    bundle = Path(certifi.where()).read_text(encoding="utf-8")
    return bundle[bundle.index("-----BEGIN") : bundle.index("-----END") + 25]


def test_secrets_are_read_from_their_files_without_the_space_around_them() -> None:
    found = settings(TEXT, files={"token": "t-1\n", "/run/key": "  k-1\r\n"})

    assert found.providers["openai"].key == "k-1"
    assert found.metrics.token is not None
    assert found.metrics.token.get_secret_value() == "t-1"


def test_the_name_of_a_file_may_come_from_the_environment() -> None:
    text = 'providers: {openai: {api_key_file: "${DIR}/key", models: ["*"]}}'

    assert settings(text, {"DIR": "/d"}, {"/d/key": "k"}).providers["openai"].key == "k"


def test_what_a_file_holds_is_not_expanded() -> None:
    text = "providers: {openai: {api_key_file: key, models: ['*']}}"

    assert settings(text, {"X": "y"}, {"key": "a${X}$$b"}).providers["openai"].key == "a${X}$$b"


def test_a_file_of_secrets_has_one_on_each_line() -> None:
    found = settings(SECRETS, files={"secrets": f"{'n' * 32}\n\n{'o' * 32}\n"})

    assert found.cache.secret is not None
    assert [secret.get_secret_value() for secret in found.cache.secret] == ["n" * 32, "o" * 32]


def test_a_file_that_is_missing_empty_or_odd_is_a_problem_of_the_key_that_names_it() -> None:
    assert problems(TEXT, files={"token": "\n"}) == {
        "metrics.token_file": "expected a key, found it empty",
        "providers.openai.api_key_file": "the file cannot be read: No such file or directory",
    }
    assert problems(SECRETS, files={"secrets": f"{'n' * 32}\nshort"}) == {
        "cache.secret_file": "expected at least 32 bytes"
    }
    assert problems(SECRETS, files={"secrets": ""}) == {"cache.secret_file": "expected at least one in this list"}


@pytest.mark.parametrize(("value", "message"), [
    ("[]", "expected text, not a list"),
    ("''", "expected some text on one line"),
    ('"a\\nb"', "expected some text on one line"),
    ("5", "expected text: write it in quotes"),
])  # fmt: skip
def test_the_name_of_a_file_is_text(value: str, message: str) -> None:
    found = problems(f"providers: {{openai: {{api_key_file: {value}, models: ['*']}}}}", files={"a\nb": "k"})

    assert found == {"providers.openai.api_key_file": message}


def test_a_secret_and_its_file_exclude_each_other() -> None:
    text = "providers: {openai: {api_key: a, api_key_file: b, models: ['*']}}\nmetrics: {token: a, token_file: b}"

    assert problems(text, files={"b": "c"}) == {
        "providers.openai.api_key_file": "expected either this or api_key, not both",
        "metrics.token_file": "expected either this or token, not both",
    }


def test_certificates_are_checked_and_named_by_their_whole_path(certificate: str) -> None:
    text = "providers: {openai: {api_key: k, ca_file: CA, models: ['*']}}"

    relative = settings(
        text.replace("CA", "tls/ca.pem"), files={"tls/ca.pem": certificate}, origin="/etc/gw/gateway.yaml"
    )
    absolute = settings(text.replace("CA", "/ca.pem"), files={"/ca.pem": certificate}, origin="/etc/gw/gateway.yaml")

    assert relative.providers["openai"].ca_file == "/etc/gw/tls/ca.pem"
    assert absolute.providers["openai"].ca_file == "/ca.pem"


@pytest.mark.parametrize(
    "content", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_a_file_without_certificates_is_refused(content: str) -> None:
    text = "providers: {openai: {api_key: k, ca_file: ca.pem, models: ['*']}}"

    assert problems(text, files={"ca.pem": content}) == {
        "providers.openai.ca_file": "expected a file of certificates in PEM form"
    }
