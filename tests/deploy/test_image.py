"""The image, as far as can be seen without an engine: its recipe is linted, and what it starts runs from its files."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import requests

from tests.gunicorn import ROOT, free_port, until

LINTER = ROOT / ".venv-sdks" / "deploy" / "bin" / "hadolint"
TEXT = (ROOT / "Dockerfile").read_text()
STEPS = [
    (word, rest.strip())
    for word, _, rest in (line.partition(" ") for line in re.sub(r"\\\n\s*", " ", TEXT).splitlines())
    if word and word != "#"
]
FINAL = STEPS[max(at for at, (word, _) in enumerate(STEPS) if word == "FROM") :]
CONFIG = """
providers: {simulated: {latency: 0}}
models: {fast: {targets: [simulated/x]}}
tenants: {acme: {keys: ["sha256:2f0b6f8d3c1a4e5970b1d2c3e4f5061728394a5b6c7d8e9f00112233445566aa"]}}
"""

_WHERE = "import app; print(app.__file__)"


def rests(word: str, steps: list[tuple[str, str]] = STEPS) -> list[str]:
    return [rest for each, rest in steps if each == word]


def environment() -> dict[str, str]:
    """What the image's processes begin with."""
    return dict(pair.split("=", 1) for rest in rests("ENV", FINAL) for pair in shlex.split(rest))


def test_the_linter_has_nothing_to_say() -> None:
    if not LINTER.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no environment .venv-sdks/deploy: make sdks")
    done = subprocess.run(
        [LINTER, "--no-color", "--failure-threshold", "style", ROOT / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_what_builds_it_stays_out_of_it() -> None:
    first, last = rests("FROM")
    image = last.split()[0]
    assert first == f"{image} AS build"
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    python = re.fullmatch(r"python:(3\.\d+)-slim", image)
    assert python is not None, "a version, and no more than it needs"
    assert python[1] == setup["options"]["python_requires"].removeprefix(">=")
    assert [rest for rest in rests("COPY", FINAL) if not rest.startswith("--from=build ")] == []
    assert not rests("ADD")


def test_everything_that_is_installed_is_locked() -> None:
    installs = [part for rest in rests("RUN") for part in rest.split("&&") if "pip install" in part]
    assert len(installs) == 2
    assert [part for part in installs if "--require-hashes --only-binary :all: -r" not in part] == [
        part for part in installs if "--no-deps --no-build-isolation -e ." in part
    ]
    (lock,) = rests("ARG")
    assert (ROOT / lock.partition("=")[2]).is_file()


def test_it_runs_as_a_number_that_is_not_root() -> None:
    (user,) = rests("USER", FINAL)
    assert int(user) >= 10_000, "a number, by which Kubernetes sees that it is not root"
    made = re.search(r"--uid (\d+)", " ".join(rests("RUN", FINAL)))
    assert made is not None
    assert made[1] == user
    order = [word for word, _ in FINAL]
    assert order.index("USER") < order.index("CMD")
    assert order.index("USER") > max(at for at, word in enumerate(order) if word in ("RUN", "COPY"))


def test_the_port_that_it_names_is_bound() -> None:
    assert rests("EXPOSE", FINAL) == [environment()["GATEWAY_BIND"].rpartition(":")[2]]
    assert f":{rests('EXPOSE', FINAL)[0]}/health/live" in rests("HEALTHCHECK", FINAL)[0]


def copied() -> Iterator[tuple[Path, Path]]:
    """Every file that the build takes from here, and where it puts it: of a folder, COPY takes what is in it."""
    for rest in rests("COPY"):
        *sources, place = rest.split()
        for source in sources if not rest.startswith("--from") else ():
            path = ROOT / source
            assert path.exists(), source
            inside = [each for each in path.rglob("*") if each.is_file() and "__pycache__" not in each.parts]
            yield from ((each, Path(place, each.relative_to(path))) for each in inside)
            if path.is_file():
                yield path, Path(place, path.name)


def test_the_image_gets_every_file_that_it_copies() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*", "what is not named stays out"
    allowed = [line[1:] for line in ignored if line.startswith("!")]
    missing = [
        name
        for name in (str(path.relative_to(ROOT)) for path, _ in copied())
        if not any(
            name.startswith(each.removesuffix("**")) if each.endswith("/**") else Path(name).match(each)
            for each in allowed
        )
    ]
    assert missing == []


@pytest.fixture
def srv(tmp_path: Path) -> Path:
    """What the build leaves at /srv: nothing of this checkout but what it copies."""
    for path, place in copied():
        made = tmp_path / "srv" / place
        made.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, made)
    return tmp_path / "srv"


def started(command: str, srv: Path, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A command of the image, in its directory and its environment and in no other."""
    arguments = json.loads(command)
    program = Path(sys.executable).with_name(arguments[0])
    with (srv.parent / "log").open("ab") as log:
        return subprocess.Popen([program, *arguments[1:]], cwd=srv, env=dict(variables), stdout=log, stderr=log)


def test_what_it_starts_serves_is_healthy_and_ends(srv: Path, tmp_path: Path) -> None:
    """With the variables of the image alone, on another port; the checkout is not in sight, and nothing is written."""
    config, port, tmp = tmp_path / "gateway.yaml", free_port(), tmp_path / "tmp"
    config.write_text(CONFIG)
    tmp.mkdir()
    given = environment()
    own = given["GATEWAY_BIND"].rpartition(":")[2]
    variables = {
        **given,
        "PATH": given["PATH"].replace("/opt/venv/bin:$PATH", f"{Path(sys.executable).parent}:{os.defpath}"),
        "GATEWAY_BIND": given["GATEWAY_BIND"].replace(own, str(port)),
        "GATEWAY_CONFIG": str(config),
        "GATEWAY_METRICS_BIND": f"127.0.0.1:{free_port()}",
        "TMPDIR": str(tmp),
        "HOME": "/nonexistent",
        "PYTHONPATH": str(srv),  # where the editable install of the image points
        "PYTHONDONTWRITEBYTECODE": "1",  # the image has it already, and may not write it
    }
    before = {path for path in srv.rglob("*")}
    (start,) = rests("CMD", FINAL)
    server = started(start, srv, variables)
    try:
        until(lambda: requests.get(f"http://127.0.0.1:{port}/health/ready", timeout=5).ok, "a ready gateway")
        assert requests.get(f"http://127.0.0.1:{port}/v1/models", timeout=5).status_code == 401
        check = rests("HEALTHCHECK", FINAL)[0].partition("CMD ")[2].replace(f":{own}/", f":{port}/")
        assert started(check, srv, variables).wait(60) == 0
        found = subprocess.run([sys.executable, "-c", _WHERE], cwd=srv, env=variables, capture_output=True, check=True)
        assert Path(found.stdout.decode().strip()).is_relative_to(srv), "or it was this checkout that answered"
    finally:
        server.terminate()
        ended = server.wait(30)
    log = (tmp_path / "log").read_text()
    assert ended == 0, log
    assert {path for path in srv.rglob("*")} == before
    assert {path.name.rpartition("-")[0] for path in tmp.iterdir()} == {f"llm-gateway-{port}"}, "the run directory"
    assert started(check, srv, variables).wait(60) != 0, "nobody is there any more"
