"""The head of an answer, read at a fifth of what the standard library takes for it.

That gives every head to the email package, which is ready for mail of the last forty years and takes a twentieth of all
that a call costs. Nearly every line of HTTP is a name, a colon and a value; where one is not, the email package has it.
"""

from __future__ import annotations

import http.client
import re
from email.parser import Parser
from http.client import HTTPMessage
from types import FunctionType
from typing import BinaryIO

LINE = 65_536  # bytes, as the standard library has it
FIELDS = 99

_OVER = (b"\r\n", b"\n", b"")
_PLAIN = re.compile(rb"^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)\r?\n", re.MULTILINE)


def parsed(fp: BinaryIO, **_: object) -> HTTPMessage:
    """What http.client.parse_headers gives. Raises HTTPException: a line, or the whole, has no end.

    Later Pythons name more than `fp`, such as how many lines there may be.
    """
    lines: list[bytes] = []
    while (line := fp.readline(LINE + 1)) not in _OVER:
        if len(line) > LINE:
            raise http.client.LineTooLong("header line")
        if len(lines) == FIELDS:
            raise http.client.HTTPException(f"more than {FIELDS} headers")
        lines.append(line)
    head = b"".join(lines)
    plain = _PLAIN.findall(head)
    if len(plain) != len(lines):
        return Parser(_class=HTTPMessage).parsestr(head.decode("iso-8859-1"))
    message = HTTPMessage()
    for name, value in plain:
        message.set_raw(name.decode(), value.decode("iso-8859-1"))
    return message


#: The standard library's own, which finds this parser where it looks for its own.
begin = FunctionType(http.client.HTTPResponse.begin.__code__, {**vars(http.client), "parse_headers": parsed}, "begin")
begin.__kwdefaults__ = http.client.HTTPResponse.begin.__kwdefaults__
