"""Configurations for tests, and what is wrong with them."""

from collections.abc import Mapping

import pytest
from _pytest.mark import ParameterSet

from app.config.load import parse
from app.config.problems import ConfigError
from app.config.settings import Settings

HASH = "sha256:" + "ab" * 32
OTHER_HASH = "sha256:" + "cd" * 32

#: Enough to stand on; a test adds what it is about.
BASE = """
providers:
  openai: {api_key: k}
  simulated: {}
models:
  fast: {targets: [openai/gpt]}
"""

NOTHING: Mapping[str, str] = {}


def one(text: str, path: str, message: str) -> ParameterSet:
    """A row of a table: a configuration and its only problem."""
    return pytest.param(text, {path: message}, id=f"{path}: {message[:40]}")


def settings(
    text: str,
    environ: Mapping[str, str] = NOTHING,
    files: Mapping[str, str] = NOTHING,
    *,
    origin: str | None = None,
) -> Settings:
    def read(name: str) -> str:
        if name not in files:
            raise FileNotFoundError(2, "No such file or directory")
        return files[name]

    return parse(text, environ, read, origin=origin)


def problems(
    text: str,
    environ: Mapping[str, str] = NOTHING,
    files: Mapping[str, str] = NOTHING,
) -> dict[str, str]:
    """Path to message; empty where the configuration is good."""
    try:
        settings(text, environ, files)
    except ConfigError as error:
        return {problem.path: problem.message for problem in error.problems}
    return {}
