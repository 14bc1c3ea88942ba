"""What is declared, what is locked and what is installed are the same things."""

import configparser
import re
import subprocess
import sys
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
LOCKS = [
    ROOT / "deploy/requirements.txt",
    ROOT / "tests/requirements.txt",
    ROOT / "deploy/extras.txt",
    *sorted((ROOT / "tests/sdks").glob("*.txt")),
]


def declared() -> list[Requirement]:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    wanted = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
    lines = [line for part in wanted for line in part.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def locked(lock: Path) -> dict[str, str]:
    """Name -> version, of the packages that this kind of machine gets."""
    pins = re.findall(r"^(\S+)==(\S+)(?: ; (.*))? \\$", lock.read_text(), re.MULTILINE)
    wanted = [Requirement(f"{name}=={pin}" + (f"; {marker}" if marker else "")) for name, pin, marker in pins]
    return {pin.name: str(pin.specifier)[2:] for pin in wanted if pin.marker is None or pin.marker.evaluate()}


@pytest.mark.parametrize("requirement", declared(), ids=lambda requirement: requirement.name)
def test_the_lock_satisfies_what_setup_cfg_declares(requirement: Requirement) -> None:
    name = requirement.name.lower().replace("_", "-")

    assert requirement.specifier.contains(locked(LOCKS[2])[name]), "setup.cfg has changed: make lock"


def test_the_extras_add_to_the_lock_and_change_nothing_of_it() -> None:
    assert locked(LOCKS[0]).items() < locked(LOCKS[2]).items()


@pytest.mark.parametrize("lock", LOCKS[:2], ids=lambda lock: lock.parent.name)
def test_what_is_installed_is_what_is_locked(lock: Path) -> None:
    pins = locked(lock)

    assert {name: version(name) for name in pins} == pins


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_every_locked_package_carries_hashes(lock: Path) -> None:
    """pip checks hashes for all packages or for none."""
    pins = re.split(r"^(?=\S+==)", lock.read_text(), flags=re.MULTILINE)[1:]

    assert pins
    assert all("--hash=sha256:" in pin for pin in pins)


def test_the_gateway_runs_without_what_only_its_tests_need() -> None:
    """`make run` and the image have nothing else; a worker once could not find what gunicorn needs for gevent."""
    run = {re.sub(r"[-_.]+", "-", name) for name in locked(LOCKS[0])} | {"llm-gateway", "pip"}
    absent = [
        module
        for module, owners in packages_distributions().items()
        if all(re.sub(r"[-_.]+", "-", owner).lower() not in run for owner in owners)
    ]

    subprocess.run([sys.executable, "-c", _IMPORT_ALL, *absent], cwd=ROOT, check=True, timeout=60)


_IMPORT_ALL = """
import importlib, pkgutil, sys
sys.modules.update(dict.fromkeys(sys.argv[1:]))  # importing one of them is an ImportError now
import app
for module in pkgutil.walk_packages(app.__path__, "app."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""
