"""What a configuration is made of, read once: its text and the content of every file it names.

This is what is watched (by its hash), published (as bytes) and built from, so that all workers of an instance build the
same gateway, even while files change under them.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from app.core import json

_LARGEST_FILE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sources:
    """Files stand under the names that the configuration has for them; of the unreadable ones, the errno."""

    origin: str | None  # the configuration's absolute path; None: built in
    text: str = field(repr=False)
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    unreadable: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, origin: str, text: str, names: Iterable[str]) -> Self:
        """Reads the named files; relative names are relative to the configuration's directory."""
        found: dict[str, str] = {}
        unreadable: dict[str, int] = {}
        for name in names:
            if not name.isprintable():  # no file of this name; and lone surrogates could not be published
                continue
            try:
                found[name] = _read(Path(origin).parent / name)
            except OSError as error:
                unreadable[name] = error.errno or errno.EIO
            except ValueError:
                unreadable[name] = errno.EILSEQ
        return cls(origin, text, found, unreadable)

    def read(self, name: str) -> str:
        """The content of a named file as it was. Raises OSError where it could not be read."""
        if name in self.files:
            return self.files[name]
        number = self.unreadable.get(name, errno.ENOENT)
        raise OSError(number, os.strerror(number))

    @property
    def hash(self) -> str:
        """SHA-256 (hex) over everything that was read, wherever it lay."""
        whole = hashlib.sha256()
        parts = [self.text]
        for name in sorted({*self.files, *self.unreadable}):
            parts += [name, self.files.get(name, ""), str(self.unreadable.get(name, ""))]
        for part in parts:
            content = part.encode("utf-8", "surrogatepass")
            whole.update(len(content).to_bytes(8, "big"))  # so that no text can pass for two
            whole.update(content)
        return whole.hexdigest()

    def to_bytes(self) -> bytes:
        """For one file that its owner alone may read (0600): the content of secrets is in it."""
        return json.dumps(
            {"origin": self.origin, "text": self.text, "files": self.files, "unreadable": self.unreadable}
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Raises ValueError if to_bytes() did not make this."""
        try:
            raw = json.loads(content)
            return cls(raw["origin"], raw["text"], dict(raw["files"]), dict(raw["unreadable"]))
        except (KeyError, TypeError, json.NotJson) as error:
            raise ValueError("not a published configuration") from error


def _read(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return content.decode("utf-8-sig")
