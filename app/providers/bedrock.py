"""Models on Amazon Bedrock, by Converse: one language for all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from app.aws.signer import AwsCredentials
from app.core.errors import ErrorType, GatewayError, invalid
from app.core.json import Json
from app.core.provider import Cloud, Credentials, Provider, Reader
from app.core.wire import Ask, Frame, Framing, Operation, UpstreamRequest
from app.providers.bedrock_answer import ChatReader, answer
from app.providers.bedrock_request import to_converse
from app.providers.bedrock_vectors import embedded, to_embed, to_rank
from app.providers.errors import by_status, complaint, names_context_length, refusal
from app.providers.rerank import rerank_answer
from app.providers.row import Feature, Row

#: The statuses that Bedrock's exceptions come with, for those inside a stream, where there is none.
_STATUS: Mapping[str, int] = {
    "accessdeniedexception": 403,
    "throttlingexception": 429,
    "modelnotreadyexception": 429,
    "resourcenotfoundexception": 404,
    "modeltimeoutexception": 408,
    "modelerrorexception": 424,
    "modelstreamerrorexception": 424,
    "serviceunavailableexception": 503,
    "validationexception": 400,
}

#: Exceptions about who we are, whatever their status; a clock that goes wrong makes InvalidSignatureException.
_OURS = frozenset(
    {
        "unrecognizedclientexception",
        "expiredtokenexception",
        "expiredtoken",
        "invalidsignatureexception",
        "signaturedoesnotmatch",
        "invalidclienttokenid",
        "incompletesignature",
        "incompletesignatureexception",
        "missingauthenticationtoken",
        "missingauthenticationtokenexception",
        "requestexpired",
    }
)
_OUR_KEY = re.compile(r"api key|bearer token|security token|signature|credential", re.IGNORECASE)
_NO_MODEL = re.compile(r"model identifier is invalid|on-demand throughput isn.t supported", re.IGNORECASE)
_TOO_LONG = re.compile(r"exceed context limit|input is too long", re.IGNORECASE)


class BedrockDialect:
    native = frozenset({Operation.CHAT, Operation.EMBEDDINGS, Operation.RERANK})
    marks = True

    def encode(self, ask: Ask, provider: Provider, model: str) -> UpstreamRequest:
        if ask.operation is Operation.CHAT:
            body, dropped = to_converse(ask.body, model, ask.max_output)
            verb = "converse-stream" if ask.stream else "converse"
        elif ask.operation is Operation.EMBEDDINGS:
            (body, dropped), verb = to_embed(ask.body, model), "invoke"
        elif ask.operation is Operation.RERANK:
            (body, dropped), verb = to_rank(ask.body, model), "invoke"
        else:
            raise invalid(f"{provider.name} has no {ask.operation}", "model", code="unsupported")
        url = f"{provider.base_url}/model/{quote(model, safe='')}/{verb}"
        return UpstreamRequest(url, provider.headers, body, ask.stream, dropped, Framing.AWS)

    def decode(self, ask: Ask, provider: Provider, body: Json) -> Frame:
        if ask.operation is Operation.EMBEDDINGS:
            return embedded(ask, body)
        if ask.operation is Operation.RERANK:
            return rerank_answer(ask, body)

        def failed(name: str, said: bytes) -> GatewayError:
            return self._exception(provider, name, said)

        return answer(ask, body, failed)

    def reader(self, ask: Ask, provider: Provider) -> Reader:
        def failed(name: str, said: bytes) -> GatewayError:
            return self._exception(provider, name, said)

        return ChatReader(ask, failed)

    def decode_error(self, provider: Provider, status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
        found = complaint(body)
        details = found.details or {}
        if found.message is None and isinstance(details.get("Message"), str):
            found = replace(found, message=details["Message"])
        kind = headers.get("x-amzn-errortype") or str(details.get("__type") or "")
        name = kind.partition(":")[0].rpartition("#")[2].lower()
        meant = _type(status, name, found.message or "")
        if meant is ErrorType.AUTHENTICATION and found.message:  # below it AWS repeats all that was signed, tokens too
            found = replace(found, message=found.message.partition("\n")[0])
        return refusal(provider, meant, status, headers, replace(found, code=None))

    def _exception(self, provider: Provider, name: str, body: bytes) -> GatewayError:
        """Of a stream that began well, or of an answer that says so."""
        return self.decode_error(provider, _STATUS.get(name.lower(), 500), {"x-amzn-errortype": name}, body)


def _type(status: int, name: str, words: str) -> ErrorType:
    if name in _OURS or (status == 403 and _OUR_KEY.search(words)):
        return ErrorType.AUTHENTICATION
    if name == "servicequotaexceededexception":
        return ErrorType.RATE_LIMITED
    if status == 400:
        if _NO_MODEL.search(words):
            return ErrorType.MODEL_NOT_FOUND
        if names_context_length(words) or _TOO_LONG.search(words):
            return ErrorType.CONTEXT_LENGTH
    return by_status(status)


def _base_url(cloud: Cloud) -> str:
    return f"https://bedrock-runtime.{cloud.region or 'REGION'}.amazonaws.com"


def _credentials(provider: Provider) -> Credentials:
    return AwsCredentials(provider, "bedrock")


def _no_models(_: Provider) -> str | None:
    """They are listed by another host, which a key for this one may not ask."""
    return None


ROWS = (
    Row(
        kind="bedrock",
        title="Amazon Bedrock",
        dialect=BedrockDialect(),
        base_url=None,
        base_url_at=_base_url,
        path="",
        models_url=_no_models,
        credentials=_credentials,
        features=frozenset(Feature),
        docs="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html",
        note="every model of Converse; an API key, `credentials_file`, or the role of the machine; needs the extra "
        "`bedrock`",
    ),
)
