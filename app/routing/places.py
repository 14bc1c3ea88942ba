"""How many calls each provider may have at a time, so that one that hangs cannot take every place of a worker."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

from app.core.call import Target


class Places:
    """Of one worker and configuration."""

    def __init__(self, limits: Mapping[str, int]) -> None:
        """`limits`: by provider."""
        self._limits = limits
        self._lock = threading.Lock()
        self._providers: Counter[str] = Counter()
        self._targets: Counter[str] = Counter()

    def take(self, target: Target) -> bool:
        """False where the provider is full; else `leave` must follow."""
        provider = target.provider.name
        with self._lock:
            if self._providers[provider] >= self._limits[provider]:
                return False
            self._providers[provider] += 1
            self._targets[target.key] += 1
            return True

    def leave(self, target: Target) -> None:
        with self._lock:
            self._providers[target.provider.name] -= 1
            self._targets[target.key] -= 1

    def busy(self, target: Target) -> int:
        return self._targets[target.key]
