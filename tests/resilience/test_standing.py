"""What gauges and health are told."""

from __future__ import annotations

import pytest

from app.core.errors import ErrorType
from app.resilience.standing import Circuit, Snapshot, Standing, provider_states, snapshot
from tests.clock import ManualClock
from tests.resilience.given import KEY, Worker, error

CLOSED, OPEN, HALF_OPEN = Circuit.CLOSED, Circuit.OPEN, Circuit.HALF_OPEN


def found(*circuits: Circuit) -> Snapshot:
    names = [f"p/{number}" for number in range(len(circuits))]
    pairs = zip(names, circuits, strict=True)
    return Snapshot({name: Standing(name, "p", circuit, 0.0, 0.0) for name, circuit in pairs}, {})


@pytest.mark.parametrize(
    ("targets", "provider", "all_open"),
    [
        ((), CLOSED, False),
        ((CLOSED,), CLOSED, False),
        ((OPEN,), OPEN, True),
        ((OPEN, CLOSED), CLOSED, False),
        ((OPEN, OPEN), OPEN, True),
        ((OPEN, HALF_OPEN), HALF_OPEN, False),
        ((HALF_OPEN, CLOSED), HALF_OPEN, False),
        ((HALF_OPEN,), HALF_OPEN, False),
    ],
)
def test_a_provider_is_what_its_targets_are_together(
    targets: tuple[Circuit, ...], provider: Circuit, all_open: bool
) -> None:
    states = provider_states(found(*targets), {"p": [f"p/{number}" for number in range(len(targets))]})

    assert (states["p"].circuit, states["p"].all_open) == (provider, all_open)


def test_a_target_that_nobody_has_asked_is_closed() -> None:
    states = provider_states(found(OPEN), {"p": ["p/0", "p/never asked"], "q": ["q/1"]})

    assert [(state.circuit, state.all_open) for state in states.values()] == [(CLOSED, False)] * 2


def test_a_snapshot_follows_a_target_from_closed_to_half_open(worker: Worker, clock: ManualClock) -> None:
    def circuit() -> tuple[Circuit, float]:
        standing = snapshot(worker.records, clock.now, worker.keys).targets[KEY]
        return standing.circuit, standing.open_left

    worker.succeed()
    assert circuit() == (CLOSED, 0.0)
    worker.open()
    clock.now += 1
    assert circuit() == (OPEN, 4.0)
    clock.now += 4
    assert circuit() == (HALF_OPEN, 0.0), "a probe is due"
    probe = worker.admitted()
    assert circuit() == (HALF_OPEN, 0.0), "a probe runs"
    probe.succeeded()
    worker.succeed()
    assert circuit() == (CLOSED, 0.0)


def test_a_snapshot_knows_cooldowns_and_quarantines(worker: Worker, clock: ManualClock) -> None:
    worker.fail(1, error(ErrorType.RATE_LIMITED, retry_after=9.0))
    worker.admitted("azure/x", "azure").failed(error(ErrorType.AUTHENTICATION, provider="azure"), alone=True)
    clock.now += 2

    seen = snapshot(worker.records, clock.now, worker.keys)

    assert seen.targets[KEY].cooling_left == 7.0
    assert seen.targets["azure/x"].circuit is CLOSED
    assert dict(seen.quarantined) == {"azure": 58.0}
    assert provider_states(seen, {"azure": ["azure/x"], "openai": [KEY]})["azure"].quarantine_left == 58.0
    clock.now += 60
    assert not snapshot(worker.records, clock.now, worker.keys).quarantined


def test_names_too_long_to_be_kept_are_still_told_apart(worker: Worker, clock: ManualClock) -> None:
    long = "openai/" + "x" * 300
    worker.fail(0)
    for _ in range(5):
        worker.admitted(long + "1").failed(error(ErrorType.SERVER_ERROR), alone=False)
    worker.admitted(long + "2").succeeded()

    seen = snapshot(worker.records, clock.now, worker.keys)

    states = provider_states(seen, {"one": [long + "1"], "two": [long + "2"]})
    assert (states["one"].circuit, states["two"].circuit) == (OPEN, CLOSED)
