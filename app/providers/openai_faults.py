"""What may be wrong with a 200."""

from __future__ import annotations

from typing import Any


class NoAnswer(ValueError):
    """It is not an answer at all: parts are missing, or of another type."""


class Failed(Exception):
    """It says itself that the provider failed. Carries what it says."""

    def __init__(self, said: Any) -> None:
        super().__init__("the provider failed")
        self.said = said
