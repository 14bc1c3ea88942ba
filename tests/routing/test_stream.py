"""The clocks of one stream, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from app.core.attempt import Attempt
from app.core.call import Target, Timeouts
from app.core.errors import ErrorType, GatewayError
from app.core.language import Language
from app.core.wire import Ask, Framing, Operation
from app.instance import system
from app.providers import registry
from app.routing.stream import Bounds, Stream
from app.surfaces.messages import MESSAGES
from app.surfaces.responses import RESPONSES
from app.upstream.sse import LONGEST
from app.upstream.watch import Guard, Watch
from tests.clock import ManualClock


def chunk(content: str | None = None, finish: str | None = None) -> bytes:
    said = f'{{"content": "{content}"}}' if content else "{}"
    reason = f'"{finish}"' if finish else "null"
    return (
        b'data: {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, '
        b'"delta": %s, "finish_reason": %s}]}\n\n' % (said.encode(), reason.encode())
    )


class Provider:
    """An answer whose pieces take so many seconds each; what looks after the call looks while it is waited for."""

    status = 200
    headers: Mapping[str, str] = {}

    def __init__(
        self, clock: ManualClock, look: Callable[[], None], guard: Guard, *pieces: tuple[float, bytes]
    ) -> None:
        self._clock, self._look, self._guard = clock, look, guard
        self._pieces: Iterator[tuple[float, bytes]] = iter(pieces)

    def read(self) -> bytes:
        return self.piece()

    def piece(self) -> bytes:
        seconds, piece = next(self._pieces, (0.0, b""))
        self._clock.now += seconds
        self._look()
        self._guard.check("p")
        return piece

    def finish(self) -> None: ...
    def close(self) -> None: ...


class Verdict:
    said = ""

    def succeeded(self) -> None:
        self.said = self.said or "succeeded"

    def failed(self, error: GatewayError, /) -> None:
        self.said = self.said or str(error.type)

    def abandoned(self) -> None:
        self.said = self.said or "abandoned"


_ASKS = {
    Operation.RESPONSES: Ask(
        operation=Operation.RESPONSES, body={"model": "m", "input": "Hi"}, stream=True, wants_usage=False
    ),
    Operation.MESSAGES: Ask(
        operation=Operation.MESSAGES,
        body={"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]},
        stream=True,
        wants_usage=False,
    ),
}


class Scene:
    def __init__(
        self,
        timeouts: Timeouts,
        *pieces: tuple[float, bytes],
        kind: str = "openai",
        language: Language | None = None,
    ) -> None:
        """`language`: the client's, where it is not that of the provider."""
        self.clock, self.verdict = ManualClock(), Verdict()
        self.watch = Watch(self.clock, system.poll())
        guard = self.watch.begin(None)
        provider = registry.build(
            name="p",
            kind=kind,
            base_url=None,
            key="sk",
            headers={},
            proxy=None,
            ca_file=None,
            api_version=None,
            models=(),
        )
        ask = Ask(operation=Operation.CHAT, body={"model": "m", "messages": []}, stream=True, wants_usage=False)
        attempt = Attempt(Target(provider, "m", timeouts), self.clock.now)
        bounds = Bounds(attempt, self.clock.now + timeouts.deadline, guard, self.watch, self.clock)
        bounds.allow_first()
        self.stream = Stream(
            Provider(self.clock, self.watch.look, guard, *pieces),
            provider.dialect.reader(ask, provider),
            language.through_chat(_ASKS[language.operation]) if language else None,
            bounds,
            framing=Framing.SSE,
            judge=self.verdict,
            skipped=lambda: None,
        )
        self.stream.begin()

    def client_takes(self, seconds: float) -> None:
        """While it does, somebody looks after all calls."""
        self.clock.now += seconds
        self.watch.look()


