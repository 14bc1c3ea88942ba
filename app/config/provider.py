"""`providers`: whom the gateway may ask, with which key and by which way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import fsum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from app.config.kinds import FAULTS
from app.config.problems import suggestion
from app.config.timeouts import TimeoutsS
from app.config.values import (
    BaseUrl,
    Count,
    Credential,
    FileName,
    Flag,
    HeaderName,
    HeaderValue,
    Misfit,
    Name,
    Part,
    ProxyUrl,
    SecondsOrZero,
    Share,
    Speed,
    Text,
    Words,
)


def _offered(value: str) -> str:
    if "*" in value and value != "*":
        raise ValueError('expected the provider\'s own name of a model, or "*" for all of them')
    return value


def _once(headers: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
    if len({name.lower() for name in headers}) < len(headers):
        raise ValueError("expected each header once, whatever its case")
    return headers


Headers = Annotated[Mapping[HeaderName, HeaderValue], AfterValidator(_once)]


def _fault(value: str) -> str:
    if value not in FAULTS:
        raise ValueError(f"not a fault that can be simulated{suggestion(value, FAULTS)}")
    return value


Fault = Annotated[str, AfterValidator(_fault)]


def _region(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", value):
        raise ValueError('expected a region such as "eu-central-1"')
    return value


Region = Annotated[str, AfterValidator(_region)]  # a part of a host's name


class ProviderS(Part):
    """One provider. `kind` is always set after loading, and `api_key` also where the file had `api_key_file`."""

    kind: str = Field(default="", description="what it speaks; the name of the entry if left out")
    base_url: BaseUrl | None = Field(
        default=None, description="where it is; left out: where the kind is; a bare host gets the kind's usual path"
    )
    api_key: Credential | None = Field(
        default=None, description='sent to the provider; "${NAME}" reads the environment'
    )
    api_key_file: FileName | None = Field(default=None, description="holds the key, instead; may change while running")
    headers: Headers = Field(default={}, description="sent with every request, after our own")
    proxy: ProxyUrl | None = Field(
        default=None, description="HTTP proxy on the way there, with user and password if need be"
    )
    ca_file: FileName | None = Field(default=None, description="certificates (PEM) to trust instead of the usual ones")
    models: Annotated[tuple[Annotated[Name, AfterValidator(_offered)], ...], Field(strict=False)] = Field(
        default=(), description='upstream names offered as provider/model; "*" offers all'
    )
    timeouts: TimeoutsS = Field(default_factory=TimeoutsS, description="instead of the top's, for this provider")
    max_in_flight: Count | None = Field(
        default=None, description="calls at a time, a worker; null: 80 % of the server's, all if it stands alone"
    )
    probe: Flag = Field(default=True, description="ask now and then, for free, whether it is well")
    api_version: Text | None = Field(
        default=None, description="the api-version of each request; left out: one that has what is asked for"
    )
    region: Region | None = Field(default=None, description="of AWS")
    project: Text | None = Field(default=None, description="of Google Cloud")
    location: Text | None = Field(default=None, description="of Google Cloud; global if left out")
    credentials_file: FileName | None = Field(
        default=None, description="the cloud's credentials; may change while running"
    )
    latency: SecondsOrZero = Field(default=0.2, description="before the answer begins")
    tokens_per_second: Speed = Field(default=50.0, description="speed of the answer")
    words: Words = Field(default=60, description="length of the answer")
    faults: Mapping[Fault, Share] = Field(
        default={}, description="how often what goes wrong, each as a share of all calls"
    )

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if fsum(self.faults.values()) > 1:
            raise Misfit("expected shares that add up to at most 1", "faults")
        return self

    @property
    def key(self) -> str | None:
        """The API key in clear."""
        return self.api_key.get_secret_value() if self.api_key else None

    @property
    def clear_headers(self) -> Mapping[str, str]:
        return {name: value.get_secret_value() for name, value in self.headers.items()}

    @property
    def proxy_url(self) -> str | None:
        return self.proxy.get_secret_value() if self.proxy else None
