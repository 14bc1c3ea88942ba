"""What is known of each provider, from its probes and from the calls that were made."""

from __future__ import annotations

import select
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app import configured
from app.config.settings import Settings
from app.core.clock import Clock
from app.core.provider import Provider
from app.health import verdict
from app.health.prober import Prober, Probes
from app.providers import registry
from app.resilience.records import Records
from app.resilience.standing import Circuit, Standing, provider_states, snapshot


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    well: bool
    circuit: Circuit
    quarantine_left: float  # seconds
    probes: Probes | None  # None: it is not asked


@dataclass(frozen=True, slots=True)
class _Watched:
    """One configuration, as far as it matters here."""

    credentials: Mapping[str, int]
    targets: Mapping[str, frozenset[str]]  # those of `models`, by provider
    offered: Mapping[str, frozenset[str]]


class Health:
    """One a housekeeper. `breakers`: the file in which the workers keep them."""

    def __init__(self, breakers: Path, clock: Clock) -> None:
        """Raises OSError if the file cannot be opened."""
        self._clock = clock
        self._records = Records(breakers, clock)
        self._prober = Prober(clock, select.poll)
        self._watched = _Watched({}, {}, {})

    def adopt(self, settings: Settings) -> None:
        """Another configuration is in force."""
        providers = configured.providers(settings)
        self._prober.adopt(_probed(settings, providers), settings.health.interval, settings.health.timeout)
        self._watched = _Watched(
            configured.credentials(providers),
            configured.target_keys(settings, providers),
            configured.offered_keys(settings),
        )

    def start(self) -> None:
        """Begin to ask."""
        self._prober.start()

    def targets(self) -> Mapping[str, Standing]:
        """By key, every one that was ever asked."""
        return snapshot(self._records, self._clock.monotonic(), self._watched.credentials).targets

    def providers(self) -> dict[str, ProviderHealth]:
        """By name, every one that is configured."""
        watched = self._watched
        found = snapshot(self._records, self._clock.monotonic(), watched.credentials)
        keys = {name: keys | (watched.offered[name] & found.targets.keys()) for name, keys in watched.targets.items()}
        probes = self._prober.found()
        health: dict[str, ProviderHealth] = {}
        for name, state in provider_states(found, keys).items():
            probed = probes.get(name)
            failed = probed.failed_in_a_row if probed else 0
            well = verdict.is_well(failed, state.quarantine_left, all_open=state.all_open)
            health[name] = ProviderHealth(well, state.circuit, state.quarantine_left, probed)
        return health


def _probed(settings: Settings, providers: Mapping[str, Provider]) -> list[tuple[Provider, str]]:
    """Whoever has a list of models; `simulated` has none, and is always there."""
    if not settings.health.probe:
        return []
    found = ((provider, registry.model_list_url(provider)) for provider in providers.values())
    return [(provider, url) for provider, url in found if url and settings.providers[provider.name].probe]
