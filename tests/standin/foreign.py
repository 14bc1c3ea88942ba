"""Languages that no client of the gateway speaks: who speaks one answers all that is asked under its paths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from tests.standin import bedrock, cohere, gemini
from tests.standin.message import Answer, Headers, Piece, Request
from tests.standin.plan import Plan


class Language(Protocol):
    """A module that has these."""

    STREAM: Headers

    def speaks(self, request: Request) -> bool:
        """Whether the path is one of its own."""

    def complaint(self, request: Request) -> Answer | None:
        """Its refusal of a request that the provider would not take either."""

    def plain(self, request: Request, plan: Plan) -> object:
        """The body of an answer."""

    def stream(self, request: Request, plan: Plan) -> Iterable[Piece]:
        """The same in pieces."""

    def refusal(self, status: int, message: str, kind: str | None) -> Answer:
        """An error."""

    def error_event(self, status: int, message: str) -> Piece:
        """An error inside a stream that began with 200."""

    def content_event(self, text: str) -> Piece:
        """One word of a stream."""


_LANGUAGES: tuple[Language, ...] = (bedrock, cohere, gemini)


def language_of(request: Request) -> Language | None:
    return next((each for each in _LANGUAGES if each.speaks(request)), None)
