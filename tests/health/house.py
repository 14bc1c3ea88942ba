"""A gateway with a housekeeper that asks often, and what it says of providers."""

from collections.abc import Mapping
from typing import Any

from app.core import json
from tests.gunicorn import Server
from tests.metrics.page import page_of

KEY = "sk-canary-4f81c0d2e6"  # nobody but the provider may see it
OFTEN = "health: {interval: 0.3, timeout: 0.5}\n"


def gauges(server: Server, name: str) -> dict[str, float]:
    """By provider. The page may be a second old."""
    return {labels["provider"]: value for labels, value in page_of(server).series(name)}


def checks(server: Server, provider: str) -> dict[str, float]:
    """Probes of a provider, by how they ended; those that never happened left out."""
    found = page_of(server).series("provider_health_checks_total")
    return {labels["result"]: value for labels, value in found if labels["provider"] == provider and value}


def health(server: Server, provider: str) -> Mapping[str, Any]:
    """What the housekeeper says of a provider, at this moment."""
    status, _, body = server.private("/health/providers")
    assert status == 200, body
    found: Mapping[str, Any] = json.loads(body)["providers"].get(provider, {})
    return found


def chat(model: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "hi"}]}
