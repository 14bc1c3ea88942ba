"""Images and files of a chat request as Anthropic's image and document blocks."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any
from urllib.parse import unquote_to_bytes

from app.core.errors import invalid
from app.core.json import Json
from app.core.quoting import quoted

_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_PDF = "application/pdf"


def image(image_url: Any, where: str) -> Json:
    """An `image_url` part, which may hold a PDF too.

    Raises:
        GatewayError: invalid_request, for what is neither.
    """
    url = image_url.get("url") if isinstance(image_url, dict) else image_url
    if not isinstance(url, str):
        raise invalid("url must be a string", f"{where}.url")
    if url.startswith("data:"):
        return _from_data(url, f"{where}.url")
    if not url.startswith(("https://", "http://")):
        raise invalid("url must be a data, http or https URL", f"{where}.url")
    return {"type": "image", "source": {"type": "url", "url": url}}


def document(file: Any, where: str) -> Json:
    """A `file` part: its data, or the id under which the provider has it."""
    if not isinstance(file, dict):
        raise invalid("file must be an object", where)
    data, file_id, name = file.get("file_data"), file.get("file_id"), file.get("filename")
    if isinstance(data, str) and data:
        block = _from_data(data, f"{where}.file_data")
    elif isinstance(file_id, str) and file_id:
        block = {"type": "document", "source": {"type": "file", "file_id": file_id}}
    else:
        raise invalid("a file needs file_data or file_id", where)
    if block["type"] == "document" and isinstance(name, str) and name:
        block["title"] = name
    return block


def _from_data(url: str, where: str) -> Json:
    """A data URL by its media type, with whatever parameters it has: `data:image/png;charset=utf-8;base64,...`."""
    head, comma, data = url.removeprefix("data:").partition(",")
    media_type, *parameters = (word.strip().lower() for word in head.split(";"))
    if not comma or not url.startswith("data:"):
        raise invalid("expected a data URL: data:<media type>;base64,<data>", where)
    encoded = "base64" in parameters
    if media_type == "text/plain" or (not media_type and not encoded):
        text = _decoded(data, where) if encoded else unquote_to_bytes(data)
        source = {"type": "text", "media_type": "text/plain", "data": text.decode("utf-8", "replace")}
        return {"type": "document", "source": source}
    media_type = "image/jpeg" if media_type == "image/jpg" else media_type
    if not encoded or media_type not in (*_IMAGES, _PDF):
        raise invalid(f"media type {quoted(media_type)} cannot be told to this provider", where)
    source = {"type": "base64", "media_type": media_type, "data": data}
    return {"type": "document" if media_type == _PDF else "image", "source": source}


def _decoded(data: str, where: str) -> bytes:
    try:
        return b64decode(data)
    except (binascii.Error, ValueError) as error:
        raise invalid("the data is not base64", where) from error
