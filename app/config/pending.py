"""Keys of the contract that this version does not enforce yet. Using one is an error: a promise not kept is worse.

Whoever makes a key work deletes its line here; nothing else has to change.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.config.problems import Report
from app.config.tree import get, matches, pattern, without

#: Path (* is any name or position) -> the values that do work already; most have none.
PENDING: Mapping[str, tuple[object, ...]] = {
    "models.*.context": (),
    "models.*.max_output": (),
}


def strip(tree: object, report: Report, pending: Mapping[str, tuple[object, ...]] = PENDING) -> object:
    """Report every use and take it out, so that later stages judge only what counts."""
    used = frozenset(
        at
        for text, works in pending.items()
        for at in matches(tree, pattern(text))
        if not any(value == get(tree, at) for value in works)
    )
    for at in used:
        report.add(at, "not enforced yet in this version")
    return without(tree, used)
