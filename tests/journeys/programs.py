"""Clients with an SDK each, as processes of their own: started together, heard out one by one."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.gunicorn import CLASSES, ROOT, Server
from tests.journeys.faults import Trouble, troubles
from tests.journeys.house import GUEST, KEY


@dataclass(frozen=True, slots=True)
class Program:
    """`module` of tests.journeys.clients, run in an environment under .venv-sdks; None: in this one."""

    name: str
    module: str
    environment: str | None = None
    meets_faults: bool = False
    upstreams: tuple[str, ...] = ("up", "claude", "simulated")

    @property
    def python(self) -> Path | None:
        """The interpreter, None where the environment has not been made."""
        if self.environment is None:
            return Path(sys.executable)
        found = ROOT / ".venv-sdks" / self.environment / "bin" / "python"
        return found if found.exists() else None

    @property
    def troubles(self) -> list[Trouble]:
        return troubles(self.name) if self.meets_faults else []


OPENAI = (
    Program("openai-3", "openai_sdk", meets_faults=True),
    Program("openai-2", "openai_sdk", "old", meets_faults=True),
)
ANTHROPIC = (
    Program("anthropic-2", "anthropic_sdk", meets_faults=True),
    Program("anthropic-1", "anthropic_sdk", "old", meets_faults=True),
)
FRAMEWORKS = (
    Program(
        "langchain",
        "langchain_openai_sdk",
        "langchain",
        upstreams=("up", "claude", "cohere", "bedrock", "gemini", "simulated"),
    ),
    Program("litellm", "litellm_sdk", "litellm"),
    Program("instructor", "instructor_sdk", "instructor"),
)


@dataclass(frozen=True, slots=True)
class Said:
    """What one program saw of one server, by the name of the case."""

    program: Program
    kind: str  # worker class
    version: str
    book: Mapping[str, Any]

    @property
    def tag(self) -> str:
        """What all model names of this conversation begin with."""
        return f"{self.program.name}-{self.kind}"

    def __getitem__(self, case: str) -> Any:
        return self.book[case]

    def raised(self, case: str) -> Mapping[str, Any]:
        found = self.book[case]
        assert "raised" in found, f"{case} went well: {found}"
        raised: Mapping[str, Any] = found["raised"]
        return raised


Talk = Mapping[tuple[str, str], Said]  # by program and worker class


def own_providers() -> list[tuple[str, str]]:
    """Name and settings of the providers that some case needs for itself."""
    needed = [one for program in (*OPENAI, *ANTHROPIC) for one in program.troubles if one.provider != one.upstream]
    return [(one.provider, one.settings) for one in needed]


def talk(programs: Iterable[Program], servers: Mapping[str, Server]) -> Talk:
    """Let those that have an environment talk to all servers, all at once."""
    found = {}
    with contextlib.ExitStack() as stack:
        running = [(one, stack.enter_context(_running(one, servers))) for one in programs if one.python]
        for program, process in running:
            out, err = process.communicate(timeout=100)
            assert process.returncode == 0, f"{program.name} failed:\n{err}"
            told = json.loads(out)
            for kind, book in zip(servers, told["books"], strict=True):
                found[program.name, kind] = Said(program, kind, told["version"], book)
    return found


def cases(programs: Sequence[Program]) -> list[Any]:
    """Parameters of a fixture: every program with every worker class."""
    return [pytest.param((one, kind), id=f"{one.name}-{kind}") for one in programs for kind in CLASSES]


def heard(found: Talk, program: Program, kind: str) -> Said:
    """Skips the test where the environment is missing; in CI that is a failure."""
    if program.python is None:
        message = f"no environment .venv-sdks/{program.environment}: make sdks"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found[program.name, kind]


@contextlib.contextmanager
def _running(program: Program, servers: Mapping[str, Server]) -> Iterator[subprocess.Popen[str]]:
    jobs = [
        {
            "url": server.url,
            "key": KEY,
            "guest": GUEST,
            "tag": f"{program.name}-{kind}",
            "upstreams": list(program.upstreams),
            "faults": [
                (one.name, f"{one.provider}/{one.upstream_model(kind)}", one.stream) for one in program.troubles
            ],
        }
        for kind, server in servers.items()
    ]
    with subprocess.Popen(
        [str(program.python), "-m", f"tests.journeys.clients.{program.module}"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "ANTHROPIC_"))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        process.stdin.write(json.dumps(jobs))
        process.stdin.close()
        process.stdin = None  # or communicate() would close it again
        try:
            yield process
        finally:
            process.kill()
