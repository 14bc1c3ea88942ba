"""Variables in values."""

import pytest

from app.config.expand import expand
from app.config.problems import Report

ENVIRON = {"KEY": "k-1", "EMPTY": "", "TRICKY": "${KEY} $$ {a: b}", "N": "5"}


def expanded(value: object) -> tuple[object, dict[str, str]]:
    report = Report()
    found = expand({"a": value}, ENVIRON, report)
    assert isinstance(found, dict)
    return found["a"], {p.path: p.message for p in report.error({}).problems}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("${KEY}", "k-1"),
        ("Bearer ${KEY}!", "Bearer k-1!"),
        ("${KEY}${KEY}", "k-1k-1"),
        ("${NOT_SET:-default}", "default"),
        ("${NOT_SET:-}", ""),
        ("${EMPTY:-default}", "default"),
        ("${EMPTY}", ""),
        ("${KEY:-default}", "k-1"),
        ("${NOT_SET:-http://a:1/b?c}", "http://a:1/b?c"),
        ("$$", "$"),
        ("$$KEY", "$KEY"),
        ("$${KEY}", "${KEY}"),
        ("pa$$$$word", "pa$$word"),
        ("nothing", "nothing"),
    ],
)
def test_variables_defaults_and_dollar_signs(written: str, meant: str) -> None:
    assert expanded(written) == (meant, {})


def test_what_a_variable_holds_is_taken_as_it_is() -> None:
    assert expanded("${TRICKY}") == (ENVIRON["TRICKY"], {})


def test_only_text_values_are_expanded_and_keys_are_not() -> None:
    assert expanded({"${KEY}": [1, None, True, "${N}"]}) == ({"${KEY}": [1, None, True, "5"]}, {})


def test_every_variable_that_is_missing_is_named_at_its_path() -> None:
    _, problems = expanded({"x": ["${ONE}", "ok"], "y": "${TWO}${THREE}"})

    assert problems == {
        "a.x[0]": "environment variable ONE is not set, and there is no default (${ONE:-default})",
        "a.y": "environment variable TWO is not set, and there is no default (${TWO:-default}); "
        "environment variable THREE is not set, and there is no default (${THREE:-default})",
    }


@pytest.mark.parametrize("written", ["$KEY", "${KEY", "${}", "${1A}", "${KEY-x}", "${KEY:x}", "cost: 5 $", "${K EY}"])
def test_a_dollar_sign_that_means_nothing_is_refused(written: str) -> None:
    assert expanded(written)[1] == {"a": "expected ${NAME}, ${NAME:-default}, or $$ for a dollar sign"}
