"""Settings: the whole configuration, checked and frozen.

A value that a section does not name is the default that stands here. What a model sets wins over what its provider
sets, and that over the top.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from app.config.model import ModelS, Rescue
from app.config.provider import ProviderS
from app.config.tenant import LimitsS, TenantS
from app.config.timeouts import TimeoutsS
from app.config.values import (
    NOT_EMPTY,
    Bytes,
    Count,
    CountOrZero,
    Credential,
    FileName,
    Flag,
    Misfit,
    Network,
    Part,
    Ratio,
    Seconds,
    SecondsOrZero,
    Server,
    Share,
    Ttl,
    written,
)
from app.core.call import Timeouts

_LOOPBACK: tuple[IPv4Network | IPv6Network, ...] = (ip_network("127.0.0.1/32"), ip_network("::1/128"))


class ServerS(Part):
    open: Flag = Field(default=False, description="without tenants: serve other machines, too")
    max_body: Bytes = Field(default=10_485_760, description="of a request; a larger one is a 413")
    max_in_flight: Count = Field(default=1000, description="calls at a time, a worker; the next ones wait")
    queue: CountOrZero = Field(
        default=100, description="calls that may wait for their turn, a worker; the rest get a 503 at once"
    )
    drain: SecondsOrZero = Field(
        default=90.0, description="how long calls may go on after a SIGTERM; then they end in an error"
    )
    trusted_proxies: Annotated[tuple[Network, ...], Field(strict=False)] = Field(
        default=_LOOPBACK, description="addresses or networks whose X-Forwarded-For says who the client is"
    )


class LoggingS(Part):
    level: Literal["debug", "info", "warning", "error", "critical"] = Field(
        default="info", description="what is worth a line; bodies never are"
    )
    format: Literal["json", "console"] = Field(default="json", description="console is for human eyes")


class MetricsS(Part):
    token: Credential | None = Field(
        default=None, description="what Prometheus sends as Bearer; none: metrics are for this machine only"
    )
    token_file: FileName | None = Field(default=None, description="holds the token, instead; may change while running")
    open: Flag = Field(default=False, description="without a token: serve metrics to other machines, too")


class HealthS(Part):
    probe: Flag = Field(default=True, description="ask providers now and then, for free, whether they are well")
    interval: Seconds = Field(default=15.0, description="between two probes of a provider")
    timeout: Seconds = Field(
        default=5.0, description="that a probe may take; two failures in a row, and the provider counts as unwell"
    )


class BreakerS(Part):
    window: Seconds = Field(default=30.0, description="how far it looks back")
    min_calls: Count = Field(default=20, description="calls in the window, before their ratio says anything")
    failure_ratio: Ratio = Field(default=0.5, description="share of failures in the window that opens it")
    consecutive: Count = Field(default=5, description="failures in a row that open it")
    open: Seconds = Field(default=5.0, description="before one call tries the target again")
    open_max: Seconds = Field(default=20.0, description="that wait doubles with each try that fails, up to this")
    successes: Count = Field(default=2, description="good tries in a row that close it")

    @model_validator(mode="after")
    def _waits_in_order(self) -> Self:
        if self.open_max < self.open:
            raise Misfit("expected at least as much as open", "open_max")
        return self


class ResilienceS(Part):
    retries: CountOrZero = Field(default=1, description="how often a target is asked again")
    max_attempts: Count = Field(default=4, description="of a call in all, over all targets")
    rate_limit_wait: SecondsOrZero = Field(
        default=3.0, description="a provider that asks for a longer pause is passed over for another"
    )
    stream_rescue: Rescue = Field(
        default="auto",
        description="of a stream that breaks: continue it at a target with prefill, replay it, auto, or off",
    )
    breaker: BreakerS = Field(
        default_factory=BreakerS, description="one for each target: leaves it alone while it fails"
    )


Servers = Annotated[tuple[Server, ...], Field(strict=False)]


class MemcachedS(Part):
    servers: Servers = Field(default=(), description="several share the keys; none: each worker keeps its own state")
    counters: Servers = Field(
        default=(), description="others for the counters of limits, which should never evict; none: the same"
    )
    connect_timeout: Seconds = Field(default=0.05, description="until a connection stands")
    timeout: Seconds = Field(default=0.05, description="that one operation may take; then the call goes on without it")
    pool: Count = Field(default=16, description="connections a worker and server; a full pool is waited for")

    @model_validator(mode="after")
    def _servers_make_sense(self) -> Self:
        if self.counters and not self.servers:
            raise Misfit("expected servers, too", "counters")
        for key in ("servers", "counters"):
            named: tuple[str, ...] = getattr(self, key)
            if len(set(named)) < len(named):
                raise Misfit("expected each server once", key)
        return self


def _secrets(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _long_enough(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value().encode()) < 32:
        raise ValueError("expected at least 32 bytes")
    return value


_Signing = Annotated[SecretStr, AfterValidator(_long_enough), written("secret")]
Secrets = Annotated[
    tuple[_Signing, ...],
    BeforeValidator(_secrets, json_schema_input_type=_Signing | list[_Signing]),
    Field(strict=False),
    NOT_EMPTY,
]


class CacheS(Part):
    ttl: Ttl = Field(default=0, description="how long an answer is kept; 0 is off")
    max_ttl: Ttl = Field(default=86_400, description="no answer is kept for longer")
    max_bytes: Bytes = Field(default=900_000, description="a larger answer is not kept")
    jitter: Share = Field(default=0.1, description="answers live up to this share of their ttl shorter")
    secret: Secrets | None = Field(
        default=None,
        description="at least 32 bytes; signs what memcached keeps; of several the first, and all are believed",
    )
    secret_file: FileName | None = Field(default=None, description="holds the secret, instead, or one on each line")


class TopLimitsS(Part):
    replicas: Count = Field(
        default=1, description="gateways that share the load: without memcached each worker keeps to its share"
    )
    default: LimitsS = Field(default_factory=LimitsS, description="for every tenant that does not say otherwise")


class Settings(Part):
    """What the gateway is built from. load.parse() makes it, after checks that no section could make alone."""

    server: ServerS = Field(default_factory=ServerS, description="the front door")
    logging: LoggingS = Field(default_factory=LoggingS, description="what is written down, and how")
    metrics: MetricsS = Field(default_factory=MetricsS, description="who may read the metrics")
    health: HealthS = Field(default_factory=HealthS, description="how providers are watched")
    timeouts: TimeoutsS = Field(
        default_factory=TimeoutsS, description="for every call; a provider or a model may have its own"
    )
    resilience: ResilienceS = Field(default_factory=ResilienceS, description="what is tried again, and when it is not")
    memcached: MemcachedS = Field(default_factory=MemcachedS, description="where workers and replicas share state")
    cache: CacheS = Field(default_factory=CacheS, description="answers that are kept")
    limits: TopLimitsS = Field(default_factory=TopLimitsS, description="how much tenants may ask")
    providers: Mapping[str, ProviderS] = Field(description="whom to ask")
    models: Mapping[str, ModelS] = Field(default={}, description="the names that clients use")
    tenants: Mapping[str, TenantS] = Field(default={}, description="who may call; none: only this machine may")

    @model_validator(mode="after")
    def _kept_answers_are_signed_and_bounded(self) -> Self:
        longest = max([self.cache.ttl, *(model.cache.ttl or 0 for model in self.models.values())])
        if longest > self.cache.max_ttl:
            raise Misfit("expected at least the longest ttl of the cache and of all models", "cache", "max_ttl")
        if longest and self.memcached.servers and self.cache.secret is None:
            raise Misfit("missing; answers that memcached keeps are signed with it", "cache", "secret")
        return self

    @property
    def has_shared_state(self) -> bool:
        """Whether anything in here is for all workers and replicas together: a limit, or answers that are kept."""
        limits = [self.limits.default]
        for tenant in self.tenants.values():
            limits += [tenant.limits, *tenant.model_limits.values()]
        keeps = [self.cache.ttl, *(model.cache.ttl for model in self.models.values())]
        return any(limit.limits_anything for limit in limits) or any(keeps)

    def timeouts_of(self, provider: str, model: str | None = None) -> Timeouts:
        """The time bounds of a call to this provider, by way of this entry of `models` if there is one."""
        found = self.providers[provider].timeouts.over(self.timeouts.over(Timeouts()))
        return self.models[model].timeouts.over(found) if model is not None else found

    def plain_first_byte(self, provider: str, model: str | None = None) -> float | None:
        """Seconds of silence before a plain answer: the deadline alone bounds it unless model or provider say more."""
        near = [self.models[model].timeouts] if model is not None else []
        for timeouts in (*near, self.providers[provider].timeouts):
            if "first_byte" in timeouts.model_fields_set:
                return timeouts.first_byte
        return None
