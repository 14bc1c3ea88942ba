"""AWS's signatures, version 4, checked from the page that describes them and not by the package that makes them.

Source: AWS, "Create a signed AWS API request", read November 2026.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime
from urllib.parse import quote

from tests.standin.message import Request

ACCESS_KEY = "AKIDSTANDIN"
SECRET_KEY = "standin+secret/key"
SKEW = 300  # seconds that a clock may be wrong

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
    r"SignedHeaders=([^,]+), ?Signature=(\w+)"
)


def fault_of(request: Request) -> tuple[str, str] | None:
    """The exception and its message that AWS would answer with; None where the signature holds."""
    found = _AUTHORIZATION.fullmatch(request.header("authorization") or "")
    stamp = request.header("x-amz-date") or ""
    if found is None or not stamp:
        return "MissingAuthenticationTokenException", "Missing Authentication Token"
    key, day, region, service, names, signature = found.groups()
    if key != ACCESS_KEY:
        return "UnrecognizedClientException", "The security token included in the request is invalid."
    age = abs((datetime.now(UTC) - datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)).total_seconds())
    if age > SKEW or not stamp.startswith(day):
        return "InvalidSignatureException", f"Signature expired: {stamp} is now earlier than it may be"
    if "host" not in names.split(";") or service != "bedrock":
        return "InvalidSignatureException", "Credential should be scoped to correct service: 'bedrock'."
    told = ["AWS4-HMAC-SHA256", stamp, f"{day}/{region}/{service}/aws4_request", _digest(_canonical(request, names))]
    secret = f"AWS4{SECRET_KEY}".encode()
    for step in (day, region, service, "aws4_request"):
        secret = hmac.digest(secret, step.encode(), "sha256")
    if not hmac.compare_digest(hmac.new(secret, "\n".join(told).encode(), "sha256").hexdigest(), signature):
        return (
            "InvalidSignatureException",
            "The request signature we calculated does not match yours.",
        )
    return None


def _canonical(request: Request, names: str) -> str:
    """The path, encoded as it was sent, is encoded once more."""
    headers = [f"{name}:{' '.join((request.header(name) or '').split())}" for name in names.split(";")]
    path = quote(request.path, safe="/~")
    return "\n".join([request.method, path, "", *headers, "", names, hashlib.sha256(request.body).hexdigest()])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
