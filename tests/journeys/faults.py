"""The faults that every SDK meets, each at a place of its own."""

from __future__ import annotations

from dataclasses import dataclass

#: Faults that a provider can have before it answers, and those that only a stream can have.
PLAIN = (
    *("fault-400", "fault-401", "fault-403", "fault-404", "fault-413", "fault-422", "fault-429-after-7", "fault-500"),
    *("fault-503", "fault-529", "fault-context", "fault-filter", "fault-quota", "fault-reset", "fault-badjson"),
    "fault-hang",
)
STREAMED = (
    *("fault-429-after-7", "fault-500", "fault-529", "fault-hang"),
    *("fault-errorfirst", "fault-errormid-3", "fault-cut-3"),
)
#: After these a provider is thought of as before.
HARMLESS = ("fault-400", "fault-403", "fault-404", "fault-413", "fault-422", "fault-context", "fault-filter")


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault to meet. What it breaks is felt by no other case: harmful ones have a provider to themselves."""

    upstream: str  # up or claude
    fault: str
    stream: bool
    tag: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.upstream} {'streamed' if self.stream else 'plain'} {self.fault}"

    @property
    def provider(self) -> str:
        return self.upstream if self.fault in HARMLESS else f"{self.upstream}-{self.tag}-{self.number}"

    @property
    def settings(self) -> str:
        """In the configuration of that provider, beside what all have."""
        return ", timeouts: {first_byte: 0.5}" if self.fault == "fault-hang" else ""

    def upstream_model(self, kind: str) -> str:
        """The model that the provider is asked for, with this worker class."""
        return f"{self.tag}-{kind}.{self.name}/{self.fault}"


def troubles(tag: str) -> list[Trouble]:
    found: list[Trouble] = []
    for upstream in ("up", "claude"):
        for stream, faults in ((False, PLAIN), (True, STREAMED)):
            found += [Trouble(upstream, fault, stream, tag, len(found) + at) for at, fault in enumerate(faults)]
    return found
