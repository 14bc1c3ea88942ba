"""Gemini on Google Cloud's Vertex AI: in a project and a location, by a service account or an API key."""

from __future__ import annotations

from urllib.parse import quote

from app.core.json import Json
from app.core.provider import Cloud, Provider
from app.core.wire import Ask, Frame
from app.credentials.google import GoogleCredentials
from app.providers import gemini_vectors as vectors
from app.providers.gemini import FEATURES, GeminiDialect, segments
from app.providers.row import Row

EVERYWHERE = "global"
_MANY_REGIONS = ("us", "eu")  # locations that are several data centres, under hosts of their own
_VERSION = "v1beta1"  # what Google's own SDK speaks


class VertexDialect(GeminiDialect):
    embedding_verb = "predict"

    def url(self, provider: Provider, model: str, verb: str) -> str:
        """An API key without a project is Vertex's express mode, whose models stand under no project."""
        project, location = provider.cloud.project, provider.cloud.location or EVERYWHERE
        name = segments(model)
        if not name.startswith(("publishers/", "endpoints/")):
            name = f"publishers/google/models/{name.removeprefix('models/')}"
        where = f"projects/{quote(project, safe='')}/locations/{quote(location, safe='')}/" if project else ""
        return f"{provider.base_url}/{where}{name}:{verb}"

    def embeddings(self, body: Json, model: str) -> tuple[Json, tuple[str, ...]]:
        return vectors.to_predict(body)

    def embedded(self, ask: Ask, body: Json) -> Frame:
        return vectors.predict_answer(ask, body)


def base_url(cloud: Cloud) -> str:
    location = cloud.location or EVERYWHERE
    if location == EVERYWHERE:
        host = "aiplatform.googleapis.com"
    elif location in _MANY_REGIONS:
        host = f"aiplatform.{location}.rep.googleapis.com"
    else:
        host = f"{location}-aiplatform.googleapis.com"
    return f"https://{host}/{_VERSION}"


def models_url(provider: Provider) -> str | None:
    """The list is shown to who has a token; an API key is for calls alone."""
    return None if provider.credentials is None else f"{provider.base_url}/publishers/google/models?pageSize=100"


ROWS = (
    Row(
        kind="vertex",
        title="Google Vertex AI",
        dialect=VertexDialect(),
        base_url=None,
        base_url_at=base_url,
        credentials=GoogleCredentials,
        path=f"/{_VERSION}",
        key_header="x-goog-api-key",
        key_scheme="",
        models_url=models_url,
        features=FEATURES,
        docs="https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference",
        note="`project` and `location` with Google credentials (`credentials_file`, or those of the machine; needs the "
        "extra `vertex`), or `api_key` alone (express mode)",
    ),
)
