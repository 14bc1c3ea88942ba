"""The gateway of the moment, as views reach it: one assignment swaps it for every call to come."""

from __future__ import annotations

from dataclasses import dataclass

from app.gateway import Gateway


@dataclass(slots=True)
class Current:
    gateway: Gateway
