"""What a provider's message may not carry to a caller: keys and pieces of keys, accounts, hosts."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from app.core.provider import Provider

LONGEST = 2048  # bytes of UTF-8

_REMOVED = "[removed]"
_HOST = "[host]"

_SECRET = re.compile(
    r"""
      \bBearer\s+[^\s"',;]+
    | (?<![\w-]) (?:sk|pk|rk|gsk|csk|xai|pplx|hf|tgp|fw|key|sess|r8|nvapi) [-_] [A-Za-z0-9_-]{8,}  # by their prefix
    | \bAIza[\w-]{20,} | \beyJ[\w-]+\.[\w-]+\.[\w-]+                          # Google's, and any JWT
    | \b(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{32,}            # keys without a prefix
    | [^\s"'`(*]{0,64}\*{3,}[^\s"'`.,;)]{0,64}                                # masked: `sk-ab****yz`
    | \borg[-_][A-Za-z0-9]{4,} | \bproj_[A-Za-z0-9]{4,} | \buser_[A-Za-z0-9]{8,} | \barn:aws[\w-]*:\S+
    | \b(?:AKIA|ASIA)[A-Z0-9]{12,}                                            # ids of AWS keys
    """,
    re.VERBOSE,
)
_SHOWN_KEY = re.compile(r"(\bkey(?: provided| ID)?: ?)(?!\[removed\])[^\s\"',;]*[^\s\"',;.]", re.IGNORECASE)
_PROJECT = re.compile(r"\bprojects/[\w-]+")
_URL_HOST = re.compile(r"\b((?:https?|wss?|grpc)://)[^\s/?#\"'<>)\]]+", re.IGNORECASE)
_BARE_HOST = re.compile(
    r"""
      \b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b
    | \[(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}\](?::\d+)? | \b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b
    | (?<![\w@.-]) (?:[a-z0-9](?:[\w-]*[a-z0-9])?\.)+ (?:com|net|org|io|ai|dev|app|cloud|local|internal|lan|corp|svc)
      (?::\d+)? (?![\w-]|\.\w)
    | \blocalhost(?::\d+)?\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CREDENTIAL = re.compile(r"key|token|secret|auth", re.IGNORECASE)


def clean(text: str, provider: Provider) -> str:
    """The text without what belongs to the house, at most LONGEST bytes of it."""
    text = text[: 2 * LONGEST].replace("\x00", "")
    for secret in _own_secrets(provider):
        text = text.replace(secret, _REMOVED)
    text = _SECRET.sub(_REMOVED, text)
    text = _SHOWN_KEY.sub(rf"\1{_REMOVED}", text)
    text = _PROJECT.sub(f"projects/{_REMOVED}", text)
    text = _URL_HOST.sub(rf"\1{_HOST}", text)
    if (host := urlsplit(provider.base_url).hostname) and len(host) > 3:
        text = re.sub(re.escape(host), _HOST, text, flags=re.IGNORECASE)
    text = _BARE_HOST.sub(_HOST, text)
    return text.encode("utf-8", "replace")[:LONGEST].decode("utf-8", "ignore")


def _own_secrets(provider: Provider) -> list[str]:
    """What we send to prove who we are, as it stands and without its scheme."""
    values = [value for name, value in provider.headers.items() if _CREDENTIAL.search(name)]
    bare = [value.split(" ", 1)[1] for value in values if " " in value]
    return [secret for secret in (*values, *bare) if len(secret) >= 4]
