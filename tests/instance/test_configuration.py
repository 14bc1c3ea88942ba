"""What may not come into force on the addresses that are served."""

import pytest

from app.config.problems import ConfigError
from app.config.sources import Sources
from app.instance.configuration import accept
from app.instance.environment import Address

ANY = "0.0.0.0"  # noqa: S104 - judged, not bound
HERE, EVERYWHERE = Address("127.0.0.1", 9464), Address(ANY, 9464)
TENANTS = f"tenants: {{acme: {{keys: ['sha256:{'0' * 64}']}}}}\n"
SIMULATED = "providers: {simulated: {}}\nmodels: {fast: {targets: [simulated/x]}}\n"


def judge(text: str, listeners: list[str], metrics: Address = HERE) -> str:
    """What is wrong, or nothing."""
    try:
        accept(Sources("/etc/gateway.yaml", SIMULATED + text), {}, listeners, metrics)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("listeners", [["127.0.0.1"], ["::1", "127.0.0.1"], ["unix"], ["::1%lo"]])
def test_without_tenants_this_machine_is_served(listeners: list[str]) -> None:
    assert judge("", listeners) == ""


@pytest.mark.parametrize("listeners", [[ANY], ["127.0.0.1", "192.0.2.7"], ["::"], ["unix", "10.0.0.1"]])
def test_without_tenants_nobody_else_is(listeners: list[str]) -> None:
    assert "only this machine may be served" in judge("", listeners)
    assert judge("server: {open: true}", listeners) == ""
    assert judge(TENANTS, listeners) == ""


def test_metrics_are_for_this_machine_or_for_those_with_a_token() -> None:
    assert "metrics.token" in judge(TENANTS, [ANY], EVERYWHERE)
    assert judge(TENANTS + "metrics: {token: s3cret-s3cret-s3cret}", [ANY], EVERYWHERE) == ""
    assert judge(TENANTS + "metrics: {open: true}", [ANY], EVERYWHERE) == ""


def test_both_are_said_at_once() -> None:
    assert judge("", [ANY], EVERYWHERE).startswith("2 problems in /etc/gateway.yaml")
