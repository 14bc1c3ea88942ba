"""What the gateway must have counted: the provider's own numbers, whatever the client asked for and was shown."""

from __future__ import annotations

import json

from tests.recorded.anthropic_answer import fold_message
from tests.recorded.corpus import Case
from tests.recorded.entries import entry_of
from tests.recorded.events import events
from tests.recorded.house import House
from tests.recorded.natives import NATIVES, is_native_chat
from tests.recorded.openai_answer import fold_chat
from tests.recorded.reading import Tokens
from tests.recorded.responses_answer import response_tokens
from tests.recorded.usage import anthropic_tokens, counts_beside, openai_tokens


class Books:
    """Opened before a call, looked at after it."""

    def __init__(self, house: House, case: Case) -> None:
        self._house, self._case, self._entry = house, case, entry_of(case).name
        self._before = house.counted(self._entry)

    def problems(self) -> list[str]:
        """Nothing is expected where the provider said nothing."""
        tokens = _said(self._case)
        before, after = self._before, self._house.counted(self._entry)
        counted = (after[0] - before[0], after[1] - before[1])
        if tokens is None or counted == (tokens.input, tokens.output):
            return []
        return [f"counted: expected {(tokens.input, tokens.output)}, found {counted}"]


def _said(case: Case) -> Tokens | None:
    recorded = case.exchange.response.body
    if case.operation in ("count_tokens", "moderations"):
        return None
    if is_native_chat(case.exchange):
        return NATIVES[case.exchange.provider].reading(case.exchange).tokens
    if case.operation == "responses":
        return response_tokens((events(recorded)[-1]["response"] if case.is_stream else json.loads(recorded))["usage"])
    if case.operation == "messages":
        message = fold_message(events(recorded)) if case.is_stream else json.loads(recorded)
        return anthropic_tokens(message["usage"])
    body = fold_chat(events(recorded)) if case.is_stream else json.loads(recorded)
    return openai_tokens(body.get("usage"), beside=counts_beside(case.exchange.provider, case.exchange.model))
