"""What every test begins with."""

import logging
import signal

import pytest
from hypothesis import HealthCheck, settings

# Whoever is started in the background of a shell ignores Ctrl-C, and so would everything that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


# An example takes as long as the machine lets it. In CI hypothesis's own profile lies beneath: the same ones each time.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def _a_log_that_nobody_has_set_up() -> None:
    """The log belongs to the process, and so does what an earlier test made of it."""
    logging.getLogger().setLevel(logging.WARNING)
