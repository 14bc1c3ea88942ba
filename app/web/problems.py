"""Every error as JSON, in the language of the path: ours, the framework's, and what nobody thought of."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from app.core.errors import ErrorType, GatewayError, invalid
from app.core.json import dumps
from app.core.language import Language
from app.core.wire import ANTHROPIC
from app.web.parse import call_id
from app.web.render import answered, identified

log = logging.getLogger(__name__)

_METHODS = ("POST", "GET")
_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")


def install(app: Flask, language_of: Callable[[str], Language]) -> None:
    """`language_of`: a path to the language in which its errors are told."""

    def gateway_error(error: GatewayError) -> Response:
        return response(error, language_of(request.path), call_id(request))

    def http_error(error: HTTPException) -> Response:
        return gateway_error(_translated(error, app))

    def bug(error: Exception) -> Response:
        log.error("a request ended in an unexpected error", exc_info=error)
        return gateway_error(GatewayError(ErrorType.INTERNAL, "internal error; the log has the details"))

    def complete(answer: Response) -> Response:
        """Calls and errors have their id by now; a list of models gets one here. No browser guesses what it is."""
        if "x-request-id" not in answer.headers:
            answer.headers["x-request-id"] = call_id(request)
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    app.register_error_handler(GatewayError, gateway_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, bug)
    app.after_request(complete)


def response(error: GatewayError, language: Language, id_: str) -> Response:
    status = error.status
    headers = identified(id_, language)
    headers |= answered(error.provider, error.model, error.attempts, error.cache)
    headers |= error.headers
    if language.operation in ANTHROPIC and error.type is ErrorType.OVERLOADED:
        status = 529
    if status in (429, 503, 529):
        headers["Retry-After"] = str(math.ceil(error.retry_after or 1))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.allow:
        headers["Allow"] = ", ".join(error.allow)
    if error.gave_up:
        headers["x-should-retry"] = "false"
    body = dumps(language.error(error, id_))
    return Response(body, status, headers, content_type="application/json")


def routes(app: Flask) -> dict[str, list[str]]:
    """The paths that the application answers to, by method; `{name}` stands for what may differ."""
    rules = list(app.url_map.iter_rules())
    found = {method: [rule.rule for rule in rules if method in (rule.methods or ())] for method in _METHODS}
    return {method: [_VARIABLE.sub(r"{\1}", path) for path in paths] for method, paths in found.items()}


def _translated(error: HTTPException, app: Flask) -> GatewayError:
    if isinstance(error, NotFound):
        known = "; ".join(f"{method} {', '.join(paths)}" for method, paths in routes(app).items())
        return invalid(f"there is nothing at this path; there are {known}", status=404, code="not_found")
    if isinstance(error, MethodNotAllowed):
        allowed = sorted(error.valid_methods or ())
        problem = invalid(f"use {' or '.join(allowed)} here", status=405, code="method_not_allowed")
        problem.allow = tuple(allowed)
        return problem
    if isinstance(error, RequestEntityTooLarge):
        return invalid("the body is too large", status=413, code="request_too_large")
    status = error.code or 500
    if status < 500:
        return invalid(error.description or error.name, status=status)
    return GatewayError(ErrorType.INTERNAL, "internal error")
