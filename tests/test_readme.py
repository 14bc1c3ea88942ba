"""What the README shows works."""

import ast
import re
from pathlib import Path

import pytest

from app.config import load

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_its_configuration_would_start(tmp_path: Path) -> None:
    (shown,) = blocks("yaml")
    path = tmp_path / "gateway.yaml"
    path.write_text(shown.replace("sha256:...", f"sha256:{'0f' * 32}"))

    settings = load.load(path, {"OPENAI_API_KEY": "sk-1", "ANTHROPIC_API_KEY": "sk-2"})

    assert set(settings.models) == {"fast", "claude-*"}


@pytest.mark.parametrize("shown", blocks("python"))
def test_its_examples_are_python(shown: str) -> None:
    ast.parse(shown)
