"""How targets and providers stand, as the housekeeper of a running gateway says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.json import Json
from app.resilience.standing import Circuit


@dataclass(frozen=True, slots=True)
class Standings:
    """`state` is the page /state; empty where no gateway runs, and then everything is said to be well."""

    state: Mapping[str, Any]

    def of(self, provider: str, key: str) -> tuple[bool, str]:
        """Whether the target would be asked now, and why, or why not."""
        one: Json = self.state.get("targets", {}).get(key, {})
        its: Json = self.state.get("providers", {}).get(provider, {})
        circuit = one.get("breaker", Circuit.CLOSED.name.lower())
        if left := its.get("quarantine"):
            return False, f"the provider refuses our key, or the account is empty: left alone for {left:.0f} s more"
        if circuit == Circuit.OPEN.name.lower():
            return False, f"breaker open: next try in {one['open_left']:.0f} s"
        if left := one.get("cooling_left"):
            return False, f"it asked for a pause after a 429: {left:.0f} s more"
        if circuit == Circuit.HALF_OPEN.name.lower():
            return True, "breaker half-open: one call at a time tries whether it is back"
        return True, f"breaker closed{_probed(its)}"


def _probed(its: Json) -> str:
    probe = its.get("probe")
    if not probe:
        return ""
    failed = probe["failed_in_a_row"]
    said = f"probe: {probe['result']} {probe['age']:.0f} s ago"
    return f", {said}" + (f", {failed} failed in a row" if failed else "")
