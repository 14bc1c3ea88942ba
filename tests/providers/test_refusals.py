"""What dialects share when a provider refuses: when to come back, and what must not be told."""

from __future__ import annotations

import pytest

from app.core.provider import Provider
from app.providers import registry
from app.providers.cleaning import LONGEST, clean
from app.providers.retry_after import retry_after

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "1m30s"}, 90.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after-ms": "0", "retry-after": "1"}, 1.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:10 GMT", "date": DATE}, 10.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:27:00 GMT", "date": DATE}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:10 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "9" * 400 + "h"}, None),
        ({"retry-after": "1e300", "date": DATE}, None),
        ({"retry-after-ms": "1e308"}, None),
        ({"x-ratelimit-reset-tokens": "7.66s"}, 7.66),
        ({"x-ratelimit-reset-tokens": "300ms"}, 0.3),
        ({"x-ratelimit-reset-requests": "6m0s"}, 360.0),
        ({"x-ratelimit-reset-requests": "1h2m3.5s"}, 3723.5),
        ({"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-reset-tokens": "2s"}, 2.0),
        (
            {
                "x-ratelimit-reset-requests": "6m0s",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "2s",
                "x-ratelimit-remaining-tokens": "90",
            },
            360.0,
        ),
        ({"x-ratelimit-reset": "1792567690000", "x-ratelimit-remaining": "0", "date": DATE}, 10.0),
        ({"x-ratelimit-reset": "2026-10-21T07:28:10Z", "date": DATE}, 10.0),
    ],
)
def test_every_way_of_saying_when_to_come_back(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@pytest.fixture
def house() -> Provider:
    return registry.build(
        "mine", "compatible", base_url="http://vllm-0.models:8000/v1", key="opensesame", headers={"x-token": "tiktok12"}
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("bad key opensesame here", "bad key [removed] here"),
        ("token tiktok12", "token [removed]"),
        ("Incorrect API key provided: test.", "Incorrect API key provided: [removed]."),
        ("Your api key: ****-key is invalid", "Your api key: [removed] is invalid"),
        ("key sk-proj-abcdefgh1234 and gsk_abcdefgh1234", "key [removed] and [removed]"),
        ("in organization org-AbCd1234 on tokens", "in organization [removed] on tokens"),
        ("organization `org_01h2abc` tier", "organization `[removed]` tier"),
        ("auth Bearer abc.def", "auth [removed]"),
        ("0123456789abcdef0123456789abcdef", "[removed]"),
        ("User: arn:aws:sts::123456789012:assumed-role/gw is not authorized", "User: [removed] is not authorized"),
        ("Credential=ASIAIOSFODNN7EXAMPLE/2026", "Credential=[removed]/2026"),
        ("see https://platform.example.com/docs?x=1 now", "see https://[host]/docs?x=1 now"),
        ("cannot reach vllm-0.models:8000", "cannot reach [host]:8000"),
        ("from 10.0.0.1:80 to db.internal.", "from [host] to [host]."),
        ("at localhost:11434", "at [host]"),
        ("gpt-4.1-mini, llama-3.3-70b and claude-3.5 at messages.0.content", None),
        ("Invalid 'input[3].file_data': data:text/plain;base64,SGVsbG8=", None),
        ("requested 1250025 tokens at 12:34:56 in std::vector", None),
    ],
)
def test_keys_accounts_and_hosts_stay_in_the_house(house: Provider, said: str, told: str | None) -> None:
    assert clean(said, house) == (said if told is None else told)


@pytest.mark.parametrize("letter", ["a", "\u20ac", "\U0001f642"])
def test_a_long_message_is_cut_between_characters(house: Provider, letter: str) -> None:
    told = clean(letter * 10_000, house)

    assert LONGEST - 4 < len(told.encode()) <= LONGEST
    assert set(told) == {letter}


def test_a_lone_surrogate_does_no_harm(house: Provider) -> None:
    assert clean("a\ud800b", house) == "a?b"


def test_a_message_of_which_nothing_may_be_told_is_said_to_be_none(house: Provider) -> None:
    error = house.dialect.decode_error(house, 500, {}, b'{"error": {"message": "\\u0000"}}')

    assert error.message == "mine answered 500 without a message"
