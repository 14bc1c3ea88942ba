"""GET /v1/models: what this key may use, in the form that the asking SDK expects."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.core.call import Tenant
from app.core.errors import ErrorType, GatewayError
from app.core.json import Json, dumps
from app.core.quoting import quoted
from app.web.credentials import credential
from app.web.current import Current

MADE = 0  # the gateway does not know when a model was made; both SDKs want a time
MADE_TEXT = "1970-01-01T00:00:00Z"


def blueprint(current: Current) -> Blueprint:
    models = Blueprint("models", __name__)

    def tenant() -> Tenant:
        key = credential(request.headers, anthropic=_anthropic())
        return current.gateway.tenants.identify(key, current.gateway.clock.time())

    @models.get("/v1/models")
    def every() -> Response:
        data = [_model(name) for name in current.gateway.routes.names(tenant())]
        if _anthropic():
            ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
            return _json({"data": data, "has_more": False, **ends})
        return _json({"object": "list", "data": data})

    @models.get("/v1/models/<path:name>")
    def one(name: str) -> Response:
        asking = tenant()
        try:
            current.gateway.routes.resolve(name, asking)
        except GatewayError as error:
            if error.type is not ErrorType.PERMISSION:
                raise
            raise GatewayError(
                ErrorType.MODEL_NOT_FOUND, f"model {quoted(name)} does not exist here", param="model"
            ) from error
        return _json(_model(name))

    return models


def _anthropic() -> bool:
    return "anthropic-version" in request.headers


def _model(name: str) -> Json:
    if _anthropic():
        return {"type": "model", "id": name, "display_name": name, "created_at": MADE_TEXT, "lifecycle": "active"}
    return {"id": name, "object": "model", "created": MADE, "owned_by": "llm-gateway"}


def _json(body: Json) -> Response:
    return Response(dumps(body), content_type="application/json")
