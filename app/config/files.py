"""Settings that name a file: secrets kept outside of the configuration, and certificates.

The content of each `*_file` is part of the configuration: it is read with it, hashed with it and published with it.
"""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.aws.keys import read_keys
from app.config.problems import Path, Report
from app.config.tree import changed, get, matches, pattern

#: Reads a file by the name that the configuration has for it. Raises OSError or UnicodeDecodeError.
Reader = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Secret:
    file: Path
    becomes: str  # the key beside it that the content stands in for
    many: bool = False  # one on each line


_SECRETS = (
    _Secret(pattern("metrics.token_file"), "token"),
    _Secret(pattern("cache.secret_file"), "secret", many=True),
    _Secret(pattern("providers.*.api_key_file"), "api_key"),
)
_CERTIFICATES = pattern("providers.*.ca_file")
_CREDENTIALS = pattern("providers.*.credentials_file")


def named(tree: object) -> dict[str, Path]:
    """Every file that the configuration names, with one of the places that name it."""
    wanted = (*(secret.file for secret in _SECRETS), _CERTIFICATES, _CREDENTIALS)
    places = ((get(tree, at), at) for path in wanted for at in matches(tree, path))
    return {str(name): at for name, at in places if isinstance(name, str) and name}


def fill(tree: object, files: Reader, folder: str, report: Report) -> tuple[object, Mapping[Path, Path]]:
    """A copy in which secrets stand where their files were named, and a map from each such place to its file's key.

    Files that others open by name get their whole path: relative ones are relative to `folder`.
    """
    found: dict[Path, object] = {}
    origin: dict[Path, Path] = {}
    for secret in _SECRETS:
        for at in matches(tree, secret.file):
            beside = (*at[:-1], secret.becomes)
            if get(tree, at) is None:
                continue
            if get(tree, beside) is not None:
                report.add(at, f"expected either this or {secret.becomes}, not both")
                continue
            content = _content(tree, at, files, report)
            if content is not None:
                lines = [line.strip() for line in content.splitlines() if line.strip()]
                found[beside] = lines if secret.many else content.strip()
                origin[beside] = at
    for path in (_CERTIFICATES, _CREDENTIALS):
        for at in matches(tree, path):
            content = _content(tree, at, files, report)
            if content is not None:
                _judge(content, path, at, tree, report)
                found[at] = os.path.join(folder, str(get(tree, at)))
    return changed(tree, found), origin


def _content(tree: object, at: Path, files: Reader, report: Report) -> str | None:
    name = get(tree, at)
    if not isinstance(name, str) or not name:
        return None  # its type is judged with the other types
    try:
        return files(name)
    except OSError as error:
        report.add(at, f"the file cannot be read: {error.strerror or type(error).__name__}")
    except ValueError:  # not UTF-8, or a name with a NUL
        report.add(at, "expected the name of a file of UTF-8 text")
    return None


def _judge(content: str, path: Path, at: Path, tree: object, report: Report) -> None:
    """What a file that others open holds, as far as it can be told."""
    if path == _CERTIFICATES and not _are_certificates(content):
        report.add(at, "expected a file of certificates in PEM form")
    if path == _CREDENTIALS and get(tree, (*at[:-1], "kind")) == "vertex" and not _are_googles(content):
        report.add(at, "expected a file of Google credentials: JSON with a type")
    if path == _CREDENTIALS and get(tree, (*at[:-1], "kind")) == "bedrock":
        try:
            read_keys(content)
        except ValueError as error:
            report.add(at, f"expected a file of AWS credentials: {str(error).removeprefix('expected ')}")


def _are_googles(content: str) -> bool:
    try:
        described = json.loads(content)
    except ValueError:
        return False
    return isinstance(described, dict) and isinstance(described.get("type"), str)


def _are_certificates(pem: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        return False
    return True
