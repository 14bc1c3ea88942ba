"""What a client says of kept answers: HTTP's own header, and ours for the time that its answer may be kept."""

from __future__ import annotations

import re

from werkzeug.datastructures import Headers

from app.core.call import Keeping
from app.core.errors import invalid

TTL = "x-gateway-cache-ttl"

_SECONDS = re.compile(r"[0-9]{1,10}")
_ANY = Keeping()


def keeping_of(headers: Headers) -> Keeping:
    """Of Cache-Control, what is not known is passed over, as HTTP has it. Raises GatewayError for a bad ttl."""
    said, ttl = headers.get("Cache-Control"), headers.get(TTL)
    if said is None and ttl is None:
        return _ANY
    seconds = _ttl(ttl) if ttl is not None else None
    directives = dict(_directive(each) for each in (said or "").lower().split(","))
    max_age = directives.get("max-age", "")
    oldest = int(max_age) if _SECONDS.fullmatch(max_age) else None
    write = "no-store" not in directives and seconds != 0
    return Keeping(
        read=write and "no-cache" not in directives and oldest != 0,
        write=write,
        max_age=oldest,
        ttl=seconds,
    )


def _directive(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value.strip().strip('"')


def _ttl(text: str) -> int:
    if not _SECONDS.fullmatch(text):
        raise invalid(f"{TTL} must be a whole number of seconds", TTL)
    return int(text)
