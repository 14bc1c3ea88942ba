"""Errors of the framework's own."""

from __future__ import annotations

from flask import Blueprint, Flask, Response

from app.surfaces import LANGUAGES
from app.web import problems


def answer(path: str) -> Response:
    return Response(path)


def test_a_404_names_every_route_that_was_registered() -> None:
    app = Flask("house", static_folder=None)
    problems.install(app, lambda path: LANGUAGES["/v1/chat/completions"])
    calls = Blueprint("calls", __name__)
    calls.add_url_rule("/v1/sing", "sing", answer, methods=["POST"])
    calls.add_url_rule("/v1/songs/<path:name>", "song", answer)
    app.register_blueprint(calls)

    told = app.test_client().get("/v1/dance")

    assert told.status_code == 404
    assert told.get_json()["error"] == {
        "message": "there is nothing at this path; there are POST /v1/sing; GET /v1/songs/{name}",
        "type": "invalid_request_error",
        "param": None,
        "code": "not_found",
    }
