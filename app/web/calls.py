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
from app.web.doors import Doors, Inside
from app.web.peer import client_of


def blueprint(current: Current, doors: Doors, languages: Mapping[str, Language]) -> Blueprint:
    """`languages`: path -> what is spoken there."""
    calls = Blueprint("calls", __name__)
    for path, language in languages.items():
        calls.add_url_rule(
            path, language.operation, _view(current, doors, language, "/messages" in path), methods=["POST"]
        )
    return calls


def _view(current: Current, doors: Doors, language: Language, anthropic: bool) -> Callable[[], Response]:
    def view() -> Response:
        gateway = current.gateway  # this call's, whatever is swapped in meanwhile
        began = gateway.clock.monotonic()
        settings = gateway.settings.server
        address = client_of(request.environ, settings.trusted_proxies)
        place: Inside | None = None
        try:
            place = doors.enter(settings.max_in_flight, settings.queue)
            if place.waited:
                gateway.meter.waited(gateway.clock.monotonic() - began)
            tenant = gateway.tenants.identify(credential(request.headers, anthropic=anthropic), gateway.clock.time())
            call = parse.call_of(request, language, tenant, began, settings.max_body, address=address)
        except BaseException as error:
            if isinstance(error, GatewayError):  # it never became a Call: no exchange will tell
                gateway.calls.refused(parse.call_id(request), language.operation, address, error)
                if language.operation is not Operation.COUNT_TOKENS:
                    gateway.meter.refused(False, error)
            if place is not None:
                place.leave()
            raise
        return render.response(call, pipeline.answer(gateway, call, place))

    return view
