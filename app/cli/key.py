"""`llm-gateway key`: make a key for a tenant."""

from __future__ import annotations

import argparse
import hashlib
import secrets

HELP = "make a key, print it once, and its hash for the configuration"
PREFIX = "gk-"


def options(parser: argparse.ArgumentParser) -> None:
    """Takes none."""


def run(_: argparse.Namespace) -> int:
    key = PREFIX + secrets.token_urlsafe(32)  # 256 bits
    digest = f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
    print(f"key, shown this once:   {key}")
    print(f"hash:                   {digest}")
    print("for the configuration, under tenants:")
    print(f'  NAME: {{keys: ["{digest}"]}}')
    return 0
