"""What a call will cost in tokens, guessed before, and what it did cost, reckoned after."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from app.core.call import Call
from app.core.errors import Status
from app.core.exchange import Outcome
from app.core.json import Json
from app.core.text import prompt_tokens
from app.core.wire import Operation

FIRST_OUTPUT = 256  # tokens of an answer, as long as none has been seen
_SEEN = 32  # answers

_BOUNDS = ("max_completion_tokens", "max_output_tokens", "max_tokens")
_NO_OUTPUT = frozenset({Operation.EMBEDDINGS, Operation.MODERATIONS})


class Guess(NamedTuple):
    """Tokens."""

    input: int
    output: int


class Outputs:
    """How long the answers of each model were of late. Belongs to the process."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[int]] = {}

    def note(self, label: str, tokens: int) -> None:
        self._seen.setdefault(label, deque(maxlen=_SEEN)).append(tokens)

    def mean(self, label: str) -> int:
        seen = tuple(self._seen.get(label, ()))
        return math.ceil(sum(seen) / len(seen)) if seen else FIRST_OUTPUT


def guess(call: Call, mean: int) -> Guess:
    """`mean`: what an answer has that nothing bounds."""
    operation, body = call.language.operation, call.body
    if operation is Operation.COUNT_TOKENS:
        return Guess(0, 0)
    read = prompt_tokens(body)
    if operation in _NO_OUTPUT:
        return Guess(read, 0)
    bounds = (body.get(name) for name in _BOUNDS)
    bound = next((value for value in bounds if isinstance(value, int) and value >= 0), mean)
    return Guess(read, bound * _answers(body))


def used(guess: Guess, outcome: Outcome) -> int:
    """Tokens: what the tenant is charged, or what we guessed of the input where somebody may have read it in vain.

    Nothing where nobody was asked, or where whoever was asked failed before there was anything to deliver.
    """
    charged = outcome.charged.input + outcome.charged.output
    if outcome.usage is not None or not outcome.attempts or outcome.chars:
        return charged
    failed = outcome.status in (Status.ERROR, Status.CLIENT_ERROR)
    return 0 if failed else guess.input


def _answers(body: Json) -> int:
    n, prompt = body.get("n"), body.get("prompt")
    prompts = len(prompt) if isinstance(prompt, list) and prompt and not isinstance(prompt[0], int) else 1
    return prompts * (n if isinstance(n, int) and n > 0 else 1)
