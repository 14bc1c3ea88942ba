"""What the gateway may send otherwise than the client of the recording did, in the provider's own language."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from tests.recorded.ask import Answer
from tests.recorded.corpus import Case
from tests.recorded.house import KEY, PROVIDER_KEY, House
from tests.recorded.leaves import MISSING, Allowed, compared
from tests.standin import RequestRecord


def _absent(one: Any, other: Any) -> bool:
    return other is MISSING


def _renamed(one: Any, other: Any) -> bool:
    return one is MISSING or other is MISSING


ALLOWED = (
    Allowed(r"model", "named in the URL too, or only there", providers=("azure",)),
    Allowed(r"stream_options\.include_usage", "always asked for, shown only to who asked"),
    Allowed(r"stream_options", "an empty one became {include_usage: true}", _absent),
    Allowed(
        r"n", "1, which is the only one that Groq takes", lambda one, other: one == 1 and other is MISSING, ("groq",)
    ),
    Allowed(r"max_(completion_)?tokens", "knows only the older name", _renamed, ("together",)),
    Allowed(
        r"encoding_format",
        "its base64 is of signed bytes, and says so",
        lambda one, other: other == "base64_int8",
        ("perplexity",),
    ),
)


#: A field that nobody knows, put into each request: in the provider's own language it must arrive as it is.
PROBE = {"x_recorded_probe": {"kept": [1, None, True, 1e-07, "ü\u2028世界"]}}


def sent_otherwise(case: Case, body: Any) -> list[str]:
    """The differences between the recorded request, with the probe, and `body`, a line each."""
    return compared({**case.exchange.request.body, **PROBE}, body, ALLOWED, case.exchange.provider)


def model_of(case: Case) -> str:
    """What the provider calls the model: in the URLs of Bedrock, Google and (older ones) Azure, not in the body."""
    _, models, rest = case.path.partition("/model/")
    if models:
        return unquote(rest.partition("/")[0])
    if case.kind in ("gemini", "vertex"):
        return case.path.rpartition("/models/")[2].partition(":")[0]
    _, deployments, rest = case.path.partition("/deployments/")
    return rest.partition("/")[0] if deployments else str(case.body.get("model") or case.exchange.model or "")


def sent_to(case: Case, method: str, path: str) -> list[str]:
    """The same for the request line."""
    wanted, found = f"{case.exchange.request.method} {case.path}", f"{method} {path}"
    if case.kind == "bedrock":  # AWS's own SDKs leave a colon as it is, or do not
        found, wanted = found.replace(":", "%3A"), wanted.replace(":", "%3A")
    if "<" in wanted:  # what stands for a name that was removed is no part of a path
        found = unquote(found)
    return [] if found == wanted else [f"request: recorded {wanted}, found {found}"]


#: Who says what a stream took without being asked.
_TELL_UNASKED = ("mistral", "groq", "together", "perplexity", "anthropic")


def usage_unasked(case: Case, body: Any) -> list[str]:
    """Usage is always asked for, whatever the client did: the books need it."""
    if not case.is_stream or case.operation == "responses" or case.exchange.provider in _TELL_UNASKED:
        return []
    options = body.get("stream_options") or {}
    return [] if options.get("include_usage") is True else [f"stream_options: found {options}, which asks for no usage"]


def sent_problems(house: House, case: Case, answer: Answer) -> list[str]:
    """What is wrong with the request that the provider got."""
    requests = house.provider.journal.requests()
    if len({request.body for request in requests}) != 1:
        return [f"the provider got {len(requests)} requests: {[(each.path, each.body[:200]) for each in requests]}"]
    sent = requests[-1]
    told = sent_to(case, sent.method, sent.path) + sent_otherwise(case, sent.json)
    asked = answer.asked.get("anthropic-version")
    if asked and sent.header("anthropic-version") != asked:
        told.append(f"anthropic-version: the client said {asked}, the provider got {sent.header('anthropic-version')}")
    return told + usage_unasked(case, sent.json) + carried(case, sent)


def carried(case: Case, sent: RequestRecord, *, translated: bool = False) -> list[str]:
    """Whose key travels, in the header that this provider reads it from, and what Anthropic is told beside it.

    `translated`: the client could not say which version and betas it means, so that the gateway's own version is sent.
    """
    recorded = {name.lower(): value for name, value in case.exchange.request.headers}
    told = [f"the tenant's key is in {name}" for name, value in sent.headers if KEY in value]
    if case.kind == "anthropic":
        wanted = ("x-api-key", PROVIDER_KEY)
    elif case.kind in ("gemini", "vertex"):
        wanted = ("x-goog-api-key", PROVIDER_KEY)
    elif "api-key" in recorded or case.exchange.provider == "azure":
        wanted = ("api-key", PROVIDER_KEY)
    else:
        wanted = ("authorization", f"Bearer {PROVIDER_KEY}")
    if sent.header(wanted[0]) != wanted[1]:
        told.append(f"{wanted[0]} is {sent.header(wanted[0])!r}, not the provider's key")
    for name in ("anthropic-version",) if translated else ("anthropic-version", "anthropic-beta"):
        if name in recorded and sent.header(name) != recorded[name]:
            told.append(f"{name}: recorded {recorded[name]!r}, found {sent.header(name)!r}")
    version = (sent.target.partition("api-version=")[2] or None) if case.exchange.provider == "azure" else None
    if case.query.startswith("api-version=") and f"api-version={version}" != case.query:
        told.append(f"api-version: recorded {case.query!r}, found {version!r}")
    return told
