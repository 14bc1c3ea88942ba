"""What makes a provider's entry whole: its kind, the settings that this kind takes, and those that it needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec

from app.config.kinds import Kind
from app.config.problems import Path, Report, suggestion
from app.config.tree import changed, mapping

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_TAKEN = frozenset({"cache", "none", "other"})  # what metrics call answers and refusals that no provider gave


def complete(tree: object, kinds: Mapping[str, Kind], report: Report) -> object:
    """A copy in which every provider has its `kind`; what does not fit the kind goes to the report."""
    found: dict[Path, object] = {}
    for name, entry in mapping(tree, "providers").items():
        at: Path = ("providers", name)
        if not _NAME.fullmatch(name):
            report.add(at, "expected a name of a-z, 0-9 and -, a letter first, at most 32 characters")
        elif name in _TAKEN:
            report.add(at, "this name is taken: metrics use it for answers that no provider gave")
        if isinstance(entry, dict):
            kind = _kind(name, entry, at, kinds, report)
            found[*at, "kind"] = kind
            if isinstance(kind, str) and kind in kinds:
                _fit(entry, at, kind, kinds, report)
    return changed(tree, found)


def _kind(name: str, entry: dict[str, object], at: Path, kinds: Mapping[str, Kind], report: Report) -> object:
    kind = entry.get("kind", name if name in kinds else None)
    if "kind" not in entry and name not in kinds:
        close = suggestion(name, kinds)
        report.add((*at, "kind"), f"missing; expected a kind of provider, since the entry's name is none{close}")
    elif isinstance(kind, str) and kind not in kinds:
        report.add((*at, "kind"), f"expected a kind of provider{suggestion(kind, kinds)}")
    return kind


def _fit(entry: dict[str, object], at: Path, kind: str, kinds: Mapping[str, Kind], report: Report) -> None:
    row = kinds[kind]
    special = frozenset().union(*(other.accepts for other in kinds.values()))
    for key in entry:
        if key in special and key not in row.accepts:
            report.add((*at, key), f"not a setting of providers of the kind {kind}")
    for key in row.needs:
        if entry.get(key) is None:
            report.add((*at, key), f"missing; providers of the kind {kind} need it")
    has_key = any(entry.get(key) is not None for key in ("api_key", "api_key_file"))
    if row.needs_key and not has_key and all(entry.get(key) is None for key in ("base_url", *row.instead)):
        instead = "".join(f", or {key} with credentials_file or the machine's own" for key in row.instead[:1])
        report.add((*at, "api_key"), f"missing; expected this or api_key_file{instead}")
    if has_key and entry.get("credentials_file") is not None:
        report.add((*at, "credentials_file"), "expected either this or an API key, not both")
    elif row.package and (row.always or not has_key) and not _is_installed(row.package):
        report.add(at, f"needs a package that is not installed: pip install 'llm-gateway[{row.extra}]'")


def _is_installed(package: str) -> bool:
    """Without importing it: that takes time."""
    parents = package.split(".")[:-1]
    try:
        return all(find_spec(name) for name in (*parents, package))
    except ModuleNotFoundError:
        return False
