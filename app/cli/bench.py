"""`llm-gateway bench [URL]`: what a gateway's clients would see of it, measured with calls."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from app.bench.caller import Ask, Caller, Unusable
from app.bench.figures import Pace, figures
from app.bench.load import Bounds, measure
from app.bench.told import lines
from app.config import load
from app.config.problems import ConfigError
from app.core.json import dumps
from app.instance import environment

HELP = "measure a running gateway with real calls; its providers are asked, and want to be paid"

_CALLS, _AT_ONCE = 200, 16
_MOST_CALLS, _MOST_AT_ONCE, _LONGEST = 1_000_000, 1_000, 86_400


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", nargs="?", type=_url, help="such as https://llm.example.com; default: by GATEWAY_BIND")
    parser.add_argument("--model", help="as clients name it; not needed where the key may use but one")
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument("--key-file", type=Path, metavar="FILE", help="with the tenant's key in it")
    keys.add_argument("--key", help="the key itself, which others on this machine can see meanwhile")
    parser.add_argument("--stream", action="store_true", help="ask for streams")
    parser.add_argument(
        "-c", dest="at_once", type=_whole(_MOST_AT_ONCE), default=_AT_ONCE, metavar="N", help="calls at a time: 16"
    )
    bounds = parser.add_mutually_exclusive_group()
    bounds.add_argument("-n", dest="calls", type=_whole(_MOST_CALLS), metavar="N", help="calls in all: 200")
    bounds.add_argument("--seconds", type=_whole(_LONGEST), metavar="N", help="instead: for so long")
    parser.add_argument("--max-tokens", type=_whole(1_000_000), metavar="N", help="that each answer may have")
    parser.add_argument("--timeout", type=_whole(3_600), default=120, metavar="SECONDS", help="of silence: 120")
    parser.add_argument("--same", action="store_true", help="ask the same each time: the cache may answer")
    parser.add_argument("--file", type=Path, help="configuration of the gateway, for the pace of a simulated provider")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace) -> int:
    """1 where a call failed, or none could be made."""
    try:
        ask = _ask(arguments)
        paces = _paces(arguments)
    except (Unusable, environment.BadEnvironment) as error:
        print(error, file=sys.stderr)
        return 1
    calls = _CALLS if arguments.calls is None and arguments.seconds is None else arguments.calls
    bounds = Bounds(arguments.at_once, calls, arguments.seconds)
    much = f"{calls} calls" if calls else f"calls for {arguments.seconds} s"
    print(
        f"{much} of {ask.model} at {ask.base}, {bounds.at_once} at a time; Ctrl-C ends it", file=sys.stderr, flush=True
    )
    found = figures(measure(ask, bounds), paces)
    if arguments.json:
        print(dumps(found.as_json()).decode())
    else:
        print("\n".join(lines(found)))
    return int(found.succeeded < found.calls or not found.calls)


def _ask(arguments: argparse.Namespace) -> Ask:
    """Looked at before it begins: the gateway is there, takes the key, and has the model."""
    key = arguments.key
    if arguments.key_file is not None:
        try:
            key = arguments.key_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Unusable(f"{arguments.key_file} cannot be read: {getattr(error, 'strerror', error)}") from error
    if key is not None and not (key.isascii() and key.isprintable() and key):
        raise Unusable("the key is not one: expected ASCII characters, such as `llm-gateway key` makes")
    ask = Ask(
        arguments.url or _here(),
        arguments.model or "",
        key,
        stream=arguments.stream,
        same=arguments.same,
        max_tokens=arguments.max_tokens,
        timeout=arguments.timeout,
    )
    caller = Caller(ask)
    try:
        known = caller.models(ask.model)
    finally:
        caller.close()
    if not ask.model and len(known) != 1:
        raise Unusable(f"--model is missing; there are {', '.join(known) or 'none that this key may use'}")
    return replace(ask, model=ask.model or known[0])


def _here() -> str:
    """Of the gateway that the environment means."""
    for bind in environment.read(os.environ).binds:
        if (found := environment.address(bind)) is not None:
            host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(found.host, found.host)  # noqa: S104 - to ask there
            return f"http://{environment.Address(host, found.port)}"
    raise Unusable("GATEWAY_BIND names no address: give the URL of the gateway")


def _paces(arguments: argparse.Namespace) -> Mapping[str, Pace]:
    """Of simulated providers that never fail, by the file that was named, or by that of the gateway here."""
    if arguments.file is None and arguments.url is not None:
        return {}
    try:
        settings = load.load(arguments.file or load.locate(os.environ, Path.cwd()), os.environ)
    except ConfigError:
        if arguments.file is None:
            return {}
        raise
    return {
        name: Pace(given.latency, given.tokens_per_second)
        for name, given in settings.providers.items()
        if given.kind == "simulated" and not given.faults
    }


def _url(text: str) -> str:
    try:
        at = urlsplit(text)
        good = at.scheme in ("http", "https") and bool(at.hostname) and (at.port is None or at.port > 0)
    except ValueError:
        good = False
    if not good or at.query or at.fragment or at.username is not None:
        raise argparse.ArgumentTypeError(f"{text!r}: expected the URL of a gateway, such as http://127.0.0.1:8080")
    return text.rstrip("/")


def _whole(most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number from 1 to {most}")
        return int(text)

    return parse
