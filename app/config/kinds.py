"""Which settings each kind of provider takes. Data alone: how a kind is spoken to stands with the providers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Settings of every provider that is reached over the network.
REMOTE = frozenset({"base_url", "api_key", "api_key_file", "headers", "proxy", "ca_file"})

#: What `simulated` can be told to get wrong: error types that a provider can cause, and accidents of the wire.
FAULTS = (
    "authentication",
    "connection",
    "content_filter",
    "context_length",
    "invalid_request",
    "invalid_response",
    "model_not_found",
    "overloaded",
    "quota_exceeded",
    "rate_limited",
    "server_error",
    "stream_interrupted",
    "timeout",
    "cut",
    "malformed",
    "slow",
    "stall",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One row. `accepts` are the settings that not every kind has; `needs` must be there, with or without a key.

    `instead`: settings that make a key needless, the first of which is named where there is neither. `package` is then
    what makes the credentials, and `extra` what it is installed with; `always`: with a key it is needed, too.
    """

    accepts: frozenset[str] = REMOTE
    needs: frozenset[str] = frozenset()
    needs_key: bool = True  # unless the entry names a base_url: what stands there may want none
    instead: tuple[str, ...] = ()
    package: str | None = None
    extra: str | None = None
    always: bool = False


_HOSTED = Kind()
_KEYLESS = Kind(needs_key=False)
_ANYWHERE = Kind(needs=frozenset({"base_url"}), needs_key=False)

KINDS: Mapping[str, Kind] = {
    "anthropic": _HOSTED,
    "azure": Kind(accepts=REMOTE | {"api_version"}, needs=frozenset({"base_url"})),
    "bedrock": Kind(
        accepts=REMOTE | {"region", "credentials_file"},
        needs=frozenset({"region"}),
        instead=("region",),
        package="botocore",
        extra="bedrock",
        always=True,
    ),
    "cerebras": _HOSTED,
    "cohere": _HOSTED,
    "compatible": _ANYWHERE,  # whoever speaks OpenAI's language at a base_url
    "deepseek": _HOSTED,
    "fireworks": _HOSTED,
    "gemini": _HOSTED,
    "groq": _HOSTED,
    "huggingface": _HOSTED,
    "mistral": _HOSTED,
    "ollama": _KEYLESS,
    "openai": _HOSTED,
    "openrouter": _HOSTED,
    "perplexity": _HOSTED,
    "simulated": Kind(
        accepts=frozenset({"latency", "tokens_per_second", "words", "faults"}),
        needs_key=False,
    ),
    "together": _HOSTED,
    "vertex": Kind(
        accepts=REMOTE | {"project", "location", "credentials_file"},
        instead=("project",),
        package="google.auth",
        extra="vertex",
    ),
    "vllm": _ANYWHERE,
    "xai": _HOSTED,
    "zai": _HOSTED,
}
