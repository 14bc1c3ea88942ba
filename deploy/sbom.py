"""What the gateway is made of, as CycloneDX 1.6: `make sbom` writes sbom.json.

Made of the lock, which says what is installed and with which hashes, and of what the installed packages say of
themselves: licence, home and what they need. The same lock gives the same bytes: there is no date in it.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "deploy/requirements.txt"
NAME = "llm-gateway"
_PIN = re.compile(r"^(\S+)==(\S+)(?: ; (.*?))? \\$((?:\n    --hash=\S+(?: \\)?)+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_HOME = ("homepage", "home", "source", "repository", "source code", "github")


def document() -> dict[str, Any]:
    """Raises PackageNotFoundError where what is locked is not installed."""
    components = [component for pin in _PIN.findall(LOCK.read_text()) if (component := _component(*pin)) is not None]
    known: dict[str, str] = {canonicalize_name(each["name"]): each["bom-ref"] for each in components}
    ours = {**_described(NAME), "type": "application", "name": NAME, "bom-ref": NAME}
    refs = {NAME: NAME, **known}
    dependencies = [
        {"ref": refs[name], "dependsOn": sorted(known[each] for each in needed if each in known)}
        for name, needed in _needs(refs).items()
    ]
    content = {"metadata": {"component": ours}, "components": components, "dependencies": dependencies}
    number = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(content, sort_keys=True))
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{number}", "version": 1}
    return {**head, **content}


def _component(name: str, version: str, marker: str, hashes: str) -> dict[str, Any] | None:
    """None for what this kind of machine does not get."""
    wanted = Requirement(f"{name}=={version}" + (f"; {marker}" if marker else ""))
    if wanted.marker is not None and not wanted.marker.evaluate():
        return None
    url = f"pkg:pypi/{canonicalize_name(name)}@{version}"
    # CycloneDX has one hash of each kind for a file; the lock allows several files, one for each kind of machine.
    files = [{"name": "pip:sha256", "value": each} for each in _HASH.findall(hashes)]
    return {
        "type": "library",
        "name": name,
        "bom-ref": url,
        "purl": url,
        "scope": "required",
        **_described(name),
        "version": version,
        "properties": files,
    }


def _described(name: str) -> dict[str, Any]:
    told = metadata.metadata(name)
    urls = [each.partition(", ") for each in told.get_all("Project-URL") or ()]
    homes = [url for label, _, url in urls if label.lower() in _HOME] + [str(told["Home-page"])] * ("Home-page" in told)
    return {
        "version": str(told["Version"]),
        "description": str(told["Summary"]),
        "licenses": [{"expression": licence}] if " " in (licence := _licence(told)) else [{"license": {"id": licence}}],
        **({"externalReferences": [{"type": "website", "url": homes[0]}]} if homes else {}),
    }


#: What older packages say in words of their own.
_SPDX: Mapping[str, str] = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Zope Public License": "ZPL-2.1",
    "Python Software Foundation License": "PSF-2.0",
}


def _licence(told: Any) -> str:
    """An SPDX expression. Raises ValueError where a package says nothing that is known: it must be looked at."""
    if "License-Expression" in told:
        return str(told["License-Expression"])
    words = [each.rpartition(" :: ")[2] for each in told.get_all("Classifier") or () if each.startswith("License")]
    for said in (*words, told["License"] or ""):
        if (found := str(_SPDX.get(said, said))) in _SPDX.values():
            return found
    raise ValueError(f"{told['Name']} has a licence that is not known: {words or told['License']}")


def _needs(names: Iterable[str]) -> Mapping[str, set[str]]:
    """By name, what each needs here, with the extras by which it is itself needed: gunicorn[gevent] needs packaging."""
    declared = {name: [Requirement(each) for each in metadata.requires(name) or ()] for name in names}
    extras: dict[str, set[str]] = {}
    for each in (each for requirements in declared.values() for each in requirements):
        extras.setdefault(canonicalize_name(each.name), set()).update(each.extras)
    return {
        name: {canonicalize_name(each.name) for each in requirements if _holds(each, extras.get(name, set()))}
        for name, requirements in declared.items()
    }


def _holds(requirement: Requirement, extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=1, sort_keys=True)
    print()
