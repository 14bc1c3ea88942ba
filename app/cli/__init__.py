"""`llm-gateway`: one file a command, each with HELP, `options(parser)` and `run(arguments) -> int`.

A new command is a module in this folder and a line in COMMANDS.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType

from app.cli import bench, cache, check, doctor, explain, key, report, schema, serve, top, usage
from app.config.problems import ConfigError
from app.core.version import version

COMMANDS: Mapping[str, ModuleType] = {
    "serve": serve,
    "check": check,
    "schema": schema,
    "key": key,
    "explain": explain,
    "doctor": doctor,
    "usage": usage,
    "top": top,
    "cache": cache,
    "report": report,
    "bench": bench,
}


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0, 1 for what the command found wrong, 2 for a wrong command line."""
    parser = argparse.ArgumentParser(
        prog="llm-gateway", description="One HTTP endpoint in front of many LLM providers."
    )
    parser.add_argument("--version", action="version", version=f"llm-gateway {version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        one = commands.add_parser(name, help=module.HELP, description=module.HELP)
        module.options(one)
        one.set_defaults(run=module.run)
    arguments = parser.parse_args(argv)
    try:
        status = int(arguments.run(arguments))
        sys.stdout.flush()
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read it has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status
