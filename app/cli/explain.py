"""`llm-gateway explain MODEL`: which targets a call would be sent to, in which order, and why."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from app.config import load
from app.config.problems import suggestion
from app.config.settings import Settings
from app.core.call import Tenant
from app.core.clock import SystemClock
from app.core.json import dumps, loads
from app.explain.explain import Explained, Look, Place, explain
from app.explain.standing import Standings
from app.instance import environment, private
from app.instance.rundir import RunDir
from app.limits.headers import Standing
from app.limits.look import look
from app.store.memcached import Memcached

HELP = "say which targets a call would be sent to, in which order, and why"

NOBODY = "anonymous"


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="as clients name it")
    parser.add_argument("--tenant", metavar="NAME", help="who calls; not needed where there is but one")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--file", type=Path, help="default: GATEWAY_CONFIG, else ./gateway.yaml")


def run(arguments: argparse.Namespace) -> int:
    """1 where the call would be refused."""
    settings = load.load(arguments.file or load.locate(os.environ, Path.cwd()), os.environ)
    tenant = _tenant(settings, arguments.tenant)
    if isinstance(tenant, str):
        print(tenant, file=sys.stderr)
        return 2
    state = _state()
    found = explain(settings, Standings(state), _looking(settings), arguments.model, tenant)
    if arguments.json:
        print(dumps(_json(found, live=bool(state))).decode())
    else:
        print("\n".join(_lines(found, live=bool(state))))
    return 1 if found.refused else 0


def _tenant(settings: Settings, name: str | None) -> Tenant | str:
    known = settings.tenants
    if not known:
        return Tenant(NOBODY)
    if name is None and len(known) == 1:
        name = next(iter(known))
    if name is None:
        return f"--tenant is missing; there are {', '.join(known)}"
    if name not in known:
        return f"there is no tenant {name!r}{suggestion(name, known)}"
    return Tenant(name, None, known[name].models)


def _state() -> Mapping[str, Any]:
    """Of the gateway that the environment means; empty where none runs."""
    try:
        status, _, body = private.get(RunDir(environment.read(os.environ).run_dir).socket, "/state")
        found: Mapping[str, Any] = loads(body) if status == 200 else {}
    except (OSError, environment.BadEnvironment):
        return {}
    return found


def _looking(settings: Settings) -> Look:
    given = settings.memcached
    if not given.servers:
        return lambda tenant, rules: None
    store = Memcached(given.servers, given.counters, given.connect_timeout, given.timeout, given.pool)
    return partial(look, store, SystemClock())


def _lines(found: Explained, *, live: bool) -> Iterator[str]:
    if found.refused is not None:
        yield f"refused with {found.refused.status} {found.refused.type}: {found.refused.message}"
        return
    known = "" if found.label == found.model else f", by the entry {found.label}"
    yield f"model {found.model}{known}, tenant {found.tenant}"
    if not live:
        yield "no gateway runs here: breakers and probes are not known, and taken to be well"
    yield ""
    yield f"targets {found.order}".rstrip() + ":"
    yield from _places(found.targets)
    if found.sizes:
        yield f"      {found.sizes}: not asked for more"
    for cause, others in found.fallbacks.items():
        yield f"fallbacks {'if all of them fail' if cause == 'any' else f'for {cause}'}:"
        for model, places, why in others:
            yield f"    {model}{f' ({why})' if why else ''}"
            yield from (f"    {line}" for line in _places(places))
    yield f"a stream that breaks: {found.rescue}"
    yield ""
    yield f"cache: {found.cache}"
    yield from _limits(found.limits)


def _places(places: Sequence[Place]) -> Iterator[str]:
    width = max((len(place.target) for place in places), default=0)
    for place in places:
        yield f"  {place.turn or '-':>2}  {place.target:{width}}  {place.why}"
    if places and all(place.turn is None for place in places):
        yield "      none of them would be asked now"


def _limits(limits: Sequence[tuple[str, Standing]] | None) -> Iterator[str]:
    if limits is None:
        yield "limits: not known from outside, since no memcached answers: each worker has its share of them"
        return
    if not limits:
        yield "limits: none"
        return
    yield "limits:"
    for model, standing in limits:
        what = "calls at a time" if standing.whole_in is None else f"{standing.what} in any 60 s"
        used = standing.limit - standing.left
        later = f", all of it in {standing.whole_in:.0f} s" if standing.whole_in else ""
        yield f"      {used} of {standing.limit} {what}{f' with {model}' if model else ''}{later}"


def _json(found: Explained, *, live: bool) -> Mapping[str, object]:
    if found.refused is not None:
        refused = {"status": found.refused.status, "error_type": found.refused.type, "message": found.refused.message}
        return {"model": found.model, "tenant": found.tenant, "refused": refused}
    return {
        "model": found.model,
        "tenant": found.tenant,
        "refused": None,
        "entry": found.label,
        "live": live,
        "targets": [_place(place) for place in found.targets],
        "fallbacks": {
            cause: [
                {"model": model, "why": why, "targets": [_place(p) for p in places]} for model, places, why in others
            ]
            for cause, others in found.fallbacks.items()
        },
        "sizes": found.sizes or None,
        "rescue": found.rescue,
        "cache": found.cache,
        "limits": found.limits
        and [{"model": model, "what": s.what, "limit": s.limit, "left": s.left} for model, s in found.limits],
    }


def _place(place: Place) -> Mapping[str, object]:
    return {"target": place.target, "turn": place.turn, "why": place.why}
