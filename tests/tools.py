"""Programs that tests need and Python does not bring along."""

import os
import shutil

import pytest


def tool(name: str) -> str:
    """Its path. Missing at home, it skips the test that asks for it; in CI it fails it."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name} is not installed")
    return found
