"""Names that point to other parts of the file must exist there. Works on the parsed file, so that these problems are
reported beside those of types and ranges.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.config.problems import Path, Report, suggestion
from app.config.tree import get, mapping, matches, pattern, texts

_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_TAKEN = frozenset({"anonymous", "other"})  # what metrics and logs call callers that have no tenant of their own


def check(tree: object, report: Report) -> None:
    names = Names(tree)
    _check_providers(tree, report)
    for model, entry in mapping(tree, "models").items():
        _check_name(model, ("models", model), report)
        _check_targets(entry, ("models", model), names, report)
        _check_fallbacks(entry, model, names, report)
    _check_tenants(tree, names, report)


class Names:
    """Which models can be asked for."""

    def __init__(self, tree: object) -> None:
        self.providers = mapping(tree, "providers")
        self.models = mapping(tree, "models")
        self._offers = {
            f"{provider}/{model}"
            for provider, entry in self.providers.items()
            for _, model in texts(mapping(entry).get("models"))
        }

    def can_be(self, name: str) -> bool:
        """Does the name, or with a * at its end any that begins so, lead somewhere?"""
        return name in self.models or any(_meet(name, known) for known in self._known())

    def suggest(self, name: str) -> str:
        return suggestion(name, self._known())

    def _known(self) -> Iterator[str]:
        yield from self.models
        yield from self._offers


def _meet(one: str, other: str) -> bool:
    """Is there a name that both describe? Either may end in a *."""
    if one.endswith("*") and other.endswith("*"):
        return one[:-1].startswith(other[:-1]) or other[:-1].startswith(one[:-1])
    if one.endswith("*"):
        return other.startswith(one[:-1])
    if other.endswith("*"):
        return one.startswith(other[:-1])
    return one == other


def _check_providers(tree: object, report: Report) -> None:
    providers = mapping(tree, "providers")
    if not isinstance(tree, dict):
        return
    if tree.get("providers", {}) == {}:
        report.add(("providers",), "expected at least one provider")
    elif providers and not mapping(tree, "models") and not any(mapping(p).get("models") for p in providers.values()):
        report.add(("models",), "expected at least one model here, or `models` in a provider")


def _check_name(model: str, at: Path, report: Report) -> None:
    if not model or len(model) > 128 or not model.isprintable() or " " in model:
        report.add(at, "expected a name of at most 128 characters without spaces")
    elif "*" in model[:-1]:
        report.add(at, "expected a name with at most one *, at its end")


def _check_targets(entry: object, at: Path, names: Names, report: Report) -> None:
    is_pattern = str(at[-1]).endswith("*")
    targets = mapping(entry).get("targets")
    seen: set[str] = set()
    for i, item in enumerate(targets if isinstance(targets, list) else []):
        place: Path = (*at, "targets", i)
        target = item
        if isinstance(item, dict):
            place, target = (*place, "target"), item.get("target")
        if not isinstance(target, str):
            continue
        provider, slash, model = target.partition("/")
        if not slash or not provider or not model:
            report.add(place, "expected provider/model")
        elif provider not in names.providers:
            report.add(place, f"no such provider{suggestion(provider, names.providers)}")
        elif "*" in model[:-1] or (model.endswith("*") and not is_pattern):
            report.add(
                place, "expected one model; a * at the end takes over what a * at the end of this name stands for"
            )
        elif target in seen:
            report.add(place, "named twice in this model")
        seen.add(target)


def _check_fallbacks(entry: object, model: str, names: Names, report: Report) -> None:
    for at in matches(mapping(entry).get("fallbacks"), pattern("*")):
        for i, name in texts(get(mapping(entry), ("fallbacks", *at))):
            place: Path = ("models", model, "fallbacks", *at, i)
            if "*" in name or not names.can_be(name):
                report.add(place, f"no such model{names.suggest(name)}")
            elif name == model:
                report.add(place, "a model cannot be its own fallback")


def _check_tenants(tree: object, names: Names, report: Report) -> None:
    hashes: dict[str, Path] = {}
    for tenant, entry in mapping(tree, "tenants").items():
        at: Path = ("tenants", tenant)
        if not _TENANT.fullmatch(tenant):
            report.add(at, "expected a name of letters, digits and . _ - @, at most 64 characters")
        elif tenant in _TAKEN:
            report.add(at, "this name is taken: metrics and logs use it for callers without a tenant")
        for i, name in texts(mapping(entry).get("models")):
            if not names.can_be(name):
                report.add((*at, "models", i), f"no such model{names.suggest(name)}")
        for name in mapping(entry, "model_limits"):
            if not names.can_be(name):
                report.add((*at, "model_limits", name), f"no such model{names.suggest(name)}")
        for place, digest in _hashes(mapping(entry).get("keys"), (*at, "keys")):
            if digest in hashes:
                report.add(place, "the same key stands above, too; every key belongs to one tenant, once")
            hashes.setdefault(digest, place)


def _hashes(keys: object, at: Path) -> Iterator[tuple[Path, str]]:
    for i, key in enumerate(keys if isinstance(keys, list) else []):
        value = key.get("hash") if isinstance(key, dict) else key
        if isinstance(value, str):
            yield (*at, i), value.lower()
