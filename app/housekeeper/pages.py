"""What the housekeeper answers, and to whom."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping

from app.config.settings import MetricsS
from app.core import json
from app.metrics.exposition import Exposition

Answer = tuple[int, Mapping[str, str], bytes]


class Pages:
    """`metrics`: the settings of the moment; `state`: what /state says."""

    def __init__(
        self, exposition: Exposition, metrics: Callable[[], MetricsS], state: Callable[[], Mapping[str, object]]
    ) -> None:
        self._exposition = exposition
        self._metrics = metrics
        self._state = state

    def public(self, path: str, headers: Mapping[str, str]) -> Answer:
        """On the metrics port. Its address is this machine's alone unless a token or metrics.open says otherwise."""
        token = self._metrics().token
        if path == "/metrics" and token is not None:
            given = headers.get("authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), token.get_secret_value().encode()):
                return said(401, "expected metrics.token as Bearer", {"WWW-Authenticate": "Bearer"})
        return self._common(path, headers)

    def private(self, path: str, headers: Mapping[str, str]) -> Answer:
        """On the socket in the run directory: whoever can open it is us."""
        if path == "/state":
            return 200, {"Content-Type": "application/json"}, json.dumps(self._state())
        if path == "/health/providers":
            return 200, {"Content-Type": "application/json"}, json.dumps({"providers": self._state()["providers"]})
        return self._common(path, headers)

    def _common(self, path: str, headers: Mapping[str, str]) -> Answer:
        if path == "/healthz":
            return 200, {"Content-Type": "text/plain; charset=utf-8"}, b"ok\n"
        if path == "/metrics":
            found, body = self._exposition.page(headers.get("accept", ""), headers.get("accept-encoding", ""))
            return 200, {**found, "Cache-Control": "no-store"}, body
        return said(404, "there are /metrics and /healthz")


def said(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    body = json.dumps({"error": {"message": message}})
    return status, {"Content-Type": "application/json", **(headers or {})}, body
