"""Who is calling: from the key that came with a call to the tenant it belongs to."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.config.tenant import TenantS
from app.core.call import Tenant
from app.core.errors import ErrorType, GatewayError

#: Characters; nothing longer is hashed.
LONGEST_KEY = 512

#: Whoever calls where no tenants are configured.
ANONYMOUS = Tenant("anonymous")

_NOBODY = bytes(32)


@dataclass(frozen=True, slots=True)
class _Key:
    digest: bytes
    expires: datetime | None
    tenant: Tenant  # one a key, since it names the key

    def is_good(self, now: float) -> bool:
        return self.expires is None or now < self.expires.timestamp()


class Tenants:
    """Only hashes are kept. A fast hash is right for them: the keys are random, too long to be guessed."""

    def __init__(self, tenants: Mapping[str, TenantS]) -> None:
        self._keys = {
            key.digest: _Key(key.digest, key.expires, Tenant(name, key.label, tenant.models))
            for name, tenant in tenants.items()
            for key in tenant.keys
        }
        self.are_open = not tenants

    def identify(self, credential: str | None, now: float) -> Tenant:
        """The tenant whose key this is, at this Unix time; without tenants everybody is ANONYMOUS.

        Raises GatewayError (client_authentication), the same one whether the key is missing, unknown or expired.
        """
        if self.are_open:
            return ANONYMOUS
        key = self._find(credential) if credential and len(credential) <= LONGEST_KEY else None
        if key is None or not key.is_good(now):
            raise GatewayError(ErrorType.CLIENT_AUTHENTICATION, "The API key is missing, unknown or expired.")
        return key.tenant

    def _find(self, credential: str) -> _Key | None:
        digest = _digest(credential)
        key = self._keys.get(digest)
        # The lookup has compared already; this comparison decides, and takes as long for any hash.
        return key if hmac.compare_digest(digest, key.digest if key else _NOBODY) else None


def _digest(credential: str) -> bytes:
    """Of the bytes that came: WSGI hands a header over as Latin-1."""
    try:
        raw = credential.encode("latin-1")
    except UnicodeEncodeError:
        raw = credential.encode("utf-8", "surrogatepass")
    return hashlib.sha256(raw).digest()
