"""The JSON schema says what a file may have."""

import json
from collections.abc import Iterator
from typing import Any

from app.config import document
from app.config.entries import complete
from app.config.kinds import FAULTS, KINDS
from app.config.problems import Report, dotted
from app.config.schema import keys_at, schema
from app.config.tree import matches, pattern
from app.core.errors import ErrorType
from app.providers import registry
from tests.config.test_accepted import EVERYTHING


def properties(found: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property of the schema by its path."""
    for choice in [found, *found.get("anyOf", [])]:
        for name, inner in choice.get("properties", {}).items():
            yield f"{at}{name}", inner
            yield from properties(inner, f"{at}{name}.")
        for each in ("additionalProperties", "items"):
            if isinstance(choice.get(each), dict):
                yield from properties(choice[each], f"{at}*.")


def test_the_schema_takes_every_key_that_a_file_may_have() -> None:
    """One of them is called `default`, which is a word of JSON schema, too."""
    whole = schema()
    known = {at: keys_at(whole, at[:-1]) for at in document.read(EVERYTHING, Report()).lines if at}

    assert [dotted(at) for at, keys in known.items() if keys and isinstance(at[-1], str) and at[-1] not in keys] == []


def test_every_key_is_described() -> None:
    assert [path for path, inner in properties(schema()) if not inner.get("description")] == []


def test_the_schema_stands_alone_and_keeps_its_keys_to_itself() -> None:
    text = json.dumps(schema())

    assert "$ref" not in text
    assert "$defs" not in text
    assert schema()["additionalProperties"] is False
    assert "openai" in dict(properties(schema()))["providers.*.kind"]["enum"]


def test_the_schema_knows_ranges_and_what_is_required() -> None:
    found = dict(properties(schema()))

    assert found["server.max_body"]["minimum"] == 1
    assert found["timeouts.connect"]["exclusiveMinimum"] == 0
    assert found["timeouts.connect"]["default"] == 5
    assert "default" not in found["providers.*.timeouts.connect"], "it comes from the top"
    assert "default" not in found["tenants.*.limits.concurrent"], "it comes from limits.default"
    assert found["models.*.targets"]["minItems"] == 1
    assert schema()["required"] == ["providers"]


def test_faults_are_error_types_that_a_provider_can_cause_or_accidents_of_the_wire() -> None:
    accidents = {"cut", "stall", "malformed", "slow"}
    ours = {"client_authentication", "permission", "circuit_open", "no_provider", "shutting_down", "saturated",
            "cancelled", "internal"}  # fmt: skip

    assert set(FAULTS) == {str(e) for e in ErrorType} - ours | accidents


def test_the_kinds_are_those_that_there_are_providers_for() -> None:
    rows = registry.rows()

    assert set(KINDS) == set(rows)
    assert {kind for kind, row in KINDS.items() if "base_url" in row.needs} == {
        kind for kind, row in rows.items() if row.base_url is None and row.base_url_at is None
    }


def test_every_kind_of_provider_can_be_configured_with_what_it_needs() -> None:
    wanted = {"base_url": "http://h/v1", "api_key": "k", "region": "us-east-1"}
    for kind, row in KINDS.items():
        entry = {key: value for key, value in wanted.items() if key in row.accepts}
        report = Report()
        tree = complete({"providers": {"mine": {"kind": kind, **entry}}}, KINDS, report)

        assert not report, kind
        assert list(matches(tree, pattern("providers.*.kind"))) == [("providers", "mine", "kind")]
