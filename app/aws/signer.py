"""AWS's signatures, version 4."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.aws.keys import Keys, read_keys
from app.aws.machine import MachineKeys
from app.core.errors import ErrorType, GatewayError
from app.core.provider import Patience, Provider

#: What is signed, beside the host and what the signer adds: the rest may be changed by a proxy on the way.
_SIGNED = ("content-type",)


class AwsCredentials:
    """Keys of a file, which is part of the configuration: when it changes, so does this object; or the machine's."""

    def __init__(self, provider: Provider, service: str) -> None:
        """Raises ValueError where botocore is not installed, or the provider has no region."""
        try:
            import botocore.auth  # noqa: F401, PLC0415 - an extra
        except ImportError as error:
            raise ValueError("botocore is not installed; it comes with the extra `bedrock`") from error
        if provider.cloud.region is None:
            raise ValueError(f"provider {provider.name} needs a region")
        logging.getLogger("botocore").setLevel(logging.INFO)  # below that it writes down what it signs, tokens included
        self._provider = provider.name
        self._service = service
        self._region = provider.cloud.region
        self._file = provider.cloud.credentials_file
        self._keys: Keys | None = None
        self._machine = MachineKeys(provider.name)
        self.fingerprint = _digest(self._file)

    def prepare(self) -> None:
        if self._file is None:
            self._machine.prepare()

    def headers(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, patience: Patience
    ) -> Mapping[str, str]:
        from botocore.auth import SigV4Auth  # noqa: PLC0415 - an extra
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415
        from botocore.credentials import Credentials  # noqa: PLC0415

        keys = self._machine.keys(patience) if self._file is None else self._keys or self._read(self._file)
        signed = {name: value for name, value in headers.items() if name.lower() in _SIGNED}
        request: Any = AWSRequest(method=method, url=url, headers=signed, data=body)
        credentials = Credentials(keys.access_key, keys.secret_key, keys.token)
        SigV4Auth(credentials, self._service, self._region).add_auth(request)
        return {name: value for name, value in request.headers.items() if name not in signed}

    def _read(self, file: str) -> Keys:
        try:
            self._keys = read_keys(Path(file).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            what = error.strerror if isinstance(error, OSError) else error
            message = f"the credentials of provider {self._provider} cannot be used: {what}"
            raise GatewayError(ErrorType.AUTHENTICATION, message, provider=self._provider) from error
        return self._keys


def _digest(file: str | None) -> str:
    """Of the content, so that new keys end the quarantine of the old ones."""
    try:
        content = Path(file).read_bytes() if file else b""
    except OSError:
        content = b""
    return hashlib.sha256(content).hexdigest()
