"""`llm-gateway key`: make a key for a tenant."""

from __future__ import annotations

import argparse
import hashlib
import secrets

from app.core.json import dumps

HELP = "make a key, print it once, and its hash for the configuration"
PREFIX = "gk-"


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print an object with key and hash, for scripts")


def run(arguments: argparse.Namespace) -> int:
    key = PREFIX + secrets.token_urlsafe(32)  # 256 bits
    digest = f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
    if arguments.json:
        print(dumps({"key": key, "hash": digest}).decode())
        return 0
    print(f"key, shown this once:   {key}")
    print(f"hash:                   {digest}")
    print("for the configuration, under tenants:")
    print(f'  NAME: {{keys: ["{digest}"]}}')
    return 0
