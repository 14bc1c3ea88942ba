"""How a worker that cannot boot ends.

gunicorn ends the whole service when a worker exits with 3 or 4. That is right for the first start. Later, a service
that answers must not end because a new worker finds a full disk or a file that somebody is editing.
"""

from __future__ import annotations

import contextlib
import os
import time

from app.instance.rundir import RunDir

HALT = 3
ALONE = 1
_PAUSE = 1.0  # seconds; the master replaces a worker at once, and must not spin


def exit_code(run_dir: RunDir) -> int:
    """HALT for the first worker that fails in a first start, ALONE, a second later, for every other.

    Of several that exit with HALT, the second would break into gunicorn's way out.
    """
    if not run_dir.started.exists() and run_dir.lock.exists():  # else somebody has taken the directory away
        with contextlib.suppress(OSError):
            os.close(os.open(run_dir.failed, os.O_CREAT | os.O_EXCL, 0o600))
            return HALT
    time.sleep(_PAUSE)
    return ALONE