def test_a_client_that_reads_slowly_is_no_silence_of_the_provider() -> None:
    scene = Scene(
        Timeouts(idle=30), (1, chunk("one ")), (1, chunk("two")), (1, chunk(finish="stop")), (0, b"data: [DONE]\n\n")
    )

    next(scene.stream)
    scene.client_takes(100)
    next(scene.stream)
    scene.client_takes(100)
    list(scene.stream)

    assert scene.verdict.said == "succeeded"


def test_silence_between_two_words_is_bounded_by_idle_and_told_as_silence() -> None:
    scene = Scene(Timeouts(idle=30), (1, chunk("one ")), (31, chunk("two")))
    next(scene.stream)

    with pytest.raises(GatewayError) as told:
        next(scene.stream)

    assert (told.value.type, told.value.silent) == (ErrorType.STREAM_INTERRUPTED, True)
    assert scene.verdict.said == "stream_interrupted"


def test_silence_after_the_finish_reason_is_no_loss() -> None:
    scene = Scene(Timeouts(idle=30), (1, chunk("one ")), (1, chunk(finish="stop")), (3, b"data: [DONE]\n\n"))

    list(scene.stream)

    assert scene.verdict.said == "succeeded"


def test_the_deadline_holds_whoever_is_waited_for() -> None:
    scene = Scene(Timeouts(idle=30, deadline=60), (1, chunk("one ")), (1, chunk("two")))
    next(scene.stream)
    scene.client_takes(100)

    with pytest.raises(GatewayError):
        next(scene.stream)


@pytest.mark.parametrize(
    ("timeouts", "pieces"),
    [
        (Timeouts(first_byte=10), [(11.0, chunk())]),
        (Timeouts(first_byte=10), [(9.0, chunk()), (11.0, chunk("one"))]),
        (Timeouts(first_byte=10, first_token=15), [(9.0, chunk()), (9.0, chunk("one"))]),
        (Timeouts(first_byte=None, first_token=15), [(16.0, chunk("one"))]),
    ],
    ids=["no event", "no second event", "no word in time", "no event in the time of a word"],
)
def test_before_the_first_word_events_and_words_have_their_own_bounds(
    timeouts: Timeouts, pieces: list[tuple[float, bytes]]
) -> None:
    with pytest.raises(GatewayError) as told:
        Scene(timeouts, *pieces)

    assert (told.value.type, told.value.silent) == (ErrorType.TIMEOUT, True)


def test_events_without_words_are_signs_of_life_before_the_first_word() -> None:
    scene = Scene(Timeouts(first_byte=10), *[(9.0, chunk())] * 5, (9, chunk("one")), (1, chunk(finish="stop")))

    list(scene.stream)

    assert scene.verdict.said == "succeeded"


def test_what_came_whole_is_handed_on_before_a_stream_that_cannot_be_read_ends() -> None:
    scene = Scene(Timeouts(), (1, chunk("one ")), (1, chunk("two") + b"data: " + b"x" * (LONGEST + 1)))
    next(scene.stream)

    (frame,) = next(scene.stream)
    assert frame.data is not None
    assert frame.data["choices"][0]["delta"]["content"] == "two"
    with pytest.raises(GatewayError, match="cannot be read") as told:
        next(scene.stream)
    assert told.value.type is ErrorType.STREAM_INTERRUPTED


@pytest.mark.parametrize("language", [RESPONSES, MESSAGES], ids=["responses", "messages"])
def test_an_end_without_a_reason_is_told_as_an_error_alone_in_every_language(language: Language) -> None:
    said = b'data: {"type": "content-delta", "delta": {"message": {"content": {"text": "Hi"}}}}\n\n'
    scene = Scene(Timeouts(), (1, said), (1, b"data: [DONE]\n\n"), kind="cohere", language=language)

    frames = [*next(scene.stream)]
    with pytest.raises(GatewayError, match="before the answer was complete"):
        frames += [frame for batch in scene.stream for frame in batch]
    assert frames
    assert not {frame.event for frame in frames} & {"message_stop", "response.completed"}
