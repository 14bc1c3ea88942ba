"""A file of AWS credentials, in either of the forms that AWS's own tools read and write."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core.json import NotJson, loads

_INI = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
_JSON = ("AccessKeyId", "SecretAccessKey", "SessionToken")


@dataclass(frozen=True, slots=True)
class Keys:
    """Temporary ones have a token."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def read_keys(text: str) -> Keys:
    """An INI file with a [default] profile or a single one, or the JSON that `credential_process` programs print.

    Raises:
        ValueError: neither, or a key is missing. Its text holds nothing of the file's.
    """
    if text.lstrip().startswith("{"):
        found, names = _parsed(text), _JSON
        if isinstance(inner := found.get("Credentials"), dict):  # what `aws sts` prints
            found = inner
    else:
        found, names = _profile(text), _INI
    access_key, secret_key, token = (found.get(name) for name in names)
    if not isinstance(access_key, str) or not isinstance(secret_key, str) or not access_key or not secret_key:
        raise ValueError(f"expected {names[0]} and {names[1]}")
    return Keys(access_key, secret_key, token if isinstance(token, str) and token else None)


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        parsed = loads(text)
    except NotJson:
        raise ValueError("expected AWS credentials as an INI file or as JSON") from None
    return parsed if isinstance(parsed, dict) else {}


def _profile(text: str) -> Mapping[str, Any]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error:
        raise ValueError("expected AWS credentials as an INI file or as JSON") from None
    names = parser.sections()
    if "default" in names:
        return parser["default"]
    if len(names) != 1:
        raise ValueError("expected a [default] profile, or only one")
    return parser[names[0]]
