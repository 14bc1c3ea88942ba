"""Google's access tokens. The only door to google-auth, which knows all the ways to get one.

A token is fetched and renewed on a thread of its own. Calls wait for the first one, and for one that came too late;
while a token is valid and grows old, calls go on with it and a new one is fetched beside them.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.clock import Clock, SystemClock
from app.core.errors import ErrorType, GatewayError
from app.core.json import Json, loads
from app.core.provider import Patience, Provider

if TYPE_CHECKING:
    from google.auth.credentials import Credentials as GoogleAuth

log = logging.getLogger(__name__)

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
ONE_ASK = 10.0  # seconds that one request for a token may take; google-auth repeats some
PAUSE = 5.0  # seconds before a valid token is tried to be renewed once more


class _Fetch:
    """One attempt at a new token. Everybody who waits for it has an event of their own."""

    def __init__(self) -> None:
        self.waiting: list[threading.Event] = []
        self.over = False
        self.error: GatewayError | None = None


class GoogleCredentials:
    """Those of a file, or what the machine has (Application Default Credentials)."""

    def __init__(self, provider: Provider, clock: Clock | None = None) -> None:
        """Nothing is read or asked for yet but the file, whose content tells one set of credentials from the next.

        Raises:
            ValueError: google-auth is not installed.
        """
        try:
            import google.auth.transport.requests  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise ValueError("google-auth is not installed; it comes with the extra `vertex`") from error
        request = google.auth.transport.requests.Request()
        request.session.trust_env = False
        if provider.proxy:
            request.session.proxies = {"https": provider.proxy}  # http is for the metadata server of this machine
        if provider.ca_file:
            request.session.verify = provider.ca_file
        self._request: Any = partial(request, timeout=ONE_ASK)
        self._provider = provider.name
        self._file = provider.cloud.credentials_file
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._auth: GoogleAuth | None = None
        self._fetch: _Fetch | None = None
        self._not_before = 0.0  # monotonic
        self.fingerprint = _digest(self._file)

    def prepare(self) -> None:
        with self._lock:
            if self._auth is None:
                self._begun()

    def headers(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, patience: Patience
    ) -> Mapping[str, str]:
        auth = self._auth
        state = _state(auth)
        if auth is None or state == "INVALID":
            auth = self._wait(patience)
        elif state == "STALE":
            self._renew()
        shown: dict[str, str] = {}
        auth.apply(shown)
        return shown

    def _wait(self, patience: Patience) -> GoogleAuth:
        ready = threading.Event()
        with self._lock:
            if self._auth is not None and _state(self._auth) != "INVALID":  # since we looked
                return self._auth
            fetch = self._begun()
            fetch.waiting.append(ready)
        while not fetch.over:
            patience.until(ready, self._provider)
        if fetch.error is not None:
            raise _again(fetch.error)
        assert self._auth is not None  # noqa: S101 - what the fetch without an error has set
        return self._auth

    def _renew(self) -> None:
        """In the background: nobody waits."""
        with self._lock:
            if self._clock.monotonic() >= self._not_before:
                self._begun()

    def _begun(self) -> _Fetch:
        """The attempt that is under way, or a new one. Called with the lock held."""
        if self._fetch is None:
            self._fetch = _Fetch()
            threading.Thread(target=self._run, args=(self._fetch,), name="google-token", daemon=True).start()
        return self._fetch

    def _run(self, fetch: _Fetch) -> None:
        try:
            if self._auth is None:
                auth = self._load()
                auth.refresh(self._request)
                self._auth = auth
            else:
                self._auth.refresh(self._request)
        except Exception as error:  # google-auth's own, and those of what it reads and runs
            fetch.error = self._named(error)
            log.warning("no new token for provider %s: %s", self._provider, fetch.error.message)
        finally:
            with self._lock:
                self._not_before = self._clock.monotonic() + PAUSE
                self._fetch = None
                fetch.over = True
                for ready in fetch.waiting:
                    ready.set()

    def _load(self) -> GoogleAuth:
        import google.auth  # noqa: PLC0415 - an extra

        if self._file is not None:
            return _of(loads(Path(self._file).read_bytes()))
        auth, _ = google.auth.default(scopes=SCOPES, request=self._request)
        return auth

    def _named(self, error: Exception) -> GatewayError:
        """Its text may hold pieces of a key, an account or a host: callers never see it."""
        from google.auth.exceptions import GoogleAuthError, TransportError  # noqa: PLC0415 - an extra

        if isinstance(error, TransportError) or getattr(error, "retryable", False):
            message = f"no token for provider {self._provider}: whoever gives them could not be reached"
            return GatewayError(ErrorType.CONNECTION, message, provider=self._provider)
        what = "are refused" if isinstance(error, GoogleAuthError) else "cannot be used"
        message = f"the credentials of provider {self._provider} {what}: {type(error).__name__}"
        return GatewayError(ErrorType.AUTHENTICATION, message, provider=self._provider)


def _of(info: Json) -> GoogleAuth:
    """The credentials that a file describes. Files that would have us run a program are not taken."""
    from google.auth import aws, identity_pool, impersonated_credentials  # noqa: PLC0415 - an extra
    from google.oauth2 import credentials, service_account  # noqa: PLC0415

    made: GoogleAuth
    match info.get("type"):
        case "service_account":
            made = service_account.Credentials.from_service_account_info(info, scopes=SCOPES)
        case "authorized_user":
            made = credentials.Credentials.from_authorized_user_info(info, scopes=SCOPES)
        case "external_account":
            source = info.get("credential_source") or {}
            kind = aws.Credentials if "environment_id" in source else identity_pool.Credentials
            made = kind.from_info(info, scopes=SCOPES)
        case "impersonated_service_account":
            made = impersonated_credentials.Credentials.from_impersonated_service_account_info(info, scopes=SCOPES)
        case other:
            raise ValueError(f"credentials of type {other!r}")
    return made


def _state(auth: GoogleAuth | None) -> str:
    """FRESH, STALE (valid, not for long) or INVALID."""
    return "INVALID" if auth is None else str(auth.token_state.name)


def _again(error: GatewayError) -> GatewayError:
    """One error for each call: what is noted in it is about that call."""
    return GatewayError(error.type, error.message, provider=error.provider)


def _digest(file: str | None) -> str:
    if file is None:
        return "of the machine"
    try:
        return hashlib.blake2b(Path(file).read_bytes(), digest_size=8).hexdigest()
    except OSError:
        return f"unreadable: {file}"
