"""Reads a model's name as the behaviour that it asks for.

    name      = [clause] word* ["then" word*]
    clause    = "first-N" | "every-N" | "chance-P"     when the faults apply, counted per name (P: per cent)
    word      = an entry of WORDS with its arguments | "fault-" an entry of FAULTS with its arguments

All joined by dashes; arguments may be left out from the right, and any number of words may be combined:
`words-60-gap-20`, `fault-429-after-2`, `fault-cut-5-rst-words-60`, `first-2-fault-500-then-words-20`. Durations are
milliseconds. Where the clause does not apply, the words after "then" do, else the same words without their faults. Of a
path only the last segment counts (`vendor/words-3`). A name whose first word is not known is an ordinary model.
`python -m tests.standin --grammar` prints both tables.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from tests.standin.answers import dressed, is_known, made_up, refusal
from tests.standin.faults import FAULTS, Choice, Number, Parameter
from tests.standin.message import Answer, End, Framing, Request
from tests.standin.plan import Fault, Plan


class GrammarError(ValueError):
    """A name that begins like the grammar and then leaves it."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the grammar: its arguments, what it means, what it does to the plan."""

    parameters: tuple[Parameter, ...]
    meaning: str
    apply: Callable[..., Plan]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A parsed name."""

    active: Plan
    otherwise: Plan
    clause: str = ""
    amount: int = 0

    def plan(self, name: str, count: int, seed: int) -> Plan:
        """The plan of the count-th call (from 1) by this name."""
        match self.clause:
            case "first":
                applies = count <= self.amount
            case "every":
                applies = count % self.amount == 0
            case "chance":
                applies = random.Random(f"{seed} {name} {count}").random() * 100 < self.amount
            case _:
                applies = True
        return self.active if applies else self.otherwise


def _set(field: str) -> Callable[..., Plan]:
    return lambda plan, value: replace(plan, **{field: value})


def _set_ms(field: str) -> Callable[..., Plan]:
    return lambda plan, value: replace(plan, **{field: value / 1000})


def _fix(field: str, value: object) -> Callable[..., Plan]:
    return lambda plan: replace(plan, **{field: value})


def _retry(form: str) -> Callable[..., Plan]:
    return lambda plan, amount=0: replace(plan, retry_after=(form, amount))


def _framed(plan: Plan, how: str) -> Plan:
    return replace(plan, framing=Framing(how))


_FINISHES = Choice(("length", "filter", "sequence", "pause", "stop"))
_GARBAGE = Choice(("words", "negative", "float", "blank"))
_FRAMINGS = Choice(("length", "chunked", "close"))
WORDS: Mapping[str, Word] = MappingProxyType(
    {
        "plain": Word((), "nothing special: an ordinary answer", lambda plan: plan),
        "words": Word((Number(5),), "N words of text, see text(N)", _set("words")),
        "echo": Word((), "the text of the last message, a word an event", _fix("echo", True)),
        "reasoning": Word((Number(3),), "N words of reasoning first", _set("reasoning")),
        "tools": Word((Number(1),), "N parallel calls of the request's tools", _set("tools")),
        "cached": Word((Number(10),), "N cached prompt tokens in the usage", _set("cached")),
        "nousage": Word((), "no usage, though asked for", _fix("has_usage", False)),
        "finish": Word((_FINISHES,), "why the answer ended", _set("finish")),
        "delay": Word((Number(100),), "N ms before the first byte", _set_ms("delay")),
        "ttft": Word((Number(100),), "N ms from the head to the first event", _set_ms("ttft")),
        "gap": Word((Number(10),), "N ms between words", _set_ms("gap")),
        "hold": Word((Number(0),), "after N words (plain: at once) until release(<model>)", _set("hold")),
        "held": Word((), "before the first byte until release(<model>)", _fix("is_held", True)),
        "framing": Word((_FRAMINGS,), "how the end of the body is told", _framed),
        "cuts": Word((Number(1),), "cut at random places, seed N", _set("cuts")),
        "drip": Word((Number(1),), "one byte at a time, N ms apart", _set_ms("drip")),
        "once": Word((), "complete, then `connection: close`", _fix("end", End.CLOSE)),
        "hangup": Word((), "complete, then closed though the head kept it", _fix("end", End.HANGUP)),
        "text": Word((), "an error's body as text/plain", _fix("error_form", "text")),
        "html": Word((), "an error's body as HTML", _fix("error_form", "html")),
        "empty": Word((), "an error without a body", _fix("error_form", "empty")),
        "after": Word((Number(1),), "Retry-After: N (errors only, as all of these)", _retry("seconds")),
        "afterms": Word((Number(100),), "retry-after-ms: N", _retry("ms")),
        "afterdate": Word((Number(2),), "Retry-After: the date in N s", _retry("date")),
        "afterreset": Word((Number(360),), "x-ratelimit-reset-requests: 6m0s", _retry("reset")),
        "aftergarbage": Word((_GARBAGE,), "Retry-After: nonsense", lambda plan, how: _retry(how)(plan)),
    }
)
_CLAUSES = ("first", "every", "chance")


def answer_for(name: str, request: Request, count: int, seed: int) -> Answer:
    """What this name answers to the count-th call that says it; a GrammarError for a name that is half understood."""
    plan = read(name).plan(name, count, seed)
    if not is_known(request):
        return refusal(request, 404, f"no such path: {request.method} {request.path}", code="unknown_url")
    answer = made_up(request, plan)
    for fault in plan.faults:
        answer = FAULTS[fault.name].make(answer, request, plan, *fault.arguments)
    return dressed(answer, request, plan)


@lru_cache(maxsize=4096)
def read(name: str) -> Behaviour:
    """Parse a name."""
    tokens = name.rpartition("/")[2].split("-")
    if tokens[0] not in WORDS and tokens[0] not in _CLAUSES and tokens[0] != "fault":
        return Behaviour(Plan(), Plan())
    clause, amount = "", 0
    if tokens[0] in _CLAUSES:
        if len(tokens) < 2 or not tokens[1].isdecimal() or tokens[1] == "0":
            raise GrammarError(f"{name!r}: {tokens[0]} needs a number above 0")
        clause, amount = tokens[0], int(tokens[1])
        tokens = tokens[2:]
    after: list[str] | None = None
    if "then" in tokens:
        at = tokens.index("then")
        tokens, after = tokens[:at], tokens[at + 1 :]
    active = _plan(tokens, name)
    otherwise = replace(active, faults=()) if after is None else _plan(after, name)
    return Behaviour(active, otherwise, clause, amount)


def _plan(tokens: list[str], name: str) -> Plan:
    plan = Plan()
    rest = list(tokens)
    while rest:
        token = rest.pop(0)
        if token == "fault" and rest:
            plan = replace(plan, faults=(*plan.faults, _fault(rest, name)))
        elif token in WORDS:
            plan = WORDS[token].apply(plan, *_arguments(WORDS[token].parameters, rest))
        else:
            raise GrammarError(f"{name!r}: {token!r} is not a word; known: {', '.join(WORDS)}, fault-<name>")
    return plan


def _fault(rest: list[str], name: str) -> Fault:
    token = rest.pop(0)
    if len(token) == 3 and token.isdecimal():
        return Fault("status", (int(token),))
    if token not in FAULTS:
        raise GrammarError(f"{name!r}: {token!r} is not a fault; known: <status>, {', '.join(FAULTS)}")
    return Fault(token, _arguments(FAULTS[token].parameters, rest))


def _arguments(parameters: tuple[Parameter, ...], rest: list[str]) -> tuple[int | str, ...]:
    """Arguments by their kind from the front of `rest`, defaults for those that are not there."""
    values: list[int | str] = []
    for parameter in parameters:
        if isinstance(parameter, Number):
            values.append(int(rest.pop(0)) if rest and rest[0].isdecimal() else parameter.default)
        else:
            values.append(rest.pop(0) if rest and rest[0] in parameter.options else parameter.options[0])
    return tuple(values)


def table() -> str:
    """Both tables as text."""
    lines = ["words:"]
    for name, word in WORDS.items():
        lines.append(f"  {_usage(name, word.parameters):34} {word.meaning}")
    lines.append("faults:")
    for name, fault in FAULTS.items():
        lines.append(f"  {_usage(f'fault-{name}', fault.parameters):34} {fault.meaning}")
    return "\n".join(lines)


def _usage(name: str, parameters: tuple[Parameter, ...]) -> str:
    shown = (str(one.default) if isinstance(one, Number) else "|".join(one.options) for one in parameters)
    return name + "".join(f"[-{one}]" for one in shown)
