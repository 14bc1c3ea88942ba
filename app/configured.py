"""Providers and targets as the configuration has them, for whoever calls them and for whoever watches them."""

from __future__ import annotations

from collections.abc import Mapping

from app.config.settings import Settings
from app.core.call import Target
from app.core.provider import Cloud, Provider
from app.providers import registry
from app.resilience.breaker import fingerprint


def providers(settings: Settings) -> dict[str, Provider]:
    """By name."""
    return {
        name: registry.build(
            name=name,
            kind=given.kind,
            base_url=given.base_url,
            key=given.key,
            headers=given.clear_headers,
            proxy=given.proxy_url,
            ca_file=given.ca_file,
            api_version=given.api_version,
            cloud=Cloud(
                region=given.region,
                project=given.project,
                location=given.location,
                credentials_file=given.credentials_file,
            ),
            models=given.models,
        )
        for name, given in settings.providers.items()
    }


def credentials(providers: Mapping[str, Provider]) -> dict[str, int]:
    """The fingerprint of what each provider is shown, and where: a quarantine ends when either is changed."""
    return {name: fingerprint(repr(_shown(provider))) for name, provider in providers.items()}


def _shown(provider: Provider) -> tuple[object, ...]:
    shown = (provider.base_url, sorted(provider.headers.items()))
    return shown if provider.credentials is None else (*shown, provider.credentials.fingerprint)


def target_keys(settings: Settings, providers: Mapping[str, Provider]) -> dict[str, frozenset[str]]:
    """By provider, the names by which the breakers of the targets that `models` names are found."""
    found: dict[str, set[str]] = {name: set() for name in providers}
    for model in settings.models.values():
        for given in model.targets:
            target = Target(providers[given.provider], given.model, counted=not given.model.endswith("*"))
            found[given.provider].add(target.key)
    return {name: frozenset(keys) for name, keys in found.items()}


def offered_keys(settings: Settings) -> dict[str, frozenset[str]]:
    """The same of what clients may ask for as provider/model."""
    return {name: frozenset(f"{name}/{model}" for model in given.models) for name, given in settings.providers.items()}
