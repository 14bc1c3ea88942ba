"""docs/configuration.md: every key of the configuration file and every variable of the environment.

`python -m app.reference` writes the tables between the marks of the page; a test holds the two together. The text of a
key is its description in app/config, which `llm-gateway schema` has, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from app.config.kinds import KINDS
from app.config.schema import Schema, schema
from app.config.values import LARGEST
from app.instance.environment import VARIABLES

PAGE = Path("docs/configuration.md")

_NAMES_AT_MOST = 8  # of an enumeration, in a cell
_INHERITING = ("timeouts", "limits")  # sections that stand further out, too


def variables() -> str:
    lines = ["| Variable | Default | |", "|---|---|---|"]
    lines += [f"| `{each.name}` | {each.default} | {each.text} |" for each in VARIABLES]
    return "\n".join(lines) + "\n"


def keys() -> str:
    """A table for each section of the file."""
    parts = []
    for section, found in schema()["properties"].items():
        lines = [f"### `{section}`", "", f"{_sentence(found['description'])}", ""]
        lines += ["| Key | Value | Default | |", "|---|---|---|---|"]
        lines += [_row(path, one, needed=needed) for path, one, needed in settings(found, section)]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def settings(found: Schema, at: str) -> Iterator[tuple[str, Schema, bool]]:
    """Every key below this place of the schema: its path, its own schema, and whether it must be there."""
    for choice in (found, *found.get("anyOf", ())):
        for name, one in choice.get("properties", {}).items():
            yield f"{at}.{name}", one, name in choice.get("required", ())
            yield from settings(one, f"{at}.{name}")
        for each in (choice.get("additionalProperties"), choice.get("items")):
            if isinstance(each, dict):
                yield from settings(each, f"{at}.*")


def inserted(text: str) -> str:
    """The page with both tables in their places."""
    for name, table in (("environment", variables()), ("keys", keys())):
        begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}{table}{end}{after}"
    return text


def _row(path: str, one: Schema, *, needed: bool) -> str:
    inherited = path.split(".")[-2] in _INHERITING and "default" not in one and "properties" not in one
    default = "**needed**" if needed else "inherited" if inherited else _default(one)
    text = one["description"]
    if path.startswith("providers.*.") and path.count(".") == 2:
        text += _kinds(path.rpartition(".")[2])
    return f"| `{path}` | {_value(one)} | {default} | {text} |"


def _default(one: Schema) -> str:
    if "default" not in one:
        return ""
    value = one["default"]
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return f"`{json.dumps(whole).strip(chr(34))}`"


def _kinds(key: str) -> str:
    """Which kinds of provider take a key, and which cannot do without, where that is not the same for all."""
    takes = [kind for kind, row in KINDS.items() if key in row.accepts]
    needs = [f"`{kind}`" for kind, row in KINDS.items() if key in row.needs]
    rest = [kind for kind in KINDS if kind not in takes]
    few, word = (takes, "Only") if len(takes) < len(rest) else (rest, "Not")
    text = f". {word} {_listed([f'`{kind}`' for kind in few])}" if takes and few else ""
    return text + (f". Needed by {_listed(needs)}" if needs and len(needs) < len(takes) else "")


def _value(found: Schema) -> str:
    choices = [one for one in found.get("anyOf", [found]) if one.get("const") is not False]  # YAML's word for `off`
    words = list(dict.fromkeys(_one(one) for one in choices if one.get("type") != "null"))
    return " or ".join(words) + (", or `null`" if {"type": "null"} in choices else "")


def _one(found: Schema) -> str:
    kind = found.get("type")
    if "enum" in found:
        known = [f"`{each}`" for each in found["enum"]]
        return ", ".join(known) if len(known) <= _NAMES_AT_MOST else "one of [these](providers.md)"
    if kind == "array":
        return f"list of: {_value(found['items'])}"
    if kind == "object":
        return "keys below" if "properties" in found else f"name: {_value(found['additionalProperties'])}"
    if kind in ("integer", "number"):
        usual = "whole number" if kind == "integer" else "number"
        return ", ".join([str(found.get("x-value", usual)), *_bounds(found)])
    return str(found.get("x-value") or _WORDS[str(kind)])


_WORDS: Mapping[str, str] = {"boolean": "`true`, `false`", "string": "text"}


def _bounds(found: Schema) -> Iterator[str]:
    most = found.get("maximum", LARGEST)
    if "exclusiveMinimum" in found:
        yield f"above {found['exclusiveMinimum']}"
    elif most == LARGEST:
        yield f"{found['minimum']} or more"
    else:
        yield f"{found['minimum']} to {most}"
        return
    if most != LARGEST:
        yield f"at most {most}"


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


if __name__ == "__main__":
    PAGE.write_text(inserted(PAGE.read_text()))
