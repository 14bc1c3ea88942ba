"""Which targets a public name stands for."""

import pytest

from app.core.call import Route, Target, Tenant, Timeouts
from app.core.errors import ErrorType, GatewayError
from app.core.provider import Provider
from app.providers import registry
from app.routing.table import Entry, RouteTable

ANYONE = Tenant("anyone")


def provider(name: str, *models: str) -> Provider:
    return registry.build(
        name=name,
        kind="openai",
        base_url=None,
        key="sk",
        headers={},
        proxy=None,
        ca_file=None,
        api_version=None,
        models=models,
    )


def entry(name: str, *targets: Target) -> Entry:
    return Entry(Route(name, name, targets))


@pytest.fixture
def table() -> RouteTable:
    a, b = provider("a", "small", "*"), provider("b", "large/with/slashes")
    entries = [
        entry("fast", Target(a, "x"), Target(b, "y")),
        entry("gpt-*", Target(a, "gpt-*")),
        entry("gpt-4*", Target(b, "four")),
    ]
    return RouteTable(entries, {"a": a, "b": b}, {"a": Timeouts(), "b": Timeouts(idle=5.0)})


def targets(table: RouteTable, model: str) -> list[str]:
    return [target.name for target in table.resolve(model, ANYONE).targets]


def test_an_exact_name_has_its_targets_in_order(table: RouteTable) -> None:
    assert targets(table, "fast") == ["a/x", "b/y"]


def test_the_longest_pattern_wins(table: RouteTable) -> None:
    assert targets(table, "gpt-4.1") == ["b/four"]
    assert targets(table, "gpt-3") == ["a/gpt-3"]


def test_a_star_in_a_target_takes_over_what_the_pattern_s_star_stood_for(table: RouteTable) -> None:
    assert targets(table, "gpt-oss:20b") == ["a/gpt-oss:20b"]


def test_a_provider_s_own_models_can_be_asked_for_by_their_full_name(table: RouteTable) -> None:
    (target,) = table.resolve("b/large/with/slashes", ANYONE).targets
    assert (target.name, target.configured, target.timeouts.idle) == ("b/large/with/slashes", False, 5.0)
    assert targets(table, "a/whatever/it/is") == ["a/whatever/it/is"]


@pytest.mark.parametrize("model", ["nothing", "b/other", "c/x", "a/", "/x", "fas", "FAST"])
def test_an_unknown_name_is_a_404_that_lists_what_there_is(table: RouteTable, model: str) -> None:
    with pytest.raises(GatewayError) as caught:
        table.resolve(model, ANYONE)
    assert (caught.value.type, caught.value.status, caught.value.param) == (ErrorType.MODEL_NOT_FOUND, 404, "model")
    assert "fast" in caught.value.message


def test_a_long_unknown_name_is_not_echoed_whole(table: RouteTable) -> None:
    with pytest.raises(GatewayError) as caught:
        table.resolve("x" * 250, ANYONE)
    assert "x" * 161 not in caught.value.message


def test_a_tenant_gets_403_for_a_model_that_it_may_not_use_and_does_not_see_it(table: RouteTable) -> None:
    tenant = Tenant("acme", models=("fast", "b/*"))
    with pytest.raises(GatewayError) as caught:
        table.resolve("a/small", tenant)
    assert (caught.value.type, caught.value.status) == (ErrorType.PERMISSION, 403)
    assert list(table.names(tenant)) == ["fast", "b/large/with/slashes"]


def test_labels_come_from_the_configuration_alone(table: RouteTable) -> None:
    assert table.resolve("gpt-anything", ANYONE).label == "gpt-*"
    assert table.resolve("a/anything", ANYONE).label == "a/*"
    assert {label for label, _ in table.labels()} == {
        "fast",
        "gpt-*",
        "gpt-4*",
        "a/*",
        "a/small",
        "b/large/with/slashes",
    }
