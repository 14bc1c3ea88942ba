"""When a provider wants to be asked again, in all the ways they have of saying it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from math import isfinite

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_A_DATE = 1_000_000_000  # a number above this is no number of seconds to wait but a Unix time; nobody waits that long
_IN_MS = 100_000_000_000  # ... and above this, one in milliseconds


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, None where the answer does not say. `headers` have lower-case names.

    Dates are read against the answer's own Date, so no clock is needed and a skewed one does no harm.
    """
    seconds = _said(headers)
    return seconds if seconds is not None and seconds < _A_DATE else None


def _said(headers: Mapping[str, str]) -> float | None:
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds:  # Azure rounds it down to 0 beside a `retry-after` of 1
        return milliseconds / 1000
    said = headers.get("retry-after")
    if said is not None and (seconds := _seconds(said, headers.get("date"))) is not None:
        return seconds
    return _until_reset(headers)


def _until_reset(headers: Mapping[str, str]) -> float | None:
    """The longest reset among the limits that are used up; the soonest of all where it is not said which."""
    spent: list[float] = []
    resets: list[float] = []
    for name, value in headers.items():
        if not name.startswith("x-ratelimit-reset"):
            continue
        seconds = _seconds(value, headers.get("date"))
        if not seconds:
            continue
        resets.append(seconds)
        if _number(headers.get(name.replace("-reset", "-remaining", 1))) == 0:
            spent.append(seconds)
    if spent:
        return max(spent)
    return min(resets, default=None)


def _seconds(text: str, date: str | None) -> float | None:
    number = _number(text)
    if number is None:
        number = _duration(text.strip())
    if number is not None:
        if number < _A_DATE:
            return number
        return _since(number / 1000 if number > _IN_MS else number, date)
    moment = _moment(text)
    return None if moment is None else _since(moment, date)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if isfinite(number) and number >= 0 else None


def _duration(text: str) -> float | None:
    """`300ms`, `1s`, `6m0s`, `1h2m3.5s`."""
    parts = _DURATION.fullmatch(text)
    if parts is None or not any(parts.groups()):
        return None
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in parts.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _moment(text: str) -> float | None:
    """An HTTP date or one of RFC 3339, as a Unix time."""
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = parse(text.strip())
        except ValueError:
            continue
        if moment.tzinfo is not None:
            return moment.timestamp()
    return None


def _since(moment: float, date: str | None) -> float | None:
    now = _moment(date) if date else None
    return None if now is None else max(0.0, moment - now)
