"""`llm-gateway cache flush`: forget the answers that were kept, in every worker and replica, within two seconds."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from app.cache.entry import Seal
from app.cache.generations import EVERYBODY, Generations
from app.config import load
from app.config.problems import suggestion
from app.config.settings import Settings
from app.core.clock import SystemClock
from app.store.memcached import Memcached

HELP = "forget the answers that were kept"

SHARED = "shared"  # in place of a tenant: the answers that tenants share


def options(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    text = "forget those of one tenant, those that tenants share, or all"
    flush = actions.add_parser("flush", help=text, description=text)
    whose = flush.add_mutually_exclusive_group()
    whose.add_argument("--tenant", metavar="NAME", help="default: all")
    whose.add_argument("--shared", action="store_true", help="those that tenants share")
    flush.add_argument("file", nargs="?", type=Path, help="default: GATEWAY_CONFIG, else ./gateway.yaml")


def run(arguments: argparse.Namespace) -> int:
    settings = load.load(arguments.file or load.locate(os.environ, Path.cwd()), os.environ)
    if problem := _problem(settings, arguments.tenant):
        print(problem, file=sys.stderr)
        return 1
    given = settings.memcached
    store = Memcached(given.servers, (), given.connect_timeout, given.timeout, given.pool)
    seal = Seal([secret.get_secret_value().encode() for secret in settings.cache.secret or ()])
    whose = None if arguments.shared else arguments.tenant or EVERYBODY
    done = Generations(seal, SystemClock()).forget(store, whose)
    store.close()
    if not done:
        print("memcached does not answer: nothing was forgotten", file=sys.stderr)
        return 1
    what = "shared answers" if arguments.shared else f"answers of {arguments.tenant}" if arguments.tenant else "answers"
    print(f"OK: all {what} that were kept until now are forgotten, everywhere within two seconds")
    return 0


def _problem(settings: Settings, tenant: str | None) -> str:
    if not settings.memcached.servers:
        return "there is no memcached: each worker keeps its own answers, and forgets them when it is renewed (SIGHUP)"
    if settings.cache.secret is None:
        return "cache.secret is missing, so nothing is kept"
    known = settings.tenants or ("anonymous",)
    if tenant is not None and tenant not in known:
        return f"there is no tenant {tenant!r}{suggestion(tenant, known)}"
    return ""
