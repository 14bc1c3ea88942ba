"""What every test begins with."""

import logging

import pytest


@pytest.fixture(autouse=True)
def _a_log_that_nobody_has_set_up() -> None:
    """The log belongs to the process, and so does what an earlier test made of it."""
    logging.getLogger().setLevel(logging.WARNING)
