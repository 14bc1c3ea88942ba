"""What each Gemini model takes that others refuse, by the beginning of its name.

Sources: Google's pages on thinking (budgets and levels), and the recorded exchanges, both of 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gemini:
    """One row. Models think by `levels`, or by a budget of tokens between `least` and `most`, or not at all.

    `can_be_stilled`: thinks nothing when told so. `signed`: refuses its own calls without their thought signature.
    """

    levels: tuple[str, ...] = ()
    least: int = 0
    most: int = 0
    can_be_stilled: bool = False
    signed: bool = False

    @property
    def thinks(self) -> bool:
        return bool(self.levels or self.most)


LEVELS = ("minimal", "low", "medium", "high", "xhigh")

_NEWEST = Gemini(levels=("low", "medium", "high"), signed=True)
_FLASH = Gemini(levels=("minimal", "low", "medium", "high"), signed=True)

#: Longest beginning wins. A Gemini that is not here is newer than this table and taken for the newest kind.
_MODELS: Mapping[str, Gemini] = {
    "gemini-": _NEWEST,
    "gemini-1": Gemini(),
    "gemini-2.0": Gemini(),
    "gemini-2.5-flash": Gemini(least=1, most=24_576, can_be_stilled=True),
    "gemini-2.5-flash-image": Gemini(),
    "gemini-2.5-flash-lite": Gemini(least=512, most=24_576, can_be_stilled=True),
    "gemini-2.5-pro": Gemini(least=128, most=32_768),
    "gemini-3-pro": Gemini(levels=("low", "high"), signed=True),
    "gemini-exp": Gemini(),
    "gemini-pro": Gemini(),
}
_LATER_FLASH = re.compile(r"gemini-(?:[3-9]|\d\d)[\d.]*-flash|gemini-flash")

#: Somebody else's model behind the same API (Gemma, a tuned one): nothing is known of it.
_STRANGER = Gemini()


def gemini(model: str) -> Gemini:
    """The row of a model, under any of its names: `gemini-2.5-pro`, `google/gemini-2.5-pro`, `gemini-2.5-pro-001`."""
    _, found, rest = model.rpartition("gemini-")
    if not found:
        return _STRANGER
    name = found + rest
    if _LATER_FLASH.match(name):
        return _FLASH
    return _MODELS[max((known for known in _MODELS if name.startswith(known)), key=len)]
