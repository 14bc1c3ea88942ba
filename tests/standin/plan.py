"""What an answer that is made up on the spot shall contain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tests.standin.message import End, Framing, Part, Piece, Request

_LEXICON = ("alpha", "naïve", "世界", "🙂", "delta", "größer", "foxtrot", "γάμμα")  # two to four bytes of UTF-8


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault by its name in the table, with its arguments."""

    name: str
    arguments: tuple[int | str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Durations are seconds. `words` None: five, or none where tools are called."""

    words: int | None = None
    echo: bool = False
    reasoning: int = 0
    tools: int = 0
    cached: int = 0
    has_usage: bool = True
    finish: str = ""
    delay: float = 0.0
    ttft: float = 0.0
    gap: float = 0.0
    hold: int | None = None
    is_held: bool = False
    framing: Framing | None = None
    cuts: int | None = None
    drip: float | None = None
    end: End = End.KEEP
    error_form: str = "json"
    retry_after: tuple[str, int] | None = None
    headers: tuple[tuple[str, str], ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def word_count(self) -> int:
        if self.words is not None:
            return self.words
        return 0 if self.tools else 5


def word(index: int) -> str:
    """The index-th word of every made-up text, with the space before it; numbered, so that a lost one is seen."""
    return f"{' ' if index else ''}{_LEXICON[index % len(_LEXICON)]}{index}"


def text(count: int) -> str:
    """The whole text of `count` words, as a client that lost nothing puts it together."""
    return "".join(word(index) for index in range(count))


def words_of(request: Request, plan: Plan) -> list[str]:
    """The answer's text, a word an element."""
    if plan.echo:
        first, *others = _last_text(request).split(" ")
        return [first, *(f" {one}" for one in others)]
    return [word(index) for index in range(plan.word_count)]


def _last_text(request: Request) -> str:
    messages = request.fields.get("messages") or request.fields.get("input")
    content = (
        messages[-1].get("content") if isinstance(messages, list) else messages or request.fields.get("prompt", "")
    )
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return str(content)


def prompt_tokens(request: Request) -> int:
    """A count that a test can foretell: the words in all texts of the prompt."""
    fields = request.fields
    return max(1, sum(_count(fields.get(name)) for name in ("system", "messages", "prompt", "input")))


def _count(value: object) -> int:
    match value:
        case str():
            return len(value.split())
        case list():
            return sum(1 if isinstance(one, int) else _count(one) for one in value)
        case dict():
            return _count(value.get("content")) + _count(value.get("text"))
        case _:
            return 0


def arguments_of(tool: object, index: int) -> dict[str, object]:
    """Arguments that fit the tool's schema as far as its simple types go."""
    schema = tool.get("parameters") or tool.get("input_schema") if isinstance(tool, dict) else None
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return {"place": f"世界{index}", "count": index}
    return {name: _example(kind, index) for name, kind in properties.items()}


def _example(kind: object, index: int) -> object:
    if isinstance(kind, dict) and kind.get("enum"):
        return kind["enum"][0]
    named = kind.get("type") if isinstance(kind, dict) else None
    return {"integer": index, "number": index + 0.5, "boolean": True, "array": [], "object": {}}.get(
        str(named), f"世界{index}"
    )


def fragments(whole: str, size: int = 7) -> list[str]:
    """A JSON text in the pieces that a provider streams it in, the first one empty."""
    return ["", *(whole[at : at + size] for at in range(0, len(whole), size))]


def timed(pieces: Iterable[Piece], plan: Plan, gate: str) -> Iterator[Piece]:
    """Pieces with the plan's waits: before the first, between content, and at the gate."""
    content = 0
    for index, piece in enumerate(pieces):
        pause = plan.ttft if index == 0 else 0.0
        held = None
        if piece.part is Part.CONTENT:
            pause += plan.gap if content else 0.0
            held = gate if plan.hold == content else None
            content += 1
        yield replace(piece, pause=pause, gate=held) if pause or held else piece
