"""The kinds of value that settings are made of: what is accepted, its unit and its range.

Messages say what was expected and never what was found.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, SecretStr

from app.config.expand import Expanded

DAY = 86_400
LONGEST_TTL = 30 * DAY  # memcached reads a larger number as a date
LARGEST = 2**53  # whole numbers beyond are not exact everywhere

_WORDS: Mapping[str, bool] = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Misfit(ValueError):
    """A setting that is good by itself and does not fit another; `key` is the one to blame, seen from the section."""

    def __init__(self, message: str, *key: str) -> None:
        super().__init__(message)
        self.key = key


class Part(BaseModel):
    """A section of the file. Unknown keys are refused; an error never shows a value, nor repr a secret."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, allow_inf_nan=False, validate_default=False
    )


def _flag(value: object) -> object:
    return _WORDS.get(value.lower(), value) if isinstance(value, Expanded) else value


def _whole(value: object) -> object:
    return int(value) if isinstance(value, Expanded) and re.fullmatch(r"-?[0-9]{1,18}", value) else value


def _number(value: object) -> object:
    is_number = isinstance(value, Expanded) and re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", value)
    return float(value) if is_number and isinstance(value, str) else value


def written(what: str) -> Any:
    """A note for the JSON schema and the reference: what a value is measured in, or how a text is written."""
    return Field(json_schema_extra={"x-value": what})


_AtLeastOne = Annotated[int, Field(ge=1, le=LARGEST)]
_AtLeastZero = Annotated[int, Field(ge=0, le=LARGEST)]
_Size = Annotated[int, Field(ge=1, le=LARGEST), written("bytes")]
_Duration = Annotated[float, Field(gt=0, le=DAY), written("seconds")]
_DurationOrZero = Annotated[float, Field(ge=0, le=DAY), written("seconds")]
_Ttl = Annotated[int, Field(ge=0, le=LONGEST_TTL), written("seconds")]
_Share = Annotated[float, Field(ge=0, le=1), written("share")]
_Ratio = Annotated[float, Field(gt=0, le=1), written("share")]
_Price = Annotated[float, Field(ge=0, le=1_000_000), written("USD per million tokens")]
_Speed = Annotated[float, Field(gt=0, le=1_000_000), written("tokens a second")]
_Words = Annotated[int, Field(ge=0, le=100_000), written("words")]

Flag = Annotated[bool, BeforeValidator(_flag, json_schema_input_type=bool)]
Count = Annotated[_AtLeastOne, BeforeValidator(_whole, json_schema_input_type=_AtLeastOne)]
#: Of a body.
Bytes = Annotated[_Size, BeforeValidator(_whole, json_schema_input_type=_Size)]
CountOrZero = Annotated[_AtLeastZero, BeforeValidator(_whole, json_schema_input_type=_AtLeastZero)]
#: A duration. A day is the most, so that no socket or lock is ever asked for more than it can count.
Seconds = Annotated[_Duration, BeforeValidator(_number, json_schema_input_type=_Duration)]
SecondsOrZero = Annotated[_DurationOrZero, BeforeValidator(_number, json_schema_input_type=_DurationOrZero)]
#: Seconds that an answer is kept; 0 is not at all.
Ttl = Annotated[_Ttl, BeforeValidator(_whole, json_schema_input_type=_Ttl)]
#: A part of the whole, 0 to 1; a ratio is more than nothing.
Share = Annotated[_Share, BeforeValidator(_number, json_schema_input_type=_Share)]
Ratio = Annotated[_Ratio, BeforeValidator(_number, json_schema_input_type=_Ratio)]
#: USD per million tokens.
Price = Annotated[_Price, BeforeValidator(_number, json_schema_input_type=_Price)]
#: Tokens a second, and the length of an answer: of the simulated provider.
Speed = Annotated[_Speed, BeforeValidator(_number, json_schema_input_type=_Speed)]
Words = Annotated[_Words, BeforeValidator(_whole, json_schema_input_type=_Words)]


def _some(value: tuple[object, ...]) -> tuple[object, ...]:
    if not value:
        raise ValueError("expected at least one in this list")
    return value


