"""The languages that clients speak: what makes a body sound, how answers and errors are put, how one becomes chat."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.language import Language
from app.surfaces.messages import COUNT_TOKENS, MESSAGES
from app.surfaces.openai import OPENAI_LANGUAGES
from app.surfaces.responses import RESPONSES

#: Path -> what is spoken there.
LANGUAGES: Mapping[str, Language] = {
    **OPENAI_LANGUAGES,
    "/v1/responses": RESPONSES,
    "/v1/messages": MESSAGES,
    "/v1/messages/count_tokens": COUNT_TOKENS,
}

__all__ = ["LANGUAGES", "MESSAGES"]
