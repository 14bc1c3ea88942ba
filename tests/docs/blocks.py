"""The fenced blocks of a page, and the comments before them that say what becomes of each when the page is tried.

<!-- runs on -->               goes on while the rest of the page is read: a server
<!-- file: gateway.yaml -->    is to be saved under this name
<!-- not run: REASON -->       cannot be run by a test, and what is looked at instead
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import name

SHELL = ("sh", "bash", "console")

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>(?:runs on|file|not run)\b[^>]*?) -->\n)?^```(?P<language>[a-z]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    page: Path
    line: int  # of its fence
    language: str
    text: str
    mark: str  # "" where there is none

    @property
    def is_run(self) -> bool:
        return self.language in (*SHELL, "python") and not self.mark.startswith("not run")

    @property
    def file(self) -> str | None:
        return self.mark.removeprefix("file: ") if self.mark.startswith("file: ") else None

    def __str__(self) -> str:
        return f"{name(self.page)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("language")) + 1
        yield Block(page, line, found["language"], found["text"], found["mark"] or "")
