"""`models`: the names that clients use, and the targets behind each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from app.config.timeouts import TimeoutsS
from app.config.values import NOT_EMPTY, Count, Flag, Name, Part, Price, Ttl, written


def _rescue(value: object) -> object:
    return "off" if value is False else value  # YAML 1.1 reads a bare `off` as false


RescueMode = Literal["off", "continue", "replay", "auto"]
Rescue = Annotated[RescueMode, BeforeValidator(_rescue, json_schema_input_type=RescueMode | Literal[False])]


class TargetS(Part):
    """`provider/model`; the provider's own name of the model may have slashes of its own."""

    target: Name = Field(description="provider/model")
    weight: Count = Field(default=1, description="with strategy weighted: its part of the first attempts")
    prefill: Flag = Field(default=False, description="continues an answer that another has begun")

    @property
    def provider(self) -> str:
        return self.target.partition("/")[0]

    @property
    def model(self) -> str:
        return self.target.partition("/")[2]


_Written = Annotated[str, written("provider/model")]


def _target(value: object) -> object:
    if isinstance(value, str):
        return {"target": value}
    if isinstance(value, dict):
        return value
    raise ValueError("expected provider/model, or {target: provider/model, ...}")


Names = Annotated[tuple[Name, ...], Field(strict=False)]


class FallbacksS(Part):
    """Other models to ask, by why this one failed."""

    any: Names = Field(default=(), description="whatever the reason, where another may be asked at all")
    context_length: Names = Field(default=(), description="the prompt is too long")
    content_filter: Names = Field(default=(), description="the provider's filter refused")


class ModelCacheS(Part):
    ttl: Ttl | None = Field(default=None, description="how long an answer is kept; 0 is off; null: cache.ttl")
    shared: Flag = Field(default=False, description="tenants are given one another's answers")


class PriceS(Part):
    """USD per million tokens."""

    input: Price = Field(default=0.0, description="tokens of the prompt")
    cached_input: Price = Field(
        default_factory=lambda given: given.get("input", 0.0),
        description="those that the provider had cached; left out: as much as the others",
    )
    output: Price = Field(default=0.0, description="tokens of the answer")


class ModelS(Part):
    """One model, or with a * at the end of its name every name that begins so; the longest match wins."""

    targets: Annotated[
        tuple[Annotated[TargetS, BeforeValidator(_target, json_schema_input_type=_Written | TargetS)], ...],
        Field(strict=False, json_schema_extra={"minItems": 1}),
        NOT_EMPTY,
    ] = Field(description="provider/model, in the order of trying")
    strategy: Literal["priority", "weighted", "least_busy"] = Field(
        default="priority",
        description="who is asked first: the first one, one at random by weight, or the one with least to do",
    )
    fallbacks: FallbacksS = Field(default_factory=FallbacksS, description="other models to ask when all targets fail")
    cache: ModelCacheS = Field(default_factory=ModelCacheS, description="answers that are kept")
    timeouts: TimeoutsS = Field(default_factory=TimeoutsS, description="instead of the provider's and the top's")
    stream_rescue: Rescue | None = Field(default=None, description="null: resilience.stream_rescue")
    context: Count | None = Field(
        default=None, description="tokens that the model can read: not asked where the words alone are more"
    )
    vision: Flag = Field(default=True, description="takes images; else it is no fallback for calls with some")
    tools: Flag = Field(default=True, description="takes tools; else it is no fallback for calls with some")
    max_output: Count | None = Field(
        default=None, description="tokens that the model can write: it is never asked for more"
    )
    price: PriceS = Field(default_factory=PriceS, description="USD per million tokens")
