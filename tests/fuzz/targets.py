"""What can be tried: each target takes a Case, and raises where the gateway did what it must never do.

    ask KIND PATH                  a request, headers and body, to a model whose provider answers well
    answer KIND PATH FORM STATUS   a good request, plain or stream, and what its provider answers: headers and body
    sse, frames                    the bytes of a stream
    config                         a configuration file
    log                            a log, as `llm-gateway usage` reads it

The first line of a case has these words.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app import cli, configured, rules
from app.aws.frames import FrameSplitter
from app.config.load import parse
from app.config.problems import ConfigError
from app.core.json import dumps, loads
from app.core.provider import Provider
from app.core.wire import Event, Framing, Unreadable, UpstreamRequest
from app.ledger.lines import Reading
from app.providers import registry
from app.surfaces import LANGUAGES
from app.upstream.framing import Cutting
from app.upstream.sse import Splitter
from tests.fuzz import checks, seeds
from tests.fuzz.case import Case
from tests.fuzz.checks import Wrong
from tests.fuzz.house import KINDS, House, Said

FORMS = ("plain", "stream")

#: Whose languages are spoken by clients too.
_OWN = ("openai", "anthropic")
_STREAMED = frozenset({"/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"})


def is_sound(words: tuple[str, ...]) -> bool:
    """Whether they name something that can be tried."""
    match words:
        case ("ask", kind, path):
            return kind in KINDS and path in seeds.ASKS
        case ("answer", kind, path, form, status):
            known = kind in KINDS and kind != "simulated" and path in seeds.ASKS and form in FORMS
            return known and re.fullmatch("[2-5][0-9][0-9]", status) is not None
        case (target,):
            return target in ("sse", "frames", "config", "log")
    return False


@dataclass(frozen=True)
class Wanted:
    """What a provider is asked when a path is called: about what, and in which form it should stream."""

    about: str
    framing: Framing


class Targets:
    def __init__(self, directory: Path) -> None:
        self.seen: Counter[str] = Counter()  # what came of the cases, by target and status
        self._directory = directory
        self._house = House(directory)
        self._targets: Mapping[str, Callable[[Case], object]] = {
            "ask": self._ask,
            "answer": self._answer,
            "sse": lambda case: _cut_anywhere(Splitter, case),
            "frames": lambda case: _cut_anywhere(FrameSplitter, case),
            "config": self._config,
            "log": self._log,
        }

    def play(self, case: Case) -> None:
        """Raises Wrong, or whatever was not caught."""
        self.seen[f"{case.words[0]} {self._targets[case.words[0]](case)}"] += 1

    def try_raw(self, raw: bytes) -> None:
        """The same for bytes that may be no case: then nothing is tried."""
        case = Case.read(raw)
        if is_sound(case.words):
            self.play(case)

    def wanted(self, kind: str, path: str, *, stream: bool) -> Wanted | None:
        """None where this kind of provider is not asked for such a thing."""
        found: list[Wanted] = []

        def listen(provider: Provider, request: UpstreamRequest) -> Said:
            found.append(Wanted(seeds.asked(kind, request.url), request.framing))
            return seeds.well(provider, request)

        self._house.told.say = listen
        self._house.ask(path, _good(path, kind, stream=stream))
        self._house.between()
        return found[0] if found else None

    def _ask(self, case: Case) -> str:
        path = case.words[2]
        self._house.told.say = seeds.well
        status = self._called(path, case.body, case, checks.OF_REQUESTS)
        if status == 200 and path in _STREAMED and case.chance().randrange(4) == 0:
            body = loads(case.body)
            body["stream"] = not body.get("stream")
            self._called(path, dumps(body), case, checks.OF_REQUESTS)  # perhaps kept, then in its other form
        self._house.between()
        return str(status)

    def _answer(self, case: Case) -> str:
        _, kind, path, form, status = case.words
        pieces = case.pieces()
        headers = {name.lower(): value for name, value in case.headers}

        def say(provider: Provider, request: UpstreamRequest) -> Said:
            if int(status) == 200 and request.stream and request.framing is Framing.AWS:
                return Said(tuple(Case((), seeds.frames(case.body)).pieces()), 200, headers)
            return Said(tuple(pieces), int(status), headers)

        self._house.told.say = say
        body = _good(path, kind, stream=form == "stream", rich=case.chance().randrange(4) == 0)
        translated = not self._passed_on(kind, path)
        got = self._called(path, body, None, checks.OF_ANSWERS, official=translated)
        self._house.between()
        return f"{form} {got}"

    def _passed_on(self, kind: str, path: str) -> bool:
        """Whether an answer is the provider's own, and only put right where such providers are known to stray.

        What is put into it here at random, they never send.
        """
        return registry.rows()[kind].dialect.native >= {LANGUAGES[path].operation} and seeds.family(kind) in _OWN

    def _called(
        self, path: str, body: bytes, case: Case | None, allowed: frozenset[int], *, official: bool = True
    ) -> int:
        complaints = self._house.complaints.found
        complaints.clear()
        shown = self._house.ask(path, body, case.headers if case else ())
        if complaints:
            raise Wrong("it was logged that " + "\n".join(complaints))
        checks.check(path, shown, allowed, official=official)
        return shown.status

    def _config(self, case: Case) -> str:
        try:
            text = case.body.decode("utf-8-sig")
        except UnicodeDecodeError:
            return self._checked(case)
        try:
            settings = parse(text, {"X": "x", "ODD": "\udcff\n"}, _no_file)
        except ConfigError as error:
            str(error).encode()  # it can be printed
            for problem in error.problems:
                if not problem.message or "\n" in str(problem) or not problem.path:
                    raise Wrong(f"a problem without a place: {problem!r}") from error
            return "refused"
        providers = configured.providers(settings)
        rules.routes(settings, providers)
        self._checked(case)
        return "taken"

    def _checked(self, case: Case) -> str:
        """`llm-gateway check`."""
        file = self._directory / "fuzzed.yaml"
        file.write_bytes(case.body)
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli.main(["check", str(file)])
        if status not in (0, 1) or (status == 1) != bool(err.getvalue()):
            raise Wrong(f"check ended with {status} and said {err.getvalue()!r}")
        return f"check {status}"

    def _log(self, case: Case) -> str:
        file = self._directory / "fuzzed.log"
        file.write_bytes(case.body)
        reading = Reading()
        calls = list(reading.calls([str(file)]))
        if reading.troubles:
            raise Wrong(f"troubles: {reading.troubles}")
        return "read" if calls else "empty"

    def close(self) -> None:
        self._house.close()


def _good(path: str, kind: str, *, stream: bool, rich: bool = False) -> bytes:
    """A request that this kind of provider can be told."""
    body = {**seeds.ASKS[path][0 if rich else -1], "model": kind}
    body.pop("stream", None)
    return dumps(body | {"stream": True} if stream and path in _STREAMED else body)


def _cut_anywhere(make: Callable[[], Cutting], case: Case) -> str:
    """The same events, whether the bytes come at once, in pieces or one by one."""
    ways = [[case.body], case.pieces()]
    if len(case.body) < 2000:
        ways.append([case.body[at : at + 1] for at in range(len(case.body))])
    found = [_events(make(), pieces) for pieces in ways]
    if any(each != found[0] for each in found):
        raise Wrong(f"{found[0]} in one piece, and {found[1:]} in several")
    return "events" if found[0][0] else "none"


def _events(cutting: Cutting, pieces: list[bytes]) -> tuple[list[Event], bool]:
    """And whether the stream broke."""
    events: list[Event] = []
    for piece in pieces:
        try:
            events += cutting.feed(piece)
        except Unreadable as error:
            return [*events, *error.events], True
    return events, False


def _no_file(name: str) -> str:
    raise FileNotFoundError(2, "No such file or directory", name)
