"""What a client asked for, and where it may go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.core.json import Json
from app.core.language import Language
from app.core.provider import Provider
from app.core.usage import FREE, Price


@dataclass(frozen=True, slots=True)
class Tenant:
    """Who pays. `key` is the name of the key that was used, None where it has none."""

    name: str
    key: str | None = None
    models: tuple[str, ...] = ("*",)

    def may_use(self, model: str) -> bool:
        return any(model.startswith(m[:-1]) if m.endswith("*") else model == m for m in self.models)


@dataclass(frozen=True, slots=True)
class Keeping:
    """What a client says about answers that are kept. Seconds; None: no bound of its own."""

    read: bool = True  # may it be given one?
    write: bool = True  # may its own be kept?
    max_age: int | None = None  # none older than this
    ttl: int | None = None  # nor may its own get older


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One client request, parsed and checked, before anything has been decided about it."""

    id: str  # echoed as x-request-id
    language: Language
    model: str  # as the client named it: never a label, never in a URL before the route table has resolved it
    body: Json  # as received, unknown fields included; never changed
    stream: bool
    tenant: Tenant  # known before the body is read: a stranger's body is not worth parsing
    headers: Mapping[str, str]  # the few request headers that may travel on (anthropic-version, -beta), lower case
    patience: float | None  # seconds that the client will wait at most, by its own word
    began: float  # monotonic
    keeping: Keeping = Keeping()
    client: int | None = None  # the client's socket, as a file number: to see when it leaves
    address: str | None = None  # the client's, behind the proxies that are trusted


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `first_byte` and `idle` bound silence, `deadline` the whole call; None: not bounded."""

    connect: float = 5.0
    first_byte: float | None = 120.0  # of streams
    first_byte_plain: float | None = None  # of plain calls: the deadline alone bounds them unless somebody says more
    first_token: float | None = None
    idle: float | None = 30.0
    deadline: float = 600.0


@dataclass(frozen=True, slots=True)
class Target:
    """One place a route may send a call: a provider and that provider's own name for the model."""

    provider: Provider
    model: str
    timeouts: Timeouts = Timeouts()
    configured: bool = True  # False for a `provider/model` that only the provider can confirm
    counted: bool = True  # False for names that only a * stands for: nobody can say how many there will be
    weight: int = 1  # share of first attempts, where the strategy goes by weight
    prefill: bool = False  # continues an answer that it is given the beginning of
    price: Price = FREE
    context: int | None = None  # tokens that it can read; None: not known, here as below
    max_output: int | None = None  # tokens that it can write

    @property
    def name(self) -> str:
        return f"{self.provider.name}/{self.model}"

    @property
    def key(self) -> str:
        """By which its breaker is found."""
        return self.name if self.counted else f"{self.provider.name}/*"


class Strategy(StrEnum):
    """Who is asked first."""

    PRIORITY = "priority"
    WEIGHTED = "weighted"
    LEAST_BUSY = "least_busy"


class Rescue(StrEnum):
    """What is done for a stream that broke after its first content."""

    OFF = "off"
    CONTINUE = "continue"  # another target goes on from the delivered text
    REPLAY = "replay"  # the call is made again, and what was delivered is left out
    AUTO = "auto"  # continue, else replay where the answer would be the same, else off


@dataclass(frozen=True, slots=True)
class Route:
    """A public model name, resolved. `label` is what metrics call it: from the configuration, never from the client."""

    model: str
    label: str
    targets: tuple[Target, ...]
    strategy: Strategy = Strategy.PRIORITY
    rescue: Rescue = Rescue.AUTO
    vision: bool = True  # takes images
    tools: bool = True
    fallbacks: Fallbacks | None = None


@dataclass(frozen=True, slots=True)
class Fallbacks:
    """Other models to ask, by why this one failed. Theirs are not followed."""

    any: tuple[Route, ...] = ()
    context_length: tuple[Route, ...] = ()
    content_filter: tuple[Route, ...] = ()
