"""How targets and providers stand, for gauges, health and whoever looks from outside. Only reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum

from app.resilience.records import Kind, Records, kept


class Circuit(IntEnum):
    """As the gauge has it."""

    CLOSED = 0
    OPEN = 1
    HALF_OPEN = 2  # a probe is due or runs


@dataclass(frozen=True, slots=True)
class Standing:
    """One target. Seconds, 0 where there is nothing to wait for."""

    key: str  # as the records keep it
    provider: str
    circuit: Circuit
    open_left: float
    cooling_left: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every target that was ever asked, by key, and the providers whose key is in quarantine, with the seconds left."""

    targets: Mapping[str, Standing]
    quarantined: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ProviderStanding:
    circuit: Circuit
    all_open: bool  # no target of it would be asked: it is not well
    quarantine_left: float  # seconds


def snapshot(records: Records, now: float, keys: Mapping[str, int] | None = None) -> Snapshot:
    """`now` is monotonic; `keys` as the Breakers have them."""
    keys = keys or {}
    targets: dict[str, Standing] = {}
    quarantined: dict[str, float] = {}
    for record in records.all():
        state = record.read()
        if record.kind is Kind.PROVIDER:
            if left := state.quarantine_left(keys.get(record.provider, 0), now):
                quarantined[record.provider] = left
            continue
        circuit = Circuit.CLOSED
        if state.opened:
            circuit = Circuit.OPEN if now < state.until else Circuit.HALF_OPEN
        targets[record.name] = Standing(
            key=record.name,
            provider=record.provider,
            circuit=circuit,
            open_left=max(0.0, state.until - now),
            cooling_left=max(0.0, state.cooling - now),
        )
    return Snapshot(targets, quarantined)


def provider_states(found: Snapshot, targets_by_provider: Mapping[str, Collection[str]]) -> dict[str, ProviderStanding]:
    """A provider is open if all its targets are, half-open if one of them is, else closed.

    `targets_by_provider`: the keys that `Breakers.ask()` is given. A target that nobody has asked is closed.
    """
    states: dict[str, ProviderStanding] = {}
    for provider, keys in targets_by_provider.items():
        circuits = [_circuit(found, key) for key in keys]
        all_open = bool(circuits) and all(circuit is Circuit.OPEN for circuit in circuits)
        circuit = Circuit.OPEN if all_open else Circuit.HALF_OPEN if Circuit.HALF_OPEN in circuits else Circuit.CLOSED
        states[provider] = ProviderStanding(circuit, all_open, found.quarantined.get(provider, 0.0))
    return states


def _circuit(found: Snapshot, key: str) -> Circuit:
    standing = found.targets.get(kept(key))
    return standing.circuit if standing else Circuit.CLOSED
