"""The Flask application: the gateway of the moment behind its routes."""

from __future__ import annotations

from flask import Flask

from app.core.language import Language
from app.surfaces import LANGUAGES, MESSAGES
from app.web import calls, guard, models, ops, problems
from app.web.current import Current
from app.web.doors import Doors
from app.web.ops import Instance


def create_app(current: Current, instance: Instance, doors: Doors | None = None) -> Flask:
    """Hang the routes. Nothing is started here: `current` may be swapped at any time."""
    app = Flask("llm-gateway", static_folder=None)
    app.debug = False  # whatever the environment says: with it, errors are raised and not answered
    app.url_map.merge_slashes = False  # it would send clients, by a page, to whatever Host they name
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # they would be the only answers without a body of JSON
    chat = LANGUAGES["/v1/chat/completions"]

    def language_of(path: str) -> Language:
        return LANGUAGES.get(path) or (MESSAGES if path.startswith("/v1/messages") else chat)

    problems.install(app, language_of)
    guard.install(app, current)
    app.register_blueprint(calls.blueprint(current, doors or Doors(), LANGUAGES))
    app.register_blueprint(models.blueprint(current))
    app.register_blueprint(ops.blueprint(current, instance))
    return app
