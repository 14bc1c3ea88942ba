"""The tick: every job each time, whatever the others do."""

import threading

from app.instance.tick import Tick


def test_a_job_that_fails_keeps_nobody_from_running() -> None:
    twice = threading.Event()
    runs: list[str] = []

    def broken() -> None:
        runs.append("broken")
        raise ZeroDivisionError

    def sound() -> None:
        runs.append("sound")
        if runs.count("sound") == 2:
            twice.set()

    tick = Tick([broken, sound], interval=0.01)
    tick.start()
    assert twice.wait(10)
    tick.stop()
    assert runs[:4] == ["broken", "sound", "broken", "sound"]
