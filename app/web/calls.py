"""The endpoints that ask providers: one view a language, all alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Blueprint, Response, request

from app import pipeline
from app.core.errors import GatewayError
from app.core.language import Language
from app.core.wire import Operation
from app.web import parse, render
from app.web.credentials import credential
from app.web.current import Current


def blueprint(current: Current, languages: Mapping[str, Language]) -> Blueprint:
    """`languages`: path -> what is spoken there."""
    calls = Blueprint("calls", __name__)
    for path, language in languages.items():
        calls.add_url_rule(path, language.operation, _view(current, language, "/messages" in path), methods=["POST"])
    return calls


def _view(current: Current, language: Language, anthropic: bool) -> Callable[[], Response]:
    def view() -> Response:
        gateway = current.gateway  # this call's, whatever is swapped in meanwhile
        began = gateway.clock.monotonic()
        try:
            tenant = gateway.tenants.identify(credential(request.headers, anthropic=anthropic), gateway.clock.time())
            call = parse.call_of(request, language, tenant, began, gateway.settings.server.max_body)
        except GatewayError as error:
            if language.operation is not Operation.COUNT_TOKENS:
                gateway.meter.refused(False, error)  # it never became a Call: no exchange will tell
            raise
        return render.response(call, pipeline.answer(gateway, call))

    return view
