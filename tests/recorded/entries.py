"""Where each recorded exchange went, as an entry of the gateway's configuration."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from urllib.parse import parse_qs

from tests.recorded.corpus import Case
from tests.recorded.natives import is_native_chat

#: What the gateway adds to a base URL, by operation.
_SUFFIXES = {
    "chat": "/chat/completions",
    "completions": "/completions",
    "embeddings": "/embeddings",
    "moderations": "/moderations",
    "rerank": "/rerank",
    "responses": "/responses",
    "models": "/models",
    "messages": "/messages",
    "count_tokens": "/messages/count_tokens",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A configured provider. `base_path` follows the host; `models` are those that it lists."""

    kind: str
    base_path: str
    api_version: str | None = None
    models: tuple[str, ...] = ()
    project: str | None = None
    location: str | None = None

    @property
    def name(self) -> str:
        told = f"{self.base_path} {self.api_version} {self.models} {self.project} {self.location}"
        return f"{self.kind}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"


def entry_of(case: Case) -> Entry:
    kind = case.kind
    version = parse_qs(case.query).get("api-version", [None])[0]
    if case.operation == "models":
        return Entry(kind, "/v1", models=listed(case))
    if kind in ("gemini", "vertex"):
        return _googles(case)
    if is_native_chat(case.exchange) or kind == "cohere":
        return Entry(kind, "")
    if kind == "compatible" and version is not None:  # one of Azure's, taken for one of many
        return Entry(kind, case.path.removesuffix(_SUFFIXES[case.operation]))
    base, deployments, _ = case.path.partition("/openai/deployments/")
    if not deployments:
        base = case.path.removesuffix(_SUFFIXES[case.operation])
        if kind == "perplexity":  # has its embeddings under /v1 and its chat not: the base URL is without
            base = base.removesuffix("/v1")
    return Entry(kind, base, version)


def _googles(case: Case) -> Entry:
    """`/v1beta1/projects/P/locations/L/publishers/google/models/M:verb`, or `/v1beta/models/M:verb`."""
    _, version, *rest = case.path.split("/")
    project, location = (rest[1], rest[3]) if rest[0] == "projects" else (None, None)
    return Entry(case.kind, f"/{version}", project=project, location=location)


def listed(case: Case) -> tuple[str, ...]:
    """The names in a recorded list of models, or of the one model that was asked for."""
    body = json.loads(case.exchange.response.body)
    found = body.get("data") or body.get("items") or body.get("models") or body.get("publisherModels") or [body]
    by = "name" if "items" in body or "id" not in found[0] else "id"
    return tuple(dict.fromkeys(str(model[by]) for model in found))
