"""From a key to its tenant."""

import hashlib
from datetime import UTC, datetime

import pytest

from app.config.tenant import TenantS
from app.core.errors import ErrorType, GatewayError
from app.tenants import Tenants

NOW = datetime(2026, 6, 1, tzinfo=UTC).timestamp()


def digest(key: str | bytes) -> str:
    return f"sha256:{hashlib.sha256(key.encode() if isinstance(key, str) else key).hexdigest()}"


TENANTS = Tenants(
    {
        "acme": TenantS.model_validate(
            {
                "keys": [
                    digest("gk-plain"),
                    {"hash": digest("gk-named"), "name": "ci"},
                    {"hash": digest("gk-old"), "expires": "2026-06-01T00:00:00Z"},
                    {"hash": digest("gk-soon"), "expires": "2026-06-01T02:00:01+02:00"},
                ]
            }
        ),
        "interns": TenantS.model_validate({"keys": [digest("gk-interns")], "models": ["fast", "gpt-*"]}),
        "nobody": TenantS.model_validate({"keys": []}),
        "odd": TenantS.model_validate(
            {
                "keys": [digest("schlüssel"), digest("k" * 512), digest("k" * 513), digest(b"\xff"), digest("é")],
            }
        ),
    }
)


def refusal(credential: str | None, now: float = NOW) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        TENANTS.identify(credential, now)
    return caught.value


def test_a_key_leads_to_its_tenant_and_says_which_key_it_was() -> None:
    named = TENANTS.identify("gk-named", NOW)
    plain = TENANTS.identify("gk-plain", NOW)

    assert (named.name, named.key) == ("acme", "ci")
    assert (plain.name, plain.key) == ("acme", digest("gk-plain")[7:15])


def test_a_tenant_may_use_the_models_that_it_was_given() -> None:
    tenant = TENANTS.identify("gk-interns", NOW)

    assert [m for m in ("fast", "gpt-4", "gpt-", "faster", "slow", "") if tenant.may_use(m)] == [
        "fast",
        "gpt-4",
        "gpt-",
    ]
    assert TENANTS.identify("gk-plain", NOW).may_use("whatever")


def test_a_key_is_good_until_the_second_it_expires() -> None:
    assert TENANTS.identify("gk-soon", NOW + 0.999).name == "acme"
    assert refusal("gk-soon", NOW + 1).status == 401
    assert TENANTS.identify("gk-old", NOW - 0.001).name == "acme"


@pytest.mark.parametrize(
    "credential",
    [
        None,
        "",
        " ",
        "gk-",
        "gk-plain ",
        "gk-plai",
        "GK-PLAIN",
        "gk-old",
        digest("gk-plain"),
        digest("gk-plain")[7:],
        "acme",
        "k" * 513,
        "k" * 1_000_000,
        "é" * 600,
        "\ud800",
        "\x00",
        "日本",
        "gk-plain\n",
    ],
)
def test_every_refusal_is_the_same(credential: str | None) -> None:
    """Whether a key was once good is nothing that a caller learns."""
    error = refusal(credential)
    usual = refusal("unknown")

    assert (error.type, error.status, error.code) == (ErrorType.CLIENT_AUTHENTICATION, 401, "invalid_api_key")
    assert (error.message, error.param, error.retry_after) == (usual.message, usual.param, usual.retry_after)


def test_the_longest_key_has_512_characters() -> None:
    assert TENANTS.identify("k" * 512, NOW).name == "odd"


def test_keys_beyond_ascii_are_compared_by_the_bytes_that_came() -> None:
    """A header's bytes arrive as Latin-1, whatever the client meant by them."""
    assert TENANTS.identify("schlüssel".encode().decode("latin-1"), NOW).name == "odd"
    assert TENANTS.identify("\xff", NOW).name == "odd"
    assert refusal("é").status == 401, "one byte, and the hash is of two"


def test_the_hash_of_no_key_lets_nobody_in() -> None:
    with pytest.raises(ValueError, match="no text at all"):
        TenantS.model_validate({"keys": [digest("")]})


def test_without_tenants_everybody_is_anonymous_and_may_use_everything() -> None:
    tenants = Tenants({})

    assert tenants.are_open
    for credential in (None, "", "any", "k" * 10_000):
        tenant = tenants.identify(credential, NOW)
        assert (tenant.name, tenant.key, tenant.may_use("any")) == ("anonymous", None, True)


def test_a_tenant_without_keys_does_not_open_the_door() -> None:
    tenants = Tenants({"nobody": TenantS.model_validate({"keys": []})})

    assert not tenants.are_open
    with pytest.raises(GatewayError):
        tenants.identify(None, NOW)


def test_keys_do_not_show_in_what_is_printed() -> None:
    assert "gk-" not in repr(TENANTS._keys)
