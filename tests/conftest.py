"""What every test begins with."""

import logging
import signal

import pytest

# Whoever is started in the background of a shell ignores Ctrl-C, and so would everything that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _a_log_that_nobody_has_set_up() -> None:
    """The log belongs to the process, and so does what an earlier test made of it."""
    logging.getLogger().setLevel(logging.WARNING)
