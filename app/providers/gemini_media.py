"""Images, files and speech of a chat request as Gemini's parts: data in line, or the URI of what Google fetches itself.

No URI is fetched here, so that no caller chooses a host that we would connect to.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from app.core.errors import invalid
from app.core.json import Json

_SCHEMES = ("https://", "http://", "gs://")

#: By the end of a path. Vertex wants to be told what is behind a URI.
_TYPES: Mapping[str, str] = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heif",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mpeg": "video/mpeg",
}


def image(image_url: Any, where: str) -> Json:
    """An `image_url` part, which may hold other files too.

    Raises:
        GatewayError: invalid_request, for what is neither data nor a URI.
    """
    url = image_url.get("url") if isinstance(image_url, dict) else image_url
    if not isinstance(url, str):
        raise invalid("url must be a string", f"{where}.url")
    if url.startswith("data:"):
        return _from_data(url, f"{where}.url")
    return _from_uri(url, "image/jpeg", f"{where}.url")


def file(given: Any, where: str) -> Json:
    """A `file` part: its data, or the URI under which Google has it as `file_id`."""
    if not isinstance(given, dict):
        raise invalid("file must be an object", where)
    data, file_id, kind = given.get("file_data"), given.get("file_id"), given.get("format")
    if isinstance(data, str) and data:
        return _from_data(data, f"{where}.file_data")
    if isinstance(file_id, str) and file_id:
        part = _from_uri(file_id, "application/pdf", f"{where}.file_id")
        if isinstance(kind, str) and kind:  # what LiteLLM's clients say beside it
            part["fileData"]["mimeType"] = kind
        return part
    raise invalid("a file needs file_data or file_id", where)


def speech(given: Any, where: str) -> Json:
    """An `input_audio` part."""
    data = given.get("data") if isinstance(given, dict) else None
    if not isinstance(data, str):
        raise invalid("data must be a string", f"{where}.data")
    kind = str(given.get("format") or "wav").lower()
    return {"inlineData": {"mimeType": _TYPES.get(kind, f"audio/{kind}"), "data": data}}


def _from_uri(uri: str, otherwise: str, where: str) -> Json:
    if not uri.startswith(_SCHEMES):
        raise invalid("expected a data, https or gs URL", where)
    ending = urlsplit(uri).path.rpartition(".")[2].lower()
    return {"fileData": {"fileUri": uri, "mimeType": _TYPES.get(ending, otherwise)}}


def _from_data(url: str, where: str) -> Json:
    """A data URL with whatever parameters it has: `data:image/png;charset=utf-8;base64,...`."""
    head, comma, data = url.removeprefix("data:").partition(",")
    media_type, *parameters = (word.strip().lower() for word in head.split(";"))
    if not comma or not url.startswith("data:"):
        raise invalid("expected a data URL: data:<media type>;base64,<data>", where)
    if "base64" not in parameters:
        data = b64encode(unquote_to_bytes(data)).decode()
    media_type = {"image/jpg": "image/jpeg", "": "text/plain"}.get(media_type, media_type)
    if media_type == "text/plain":
        return {"text": _decoded(data, where)}
    return {"inlineData": {"mimeType": media_type, "data": data}}


def _decoded(data: str, where: str) -> str:
    try:
        return b64decode(data).decode("utf-8", "replace")
    except (binascii.Error, ValueError) as error:
        raise invalid("the data is not base64", where) from error
