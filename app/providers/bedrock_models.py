"""What the families of models on Bedrock take that others refuse, by their names.

A name may be a model's id, an inference profile's (`us.anthropic.claude-...`) or an ARN; one that says nothing (an
application inference profile) gets what any model takes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.json import Json
from app.providers.anthropic_thinking import Wish
from app.providers.claude import Claude, claude

_EFFORTS = ("low", "medium", "high")  # that models know which are no Claudes
_LOWER: Mapping[str, str] = {"minimal": "low", "xhigh": "high", "max": "high"}


@dataclass(frozen=True, slots=True)
class Family:
    """`claude` is the model's row, None for everybody else's. `caches`: takes cache points."""

    claude: Claude | None = None
    caches: bool = False
    nova: bool = False
    nova_thinks: bool = False
    gpt: bool = False
    top_k: bool = False

    def wants_top_k(self, value: Any) -> Json | None:
        """Where it is said, which Converse leaves to each model."""
        if self.nova:
            return {"inferenceConfig": {"topK": value}}
        return {"top_k": value} if self.top_k else None

    def wants_effort(self, wish: Wish) -> Json | None:
        """How a model that is no Claude is told how much to think; None where it cannot be told."""
        effort = _LOWER.get(wish.effort or "medium", wish.effort or "medium")
        if self.nova_thinks:
            if not wish.on:
                return {"reasoningConfig": {"type": "disabled"}}
            return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}}
        return {"reasoning_effort": effort} if self.gpt and wish.on and effort in _EFFORTS else None


def family(model: str, max_output: int | None = None) -> Family:
    if "claude" in model:
        return Family(claude=claude(model, max_output), caches=True, top_k=True)
    if "nova" in model:
        return Family(caches=True, nova=True, nova_thinks=re.search(r"nova-(?:[2-9]|premier-2)", model) is not None)
    return Family(gpt="gpt-oss" in model, top_k="mistral." in model or "pixtral" in model)
