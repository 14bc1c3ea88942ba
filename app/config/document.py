"""YAML text to plain data with the line of every path. The only file that knows PyYAML.

Built on the parser's events and not on a loader, for what loaders do not do: duplicate keys are found, nesting and the
growth of aliases are bounded, keys are text as written (`no:` and `4.1:` are names here), and each path has its line.
Dates stay text, and so does 1:30, which YAML 1.1 would read as the number 90.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from app.config.problems import Path, Report

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 100_000  # after aliases are counted as what they stand for

_STANDARD = "tag:yaml.org,2002:"
_MERGE = "<<"


@dataclass(frozen=True, slots=True)
class Document:
    tree: object  # dict, list, str, int, float, bool or None, nested
    lines: Mapping[Path, int]


class Unreadable(Exception):
    """Not YAML, or more of it than is sensible; the text after this point is unknown."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def read(text: str, report: Report) -> Document:
    """Raises Unreadable where nothing more can be said; what can be passed over goes to the report."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise Unreadable(f"larger than {MAX_BYTES} bytes", None)
    try:
        return _Composer(text.removeprefix("\ufeff"), report).document()
    except yaml.MarkedYAMLError as error:
        # Only the parser's fixed words: the text around the mark may be a secret.
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        words = ", ".join(w for w in (error.context, error.problem) if w)
        raise Unreadable(f"not YAML: {words}{_hint(text, line)}", line) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Unreadable("not YAML: a control character or invalid Unicode", line) from None
    except UnicodeEncodeError:
        raise Unreadable("not YAML: invalid Unicode", None) from None


def _hint(text: str, line: int | None) -> str:
    lines = text.splitlines()
    for number in (line, (line or 0) - 1):  # the parser may notice on the line after
        if (
            number
            and 0 < number <= len(lines)
            and "${" in lines[number - 1]
            and "{" in lines[number - 1].partition("${")[0]
        ):
            return '; inside { } a "${NAME}" needs its quotes'
    return ""


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


class _Composer:
    def __init__(self, text: str, report: Report) -> None:
        self._events: Iterator[yaml.Event] = iter(yaml.parse(text, Loader=yaml.CSafeLoader))
        self._report = report
        self._lines: dict[Path, int] = {}
        self._anchors: dict[str, tuple[object, int]] = {}  # name -> value and how many nodes it is
        self._nodes = 0
        self._resolver: Any = Resolver()
        self._constructor: Any = SafeConstructor()

    def document(self) -> Document:
        tree: object = {}
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise Unreadable("a second document; one is expected", _line(event))
                tree = self._node(next(self._events), (), 0)
        return Document(tree, self._lines)

    def _node(self, event: yaml.Event, at: Path, depth: int) -> object:
        line = _line(event)
        self._lines.setdefault(at, line)
        if depth > MAX_DEPTH:
            raise Unreadable(f"nested deeper than {MAX_DEPTH} levels", line)
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise Unreadable("an alias (*) without an anchor (&) before it", line)
            value, weight = self._anchors[event.anchor]
            self._count(weight, line)
            return value
        before = self._nodes
        self._count(1, line)
        value = self._value(event, at, depth, line)
        if isinstance(event, yaml.NodeEvent) and event.anchor:
            self._anchors[event.anchor] = value, self._nodes - before
        return value

    def _count(self, nodes: int, line: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise Unreadable(f"more than {MAX_NODES} values, aliases counted as what they stand for", line)

    def _value(self, event: yaml.Event, at: Path, depth: int, line: int) -> object:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, at, line)
        if isinstance(event, yaml.SequenceStartEvent):
            self._check_tag(event.tag, "seq", at, line)
            items: list[object] = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(inner, (*at, len(items)), depth + 1))
            return items
        self._check_tag(getattr(event, "tag", None), "map", at, line)
        return self._mapping(at, depth)

    def _mapping(self, at: Path, depth: int) -> dict[str, object]:
        own: dict[str, object] = {}
        merged: dict[str, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise Unreadable("a key that is not plain text", line)
            key = event.value
            self._count(1, line)
            if key == _MERGE and event.implicit[0]:
                for base in self._bases(self._node(next(self._events), at, depth + 1), at, line):
                    merged = base | merged  # the first of several wins
                continue
            self._lines.setdefault((*at, key), line)
            value = self._node(next(self._events), (*at, key), depth + 1)
            if key in own:
                self._report.add((*at, key), "named twice", line)
            own[key] = value
        return merged | own

    def _bases(self, value: object, at: Path, line: int) -> list[dict[str, object]]:
        found = value if isinstance(value, list) else [value]
        bases = [base for base in found if isinstance(base, dict)]
        if len(bases) < len(found):
            self._report.add((*at, _MERGE), "expected a mapping, or a list of them, to merge", line)
        return bases

    def _scalar(self, event: yaml.ScalarEvent, at: Path, line: int) -> object:
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._resolver.resolve(yaml.ScalarNode, event.value, event.implicit)
        kind = tag.removeprefix(_STANDARD)
        node = yaml.ScalarNode(tag, event.value)
        try:
            if kind == "null":
                return None
            if kind == "bool":
                return bool(self._constructor.construct_yaml_bool(node))
            if kind in ("int", "float") and ":" not in event.value:
                return (
                    self._constructor.construct_yaml_int(node)
                    if kind == "int"
                    else self._constructor.construct_yaml_float(node)
                )
        except (ValueError, KeyError, IndexError, OverflowError):
            self._report.add(at, f"cannot be read as YAML's {kind}", line)
            return None
        if kind in ("str", "int", "float", "timestamp", "merge", "value") and tag.startswith(_STANDARD):
            return event.value
        self._report.add(at, "a YAML tag that is not known here; leave it out", line)
        return None

    def _check_tag(self, tag: str | None, expected: str, at: Path, line: int) -> None:
        if tag not in (None, "!", _STANDARD + expected):
            self._report.add(at, "a YAML tag that is not known here; leave it out", line)
