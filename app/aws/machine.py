"""Keys of the role that this machine, container or pod has: found, fetched and renewed by botocore.

A thread of its own does it. Calls wait for the first keys and for those that came too late; while keys are good and
grow old, calls go on with them and new ones are fetched beside.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from app.aws.keys import Keys
from app.core.clock import Clock, SystemClock
from app.core.errors import ErrorType, GatewayError
from app.core.provider import Patience

log = logging.getLogger(__name__)

RENEW = 900.0  # seconds before its end that a key is renewed: as botocore does
PAUSE = 5.0  # seconds before what failed is tried again while there are good keys


def of_this_machine() -> Any:
    """botocore's own credentials, None where there are none. Keys in the environment belong to who names them."""
    from botocore.session import Session  # noqa: PLC0415 - an extra

    session = Session()
    session.get_component("credential_provider").remove("env")
    return session.get_credentials()


class MachineKeys:
    def __init__(self, provider: str, find: Callable[[], Any] = of_this_machine, clock: Clock | None = None) -> None:
        """`provider`: for whom, as errors name it."""
        self._provider = provider
        self._find = find
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._waiting: list[threading.Event] = []
        self._fetching = False
        self._not_before = 0.0  # monotonic
        self._found: Any = None
        self._keys: Keys | None = None
        self._error: GatewayError | None = None

    def prepare(self) -> None:
        """Begin to fetch the first ones."""
        with self._lock:
            if self._keys is None:
                self._begin()

    def keys(self, patience: Patience) -> Keys:
        """Raises GatewayError: authentication where the machine has none, connection where nobody gives them out."""
        keys = self._keys
        if keys is None or self._ends_within(0):
            return self._wait(patience)
        if self._ends_within(RENEW) and self._clock.monotonic() >= self._not_before:
            self._renew()
        return keys

    def _ends_within(self, seconds: float) -> bool:
        needed = getattr(self._found, "refresh_needed", None)  # those that last have none
        return needed is not None and bool(needed(refresh_in=seconds))

    def _renew(self) -> None:
        with self._lock:
            self._begin()

    def _wait(self, patience: Patience) -> Keys:
        ready = threading.Event()
        with self._lock:
            self._waiting.append(ready)
            self._begin()
        while not ready.is_set():
            patience.until(ready, self._provider)
        if self._error is not None:
            raise GatewayError(self._error.type, self._error.message, provider=self._provider)
        assert self._keys is not None  # noqa: S101 - what a fetch without an error has set
        return self._keys

    def _begin(self) -> None:
        """Called with the lock held."""
        if not self._fetching:
            self._fetching = True
            threading.Thread(target=self._run, name="aws-keys", daemon=True).start()

    def _run(self) -> None:
        error = None
        try:
            if self._found is None:
                self._found = self._find()
            if self._found is None:
                raise LookupError
            frozen = self._found.get_frozen_credentials()
            self._keys = Keys(frozen.access_key, frozen.secret_key, frozen.token)
        except Exception as failure:  # botocore's own, and those of what it reads and asks
            error = self._named(failure)
            log.warning("no AWS keys for provider %s: %s", self._provider, error.message)
        finally:
            with self._lock:
                self._error = error
                self._fetching = False
                self._not_before = self._clock.monotonic() + PAUSE
                waiting, self._waiting = self._waiting, []
            for ready in waiting:
                ready.set()

    def _named(self, failure: Exception) -> GatewayError:
        """Its text may hold hosts and roles: callers never see it."""
        if isinstance(failure, LookupError):
            message = f"provider {self._provider} has no credentials, and neither has this machine"
            return GatewayError(ErrorType.AUTHENTICATION, message, provider=self._provider)
        message = f"the keys for provider {self._provider} could not be fetched: {type(failure).__name__}"
        return GatewayError(ErrorType.CONNECTION, message, provider=self._provider)
