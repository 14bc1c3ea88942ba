"""`make sbom`: what the gateway is made of is what is locked, no more and no less, with licences that may be used."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.test_packaging import LOCKS, ROOT, locked

#: What may be part of the image without more thought.
LICENCES = {
    *("MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "PSF-2.0", "ZPL-2.1"),
    "MPL-2.0",  # certifi, orjson: unchanged files of their own
}


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads(written())


def written() -> str:
    command = [sys.executable, "deploy/sbom.py"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout


def test_it_lists_what_is_locked_with_all_hashes(document: Any) -> None:
    found = {each["name"]: each["version"] for each in document["components"]}
    assert found == locked(LOCKS[0])
    lock = LOCKS[0].read_text()
    for each in document["components"]:
        pinned = re.search(rf"^{re.escape(each['name'])}==.*?(?=^\S|\Z)", lock, re.MULTILINE | re.DOTALL)
        assert pinned is not None
        hashes = [one["value"] for one in each["properties"]]
        assert hashes == re.findall(r"sha256:([0-9a-f]{64})", pinned[0])
        assert each["purl"] == f"pkg:pypi/{each['name']}@{each['version']}"


def test_every_licence_is_known_and_may_be_used(document: Any) -> None:
    for each in (document["metadata"]["component"], *document["components"]):
        (licence,) = each["licenses"]
        expression = licence.get("expression") or licence["license"]["id"]
        assert set(re.split(r"[()]| AND | OR ", expression)) - {""} <= LICENCES, each["name"]


def test_everything_is_there_because_something_needs_it(document: Any) -> None:
    """From the gateway down; setuptools alone is what installs it."""
    needs = {each["ref"]: each["dependsOn"] for each in document["dependencies"]}
    reached, todo = set(), ["llm-gateway"]
    while todo:
        if (ref := todo.pop()) not in reached:
            reached.add(ref)
            todo += needs[ref]
    left = {each["name"] for each in document["components"] if each["bom-ref"] not in reached}
    assert left <= {"setuptools"}


def test_it_is_cyclonedx_and_the_same_lock_gives_the_same_bytes(document: Any) -> None:
    assert (document["bomFormat"], document["specVersion"], document["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", document["serialNumber"])
    assert written() == written()
