"""`tenants` and `limits`: who may call, with which keys, which models and how much."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from app.config.values import Count, Instant, Name, Part, Pattern, written

_HASH = re.compile(r"sha256:([0-9a-f]{64})")
_OF_NOTHING = f"sha256:{hashlib.sha256(b'').hexdigest()}"


def _hash(value: str) -> str:
    if not _HASH.fullmatch(value.lower()):
        raise ValueError("expected sha256:<64 hex digits>, as `llm-gateway key` prints it")
    if value.lower() == _OF_NOTHING:
        raise ValueError("expected the hash of a key; this is the hash of no text at all")
    return value.lower()


class KeyS(Part):
    """A key by its hash, so that the file gives none away."""

    hash: Annotated[str, AfterValidator(_hash)] = Field(description="sha256:<64 hex digits>")
    name: Name | None = Field(default=None, description="in logs; the beginning of the hash if left out")
    expires: Instant | None = Field(default=None, description="refused from this time on")

    @property
    def digest(self) -> bytes:
        return bytes.fromhex(self.hash.removeprefix("sha256:"))

    @property
    def label(self) -> str:
        """The name, or enough of the hash to find the line in the file."""
        return self.name or self.hash.removeprefix("sha256:")[:8]


_Written = Annotated[str, written("hash")]


def _key(value: object) -> object:
    if isinstance(value, str):
        return {"hash": value}
    if isinstance(value, dict):
        return value
    raise ValueError('expected "sha256:<64 hex digits>", or {hash: "sha256:...", name: ..., expires: ...}')


class LimitsS(Part):
    """null is no limit."""

    requests_per_minute: Count | None = Field(default=None, description="calls in any 60 seconds")
    tokens_per_minute: Count | None = Field(
        default=None, description="tokens in any 60 seconds, of prompts and answers"
    )
    concurrent: Count | None = Field(default=None, description="calls at a time")

    def over(self, default: LimitsS) -> LimitsS:
        """These where they are set, null included, else the default's."""
        return default.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})

    @property
    def limits_anything(self) -> bool:
        return any(limit is not None for limit in (self.requests_per_minute, self.tokens_per_minute, self.concurrent))


class TenantS(Part):
    keys: Annotated[
        tuple[Annotated[KeyS, BeforeValidator(_key, json_schema_input_type=_Written | KeyS)], ...], Field(strict=False)
    ] = Field(description="hashes of the keys; several, so that a new one can be handed out before the old one goes")
    models: Annotated[tuple[Pattern, ...], Field(strict=False)] = Field(
        default=("*",), description="what these keys may use; a * at the end stands for all that begin so"
    )
    limits: LimitsS = Field(default_factory=LimitsS, description="each instead of the one in limits.default")
    model_limits: Mapping[str, LimitsS] = Field(
        default={}, description="of one model or pattern, beside the tenant's own"
    )
