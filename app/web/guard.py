"""Open mode: without tenants, only this machine is served, and no web page may make a browser ask on its behalf."""

from __future__ import annotations

from flask import Flask, request

from app.core.errors import ErrorType, GatewayError, invalid
from app.core.quoting import quoted
from app.web.current import Current

_ALWAYS = ("/health", "/health/live", "/health/ready")  # load balancers ask by any name
_HERE = ("localhost", "127.0.0.1", "[::1]")
_CARRIED = ("HTTP_ORIGIN", "HTTP_FORWARDED")
_CARRIED_SO = "HTTP_X_FORWARDED_"


def install(app: Flask, current: Current) -> None:
    def check() -> None:
        settings = current.gateway.settings
        if settings.tenants or settings.server.open or request.path in _ALWAYS:
            return
        host = request.headers.get("Host", "")
        name = host if host.endswith("]") else host.rsplit(":", 1)[0]
        if name.lower() not in _HERE:
            raise _refused(f"this gateway has no tenants and serves this machine only, not Host {quoted(host)}")
        for name in request.environ:
            if name in _CARRIED or name.startswith(_CARRIED_SO):
                header = name.removeprefix("HTTP_").replace("_", "-").title()
                raise _refused(f"this gateway has no tenants and refuses calls that carry {header}")
        if request.method == "POST" and request.mimetype != "application/json":
            raise invalid("Content-Type must be application/json", status=415, code="unsupported_media_type")

    app.before_request(check)


def _refused(why: str) -> GatewayError:
    return GatewayError(ErrorType.PERMISSION, f"{why}; configure tenants, or server.open: true")
