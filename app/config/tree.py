"""Finding one's way in a parsed file whose shape is not known yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.config.problems import Path

#: In a pattern: any key of a mapping, or any position of a list.
ANY = "*"


def pattern(text: str) -> Path:
    """`models.*.targets.*.weight` as a path."""
    return tuple(text.split("."))


def matches(tree: object, wanted: Path, at: Path = ()) -> Iterator[Path]:
    """Every path of the tree that the pattern describes."""
    if not wanted:
        yield at
        return
    for key, value in _children(tree):
        if wanted[0] in (ANY, key):
            yield from matches(value, wanted[1:], (*at, key))


def mapping(tree: object, *keys: str) -> dict[str, object]:
    """The mapping at this place, or an empty one where there is none."""
    for key in keys:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree if isinstance(tree, dict) else {}


def texts(value: object) -> Iterator[tuple[int, str]]:
    """The texts in a list, with their positions; nothing if it is not a list."""
    if isinstance(value, list):
        yield from ((i, text) for i, text in enumerate(value) if isinstance(text, str))


def get(tree: object, at: Path) -> object:
    """The value at this path; None where there is none."""
    for key in at:
        if isinstance(tree, dict) and isinstance(key, str):
            tree = tree.get(key)
        elif isinstance(tree, list) and isinstance(key, int) and key < len(tree):
            tree = tree[key]
        else:
            return None
    return tree


def changed(tree: object, changes: Mapping[Path, object]) -> object:
    """A copy with these values set; a path leads through mappings that exist."""
    own = {path[0]: value for path, value in changes.items() if len(path) == 1}
    deeper = {path[0] for path in changes if len(path) > 1}
    if not isinstance(tree, dict):
        return tree
    result = {**tree, **own}
    for key in deeper:
        result[key] = changed(tree.get(key), {p[1:]: v for p, v in changes.items() if len(p) > 1 and p[0] == key})
    return result


def _children(tree: object) -> Iterator[tuple[str | int, object]]:
    if isinstance(tree, dict):
        yield from tree.items()
    elif isinstance(tree, list):
        yield from enumerate(tree)
