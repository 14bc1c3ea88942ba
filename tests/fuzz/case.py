"""One thing to try, as text that a person can read, keep and run again: `python -m tests.fuzz --run FILE`.

A line of words (which target, and what it is about), headers, a blank line, and the body as it is.
"""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass
from itertools import pairwise

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Case:
    words: tuple[str, ...]
    body: bytes = b""
    headers: Headers = ()

    @classmethod
    def read(cls, raw: bytes) -> Case:
        """Never fails: what is no line of words names no target, and what is no header is left out."""
        first, _, rest = raw.partition(b"\n")
        words = tuple(first.decode("latin-1").split())
        headers = []
        while True:
            line, found, after = rest.partition(b"\n")
            if not found or not line:
                break
            name, _, value = line.decode("latin-1").partition(": ")
            headers.append((name, value))
            rest = after
        return cls(words, rest[1:] if rest[:1] == b"\n" else rest, tuple(headers))

    def __bytes__(self) -> bytes:
        lines = [" ".join(self.words), *(f"{name}: {value}" for name, value in self.headers), "", ""]
        return "\n".join(lines).encode("latin-1", "replace") + self.body

    def chance(self) -> random.Random:
        """The same for the same case: where its body is cut, what else is done with it."""
        return random.Random(zlib.crc32(bytes(self)))

    def pieces(self, most: int = 6) -> list[bytes]:
        """The body, cut anywhere."""
        chance = self.chance()
        cuts = sorted(chance.randrange(len(self.body) + 1) for _ in range(chance.randrange(most)))
        bounds = [0, *cuts, len(self.body)]
        return [piece for start, end in pairwise(bounds) if (piece := self.body[start:end])]
