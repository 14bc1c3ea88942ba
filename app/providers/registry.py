"""Which kinds of providers there are, and how a configured one is made of its row.

Each module of this folder that has a `ROWS` adds to them: a new dialect is a new file and nothing else.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from urllib.parse import urlsplit

import app.providers
from app.core.provider import NOWHERE, Cloud, Provider
from app.providers.row import Row


@functools.cache
def rows() -> Mapping[str, Row]:
    """Kind -> row, sorted by kind. Looked for once. Raises ValueError where two modules claim the same one."""
    found: dict[str, Row] = {}
    for module in pkgutil.iter_modules(app.providers.__path__, "app.providers."):
        for row in getattr(importlib.import_module(module.name), "ROWS", ()):
            if row.kind in found:
                raise ValueError(f"two rows are named {row.kind!r}; the second is in {module.name}")
            found[row.kind] = row
    return MappingProxyType(dict(sorted(found.items())))


def kinds() -> tuple[str, ...]:
    return tuple(rows())


def build(
    name: str,
    kind: str,
    *,
    base_url: str | None = None,
    key: str | None = None,
    headers: Mapping[str, str] | None = None,
    proxy: str | None = None,
    ca_file: str | None = None,
    api_version: str | None = None,
    cloud: Cloud = NOWHERE,
    models: tuple[str, ...] = (),
) -> Provider:
    """A configured provider. `headers` win over the row's and over the key.

    Raises:
        ValueError: no such kind, or a base_url is needed and neither given nor told by the cloud.
    """
    known = rows()
    if kind not in known:
        raise ValueError(f"no provider is of kind {kind!r}; known: {', '.join(known)}")
    row = known[kind]
    url = base_url or (row.base_url_at(cloud) if row.base_url_at else row.base_url)
    if url is None:
        raise ValueError(f"a provider of kind {kind!r} needs a base_url")
    provider = Provider(
        name=name,
        kind=kind,
        base_url=_with_path(url, row),
        dialect=row.dialect,
        headers={
            **row.headers,
            **({row.key_header: f"{row.key_scheme} {key}".lstrip()} if key else {}),
            **{name.lower(): value for name, value in (headers or {}).items()},
        },
        proxy=proxy,
        ca_file=ca_file,
        api_version=api_version,
        cloud=cloud,
        models=models,
    )
    if key is None and row.credentials is not None and "authorization" not in provider.headers:
        return replace(provider, credentials=row.credentials(provider))
    return provider


def model_list_url(provider: Provider) -> str | None:
    """Where the provider lists its models, for free; None where it does not."""
    return rows()[provider.kind].models_url(provider)


def _with_path(url: str, row: Row) -> str:
    url = url.rstrip("/")
    return url + row.path if row.path and not urlsplit(url).path else url
