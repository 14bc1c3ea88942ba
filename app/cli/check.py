"""`llm-gateway check [FILE]`: would the gateway start with this file, in this environment?"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from app.config import load
from app.config.model import ModelCacheS
from app.config.settings import Settings

HELP = "say what is wrong with a configuration, or what it amounts to"


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="default: GATEWAY_CONFIG, else ./gateway.yaml"
    )


def run(arguments: argparse.Namespace) -> int:
    path = arguments.file or load.locate(os.environ, Path.cwd())
    settings = load.load(path, os.environ)
    print(f"OK: {path or 'the built-in configuration (no file)'}")
    print("\n".join(summary(settings)))
    return 0


def summary(settings: Settings) -> list[str]:
    lines = [f"  provider {name}: {_kind(name, p.kind)}{_offers(p.models)}" for name, p in settings.providers.items()]
    for name, model in settings.models.items():
        lines.append(f"  model {name}: {', '.join(t.target for t in model.targets)}{_kept(settings, model.cache)}")
    for name, tenant in settings.tenants.items():
        keys = "1 key" if len(tenant.keys) == 1 else f"{len(tenant.keys)} keys"
        lines.append(f"  tenant {name}: {keys}, models {', '.join(tenant.models) or 'none'}")
    if not settings.tenants:
        whom = "everybody (server.open)" if settings.server.open else "this machine only"
        lines.append(f"  no tenants: serves {whom}")
    return lines


def _kind(name: str, kind: str) -> str:
    return "configured" if name == kind else f"of the kind {kind}"


def _kept(settings: Settings, cache: ModelCacheS) -> str:
    ttl = settings.cache.ttl if cache.ttl is None else cache.ttl
    whose = ", shared by tenants" if cache.shared else ""
    return f"; answers are kept for {ttl} s{whose}" if ttl else ""


def _offers(models: tuple[str, ...]) -> str:
    return f", offers {', '.join(models)}" if models else ""
