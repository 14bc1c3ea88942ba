"""`llm-gateway schema`: the configuration's JSON schema, for editors."""

from __future__ import annotations

import argparse
import json

from app.config import schema as config

HELP = "print the JSON schema of the configuration file"


def options(parser: argparse.ArgumentParser) -> None:
    """Takes none."""


def run(_: argparse.Namespace) -> int:
    print(json.dumps(config.schema(), indent=2))
    return 0