#: For a list. Not a length of pydantic's: that one counts what is left when bad items are taken out.
NOT_EMPTY = AfterValidator(_some)


def _text(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError("expected some text on one line")
    return value


Text = Annotated[str, AfterValidator(_text)]
#: Relative ones start from the directory of the configuration.
FileName = Annotated[Text, written("file")]


def _name(value: str) -> str:
    if not value or len(value) > 128 or not value.isprintable() or any(c.isspace() for c in value):
        raise ValueError("expected a name of at most 128 characters without spaces")
    return value


Name = Annotated[str, AfterValidator(_name), written("name")]


def _pattern(value: str) -> str:
    if "*" in _name(value)[:-1]:
        raise ValueError("expected a name with at most one *, at its end")
    return value


#: A model's name; with a * at its end it stands for all that begin so.
Pattern = Annotated[str, AfterValidator(_pattern), written("name or pattern")]


def _credential(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    if not secret:
        raise ValueError("expected a key, found it empty")
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise ValueError("expected a key of visible ASCII characters")
    return value


#: What goes out in a header: an API key or a token.
Credential = Annotated[SecretStr, AfterValidator(_credential), written("key")]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HOP_BY_HOP = frozenset({"connection", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})
_OURS = _HOP_BY_HOP | {"content-length", "content-type", "host"}


def _header_name(value: str) -> str:
    if not _TOKEN.fullmatch(value):
        raise ValueError("expected the name of an HTTP header")
    if value.lower() in _OURS:
        raise ValueError("this header is set by the gateway itself")
    return value


def _header_value(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text.isascii() or not text.isprintable() or text != text.strip():
        raise ValueError("expected ASCII text on one line, without spaces around it")
    return value


HeaderName = Annotated[str, AfterValidator(_header_name)]
HeaderValue = Annotated[SecretStr, AfterValidator(_header_value), written("header")]


def is_url(text: str, *, user: bool) -> bool:
    """An http or https address with a host; `user`: may it carry a user and a password?"""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return False
    plain = text.isascii() and text.isprintable() and not any(c in text for c in ' "<>\\^`{|}')
    hidden = "@" in url.netloc and not user
    return plain and not hidden and url.scheme in ("http", "https") and bool(url.hostname) and port != 0


def _base_url(value: str) -> str:
    if not is_url(value, user=False) or "?" in value or "#" in value:
        raise ValueError("expected http(s)://host[:port][/path], without user, password, query or fragment")
    return value.rstrip("/")


def _proxy(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not is_url(text, user=True) or urlsplit(text).path not in ("", "/") or "?" in text or "#" in text:
        raise ValueError("expected http(s)://[user:password@]host[:port]")
    return value


BaseUrl = Annotated[str, AfterValidator(_base_url), written("URL")]
ProxyUrl = Annotated[SecretStr, AfterValidator(_proxy), written("URL")]


def _network(value: object) -> IPv4Network | IPv6Network:
    try:
        return ipaddress.ip_network(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(
            'expected an address or a network such as "10.0.0.0/8", no bits set after its prefix'
        ) from None


_Address = Annotated[str, written("address or network")]
Network = Annotated[IPv4Network | IPv6Network, PlainValidator(_network, json_schema_input_type=_Address)]


def _instant(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError('expected a time such as "2027-01-31T00:00:00Z"') from None
    if instant.tzinfo is None:
        raise ValueError('expected a time with its zone, such as "2027-01-31T00:00:00Z"')
    return instant


_Time = Annotated[str, written("time with its zone")]
Instant = Annotated[datetime, BeforeValidator(_instant, json_schema_input_type=_Time)]


def _server(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if value.startswith("unix:/") and value.isprintable() and len(value.encode()) <= 105:
        return value
    is_host = re.fullmatch(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]", host)
    if colon and is_host and re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) < 65536:
        return value
    raise ValueError('expected "host:port" or "unix:/path"')


Server = Annotated[str, AfterValidator(_server), written("host:port or unix:/path")]
