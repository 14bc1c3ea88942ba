"""A `console` block: `$ ` and a command, then what it says. `...` is any text, and alone on a line any lines."""

import re
from collections.abc import Iterator


def steps(text: str) -> Iterator[tuple[str, str]]:
    """Each command, with the output that is shown below it. A command goes on after a \\ or with a `> `."""
    command, output = "", ""
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            if command:
                yield command, output
            command, output = line[2:], ""
        elif command.endswith("\\\n") or (line.startswith("> ") and not output):
            command += line.removeprefix("> ")
        else:
            output += line
    if command:
        yield command, output


def fits(shown: str, said: str) -> bool:
    pattern = ""
    for line in shown.rstrip().splitlines():
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(part) for part in line.rstrip().split("...")) + "\n"
    whole = "".join(f"{line.rstrip()}\n" for line in said.rstrip().splitlines())
    return re.fullmatch(pattern, whole) is not None
