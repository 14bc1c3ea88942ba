"""Azure: OpenAI's models, and others in its Foundry, behind three families of URLs.

Which one is meant shows in the base_url. It ends in `/openai/v1` (the newer one, the model in the body): as it is. It
ends in `/models` (Foundry): as it is, with an api-version. Else it is the resource, whose deployments have a path each.
"""

from __future__ import annotations

from urllib.parse import quote

from app.core.provider import Provider
from app.core.wire import Operation
from app.providers.openai import PATHS, OpenAIDialect
from app.providers.quirks import Quirks, at_most_40
from app.providers.row import Feature, Row

DEPLOYMENTS_VERSION = "2024-10-21"
FOUNDRY_VERSION = "2024-05-01-preview"
RESPONSES_SINCE = "2025-03-01-preview"
RESPONSES = PATHS[Operation.RESPONSES]


def locate(provider: Provider, path: str, model: str) -> str:
    base, version = provider.base_url, provider.api_version
    if base.endswith("/v1"):
        return f"{base}{path}?api-version={version}" if version else base + path
    if path == RESPONSES:
        return _responses(base, version)
    if base.endswith("/models"):
        return f"{base}{path}?api-version={version or FOUNDRY_VERSION}"
    resource = base.removesuffix("/openai")
    return f"{resource}/openai/deployments/{quote(model, safe='')}{path}?api-version={version or DEPLOYMENTS_VERSION}"


def _responses(base: str, version: str | None) -> str:
    """In `/openai/v1` beside every family; but who configured a preview that has them is asked there."""
    resource = base.removesuffix("/models").removesuffix("/openai")
    if version and version[0].isdigit() and version >= RESPONSES_SINCE and not base.endswith("/models"):
        return f"{resource}/openai{RESPONSES}?api-version={version}"
    return f"{resource}/openai/v1{RESPONSES}"


def models_url(provider: Provider) -> str | None:
    base, version = provider.base_url, provider.api_version
    if base.endswith("/v1"):
        return f"{base}/models?api-version={version}" if version else f"{base}/models"
    if base.endswith("/models"):
        return base.removesuffix("/models") + "/openai/v1/models"
    return f"{base.removesuffix('/openai')}/openai/models?api-version={version or DEPLOYMENTS_VERSION}"


ROWS = (
    Row(
        kind="azure",
        title="Azure OpenAI and Foundry",
        base_url=None,
        path="",
        key_header="api-key",
        key_scheme="",
        models_url=models_url,
        dialect=OpenAIDialect(
            native=frozenset({Operation.CHAT, Operation.COMPLETIONS, Operation.EMBEDDINGS, Operation.RESPONSES}),
            quirks=Quirks(call_ids=at_most_40),
            locate=locate,
        ),
        features=frozenset(Feature),
        docs="https://learn.microsoft.com/azure/ai-foundry/openai/reference",
        note="`base_url` is the resource (deployments), or ends in `/openai/v1`, or in `/models` (Foundry)",
    ),
)
