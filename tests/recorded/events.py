"""A recorded stream as the JSON of its events: read in one go, by other code than the gateway's."""

from __future__ import annotations

import json
from typing import Any


def events(body: bytes) -> list[dict[str, Any]]:
    """The parsed data of each event, `[DONE]` left out; comments are passed over."""
    found = []
    for block in body.decode("utf-8").replace("\r\n", "\n").split("\n\n"):
        data = [line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
        if data and data != ["[DONE]"]:
            found.append(json.loads("\n".join(data)))
    return found


def names(body: bytes) -> list[str]:
    """The event names in their order, for those that have one."""
    text = body.decode("utf-8").replace("\r\n", "\n")
    return [line[6:].strip() for line in text.split("\n") if line.startswith("event:")]


def ends_done(body: bytes) -> bool:
    """Whether the last event is `[DONE]`."""
    return body.rstrip().endswith(b"data: [DONE]")
