"""Replays everything and prints the table; exits with pytest's code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def main() -> int:
    here = Path(__file__).parent
    return int(pytest.main([str(here), "-q", "--no-header", "-r", "fE", *sys.argv[1:]]))


if __name__ == "__main__":
    sys.exit(main())
