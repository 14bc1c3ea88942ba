"""One kind of provider as data: where it is, how it is authenticated, what it can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.core.provider import Cloud, Credentials, Dialect, Provider


class Feature(StrEnum):
    """What the table in the README says of a provider beyond the operations that its dialect has for it."""

    STREAM = "stream"
    TOOLS = "tools"
    VISION = "vision"
    JSON_SCHEMA = "JSON schema"
    REASONING = "reasoning"


def models_under_base(provider: Provider) -> str | None:
    return f"{provider.base_url}/models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A kind. `base_url` is everything before `/chat/completions`, None where it must be configured or hangs on the
    place in a cloud (`base_url_at`, which raises ValueError where that does not say enough).

    `path` is what a configured base_url that has no path of its own gets: people write the bare host.
    The key goes into `key_header`, behind `key_scheme` and a space where there is one. Without a key, `credentials`
    makes what is shown instead, given the provider before it has any.
    """

    kind: str
    title: str
    dialect: Dialect
    base_url: str | None
    path: str = "/v1"
    key_header: str = "authorization"
    key_scheme: str = "Bearer"
    headers: Mapping[str, str] = field(default_factory=dict)  # sent with every request, lower case
    models_url: Callable[[Provider], str | None] = models_under_base  # free to ask; None: it lists none
    base_url_at: Callable[[Cloud], str] | None = None
    credentials: Callable[[Provider], Credentials] | None = None
    features: frozenset[Feature] = frozenset()
    docs: str = ""
    note: str = ""  # for the README's table
