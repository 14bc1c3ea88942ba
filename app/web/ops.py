"""For whoever operates it: health and metrics. No dependency is waited for."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, request

from app.core.errors import ErrorType, GatewayError, invalid
from app.core.json import Json, dumps
from app.web.current import Current

_CARRIED = ("HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")
_CARRIED_SO = "HTTP_X_FORWARDED_"


@dataclass(frozen=True, slots=True)
class Instance:
    """What the web room needs to know of the process around it.

    `relay` asks the housekeeper for a path with these request headers: status, headers, body; OSError when it is gone.
    `trouble` says what is wrong with the newest configuration, None where nothing is. `draining` says whether all of it
    was told to stop, `homeless` whether the run directory is gone.
    """

    relay: Callable[[str, Mapping[str, str]], tuple[int, Mapping[str, str], bytes]]
    trouble: Callable[[], str | None]
    draining: Callable[[], bool] = lambda: False
    homeless: Callable[[], bool] = lambda: False


def blueprint(current: Current, instance: Instance) -> Blueprint:
    ops = Blueprint("ops", __name__)

    @ops.get("/health/live")
    def live() -> Response:
        return _json({"status": "ok"})

    @ops.get("/health")
    @ops.get("/health/ready")
    def ready() -> Response:
        degraded = _degraded(instance, current.gateway.store.gone())
        if instance.draining():
            return _json({"status": "draining", "degraded": degraded}, 503, {"Retry-After": "1"})
        return _json({"status": "degraded" if degraded else "ok", "degraded": degraded})

    @ops.get("/health/providers")
    @ops.get("/metrics")
    def relayed() -> Response:
        token = current.gateway.settings.metrics.token
        _admit(token.get_secret_value() if token else None)
        wanted = {name: request.headers[name] for name in ("Accept", "Accept-Encoding") if name in request.headers}
        try:
            status, headers, body = instance.relay(request.path, wanted)
        except OSError as error:
            message = "the process that watches providers and metrics is not there; it will be back within seconds"
            raise GatewayError(ErrorType.NO_PROVIDER, message) from error
        kept = {name: value for name, value in headers.items() if name.lower() in ("content-type", "content-encoding")}
        return Response(body, status, kept)

    return ops


def _degraded(instance: Instance, gone: Sequence[str]) -> list[str]:
    """What is not as it should be, though calls are answered. In words that anybody may read."""
    found = []
    if instance.trouble():
        found.append("configuration: the file has errors, see the log; the last good one is in force")
    if instance.homeless():
        found.append("run directory: it is gone, and metrics with it; a reload (SIGHUP) makes it anew")
    if gone:
        found.append("memcached: a server does not answer, see the log; limits are local, nothing is cached")
    return found


def _admit(token: str | None) -> None:
    """With a token: only with it. Without: only a neighbour on this machine that speaks for itself.

    Judged by who is connected. What a trusted proxy says of its client does not count here: it says that it is one.
    """
    if token is not None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if hmac.compare_digest(given.encode(), token.encode()):
            return
    elif _loopback(request.remote_addr) and not any(map(_carries, request.environ)):
        return
    raise invalid("there is nothing at this path", status=404, code="not_found")


def _carries(name: str) -> bool:
    return name in _CARRIED or name.startswith(_CARRIED_SO)


def _loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return not address  # a unix socket has no address


def _json(body: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(dumps(body), status, headers, content_type="application/json")
