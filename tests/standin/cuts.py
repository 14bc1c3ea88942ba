"""Cuts bytes where it hurts: inside UTF-8 sequences, line ends and events; the same places for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from tests.standin.message import Piece

_NEWLINES = b"\r\n"
_CONTINUATION, _LEAD = 0x80, 0xC0


def places(data: bytes, rng: random.Random) -> list[int]:
    """Offsets at which `data` is cut: random strides, and half of the places that a careless reader gets wrong."""
    chosen = set()
    at = 0
    while True:
        at += rng.choice((1, 2, 3, rng.randint(4, 40), rng.randint(41, 400), rng.randint(401, 4000)))
        if at >= len(data):
            break
        chosen.add(at)
    if len(data) <= 1 << 20:
        chosen.update(at for at in range(1, len(data)) if _is_tender(data, at) and rng.random() < 0.5)
    return sorted(chosen)


def _is_tender(data: bytes, at: int) -> bool:
    inside_character = data[at] & _LEAD == _CONTINUATION
    return inside_character or (data[at] in _NEWLINES and data[at - 1] in _NEWLINES)


def cut(pieces: Iterator[Piece], seed: int) -> Iterator[Piece]:
    """The same bytes in other pieces; ends are joined to the next beginning unless something is waited for between."""
    rng = random.Random(seed)
    rest: Piece | None = None
    for piece in pieces:
        joined = piece
        if rest is not None:
            if piece.pause or piece.gate:
                yield rest
            else:
                joined = replace(
                    piece, data=rest.data + piece.data, words=rest.words + piece.words, pause=rest.pause, gate=rest.gate
                )
            rest = None
        *parts, last = _parts(joined, rng)
        yield from parts
        if rng.random() < 0.5:
            rest = last
        else:
            yield last
    if rest is not None:
        yield rest


def _parts(piece: Piece, rng: random.Random) -> Iterator[Piece]:
    """One piece cut up; its wait comes before the first part, its words count with the last."""
    edges = [0, *places(piece.data, rng), len(piece.data)]
    last = len(edges) - 2
    for index in range(last + 1):
        yield Piece(
            piece.data[edges[index] : edges[index + 1]],
            piece.words if index == last else 0,
            piece.part,
            0.0 if index else piece.pause,
            None if index else piece.gate,
        )
