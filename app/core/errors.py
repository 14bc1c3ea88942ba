"""Every way a call can go wrong: one closed vocabulary and one table that everything else reads.

Code, the `error_type` label, log lines and error bodies use the same 21 words. A decision (retry? next target? whose
fault?) is a column of RULES, never an `if` on a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Self


class ErrorType(StrEnum):
    INVALID_REQUEST = "invalid_request"
    CLIENT_AUTHENTICATION = "client_authentication"
    PERMISSION = "permission"
    MODEL_NOT_FOUND = "model_not_found"
    CONTEXT_LENGTH = "context_length"
    CONTENT_FILTER = "content_filter"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"
    AUTHENTICATION = "authentication"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    SERVER_ERROR = "server_error"
    OVERLOADED = "overloaded"
    INVALID_RESPONSE = "invalid_response"
    STREAM_INTERRUPTED = "stream_interrupted"
    CIRCUIT_OPEN = "circuit_open"
    NO_PROVIDER = "no_provider"
    SHUTTING_DOWN = "shutting_down"
    SATURATED = "saturated"
    CANCELLED = "cancelled"
    INTERNAL = "internal"


class Status(StrEnum):
    """How a call ended, as `requests_total` counts it."""

    SUCCESS = "success"
    ERROR = "error"
    CLIENT_ERROR = "client_error"
    RATE_LIMITED = "rate_limited"
    CANCELLED = "cancelled"


class Next(Enum):
    """May another target be asked after this failure?"""

    NO = "no"
    YES = "yes"
    FALLBACK_LIST = "fallback list"  # only those that the model's `fallbacks` name for this very cause


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: what is answered, what may still be tried, and who is to blame."""

    http: int
    repeats: int  # at the same target
    next: Next
    trips_breaker: bool
    counts_as: Status
    code: str | None = None  # the `code` of the error body where it is not the type's own name


_CLIENT, _ERROR = Status.CLIENT_ERROR, Status.ERROR

RULES: Mapping[ErrorType, Rule] = {
    ErrorType.INVALID_REQUEST: Rule(400, 0, Next.NO, False, _CLIENT),
    ErrorType.CLIENT_AUTHENTICATION: Rule(401, 0, Next.NO, False, _CLIENT, "invalid_api_key"),
    ErrorType.PERMISSION: Rule(403, 0, Next.NO, False, _CLIENT),
    ErrorType.MODEL_NOT_FOUND: Rule(404, 0, Next.YES, False, _CLIENT),
    ErrorType.CONTEXT_LENGTH: Rule(400, 0, Next.FALLBACK_LIST, False, _CLIENT, "context_length_exceeded"),
    ErrorType.CONTENT_FILTER: Rule(400, 0, Next.FALLBACK_LIST, False, _CLIENT),
    ErrorType.RATE_LIMITED: Rule(429, 1, Next.YES, False, Status.RATE_LIMITED, "rate_limit_exceeded"),
    ErrorType.QUOTA_EXCEEDED: Rule(503, 0, Next.YES, False, _ERROR, "insufficient_quota"),
    ErrorType.AUTHENTICATION: Rule(502, 0, Next.YES, False, _ERROR),
    ErrorType.TIMEOUT: Rule(504, 1, Next.YES, True, _ERROR),
    ErrorType.CONNECTION: Rule(502, 1, Next.YES, True, _ERROR),
    ErrorType.SERVER_ERROR: Rule(502, 1, Next.YES, True, _ERROR),
    ErrorType.OVERLOADED: Rule(503, 1, Next.YES, True, _ERROR),
    ErrorType.INVALID_RESPONSE: Rule(502, 1, Next.YES, True, _ERROR),
    ErrorType.STREAM_INTERRUPTED: Rule(502, 0, Next.NO, True, _ERROR),
    ErrorType.CIRCUIT_OPEN: Rule(503, 0, Next.NO, False, _ERROR),
    ErrorType.NO_PROVIDER: Rule(503, 0, Next.NO, False, _ERROR),
    ErrorType.SHUTTING_DOWN: Rule(503, 0, Next.NO, False, _ERROR),
    ErrorType.SATURATED: Rule(503, 0, Next.NO, False, _ERROR),
    ErrorType.CANCELLED: Rule(499, 0, Next.NO, False, Status.CANCELLED),
    ErrorType.INTERNAL: Rule(500, 0, Next.NO, False, _ERROR),
}


class GatewayError(Exception):
    """A call went wrong in one of the 21 ways. The message is for the caller: no secret, no internal host, no trace.

    `status` stands where the answer's HTTP status is not the rule's own (a provider's 413 stays a 413); `code` likewise
    (a provider's own code survives on its 4xx). `provider` is the name of whoever failed, None where we refused.
    `retry_after` is in seconds. `allow` are the methods of a 405. `silent`: the provider took the request and said
    nothing, so it may be working on it, for money: it is not asked again. `lasting`: a bad certificate or an unknown
    name, which will still be wrong in a moment: it is not asked again either.
    """

    def __init__(
        self,
        error_type: ErrorType,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        provider: str | None = None,
        allow: tuple[str, ...] = (),
        silent: bool = False,
        lasting: bool = False,
    ) -> None:
        super().__init__(message)
        rule = RULES[error_type]
        self.type = error_type
        self.rule = rule
        self.message = message
        self.status = rule.http if status is None else status
        self.code = code or rule.code or str(error_type)
        self.param = param
        self.retry_after = retry_after
        self.provider = provider
        self.allow = allow
        self.silent = silent
        self.lasting = lasting
        self.headers: Mapping[str, str] = {}  # that the answer carries, beside those which every error has
        self.told = False  # as the failure of an attempt
        self.model: str | None = None  # the provider's own name of the one that failed
        self.attempts: int | None = None  # of the call that ended in this; None: it never became one
        self.cache: str | None = None  # and whether its answer could have been kept
        self.gave_up = False  # set where we have retried in vain, so that the caller's SDK does not multiply it

    def forgetting(self) -> Self:
        """The same without the way it came: who keeps it would keep all that was there, such as a body of 16 MiB."""
        self.__traceback__ = self.__cause__ = self.__context__ = None
        return self

    @property
    def ends_the_call(self) -> bool:
        """Whether the call is over whoever might still answer it: the client has left, or we end it."""
        return self.type is ErrorType.CANCELLED or self.type is ErrorType.SHUTTING_DOWN

    @property
    def counts_as(self) -> Status:
        """The `status` label. A provider's 429, or its not knowing a configured model, is our trouble."""
        if self.provider is not None and self.type is ErrorType.RATE_LIMITED:
            return Status.ERROR
        if self.type is ErrorType.MODEL_NOT_FOUND and self.status >= 500:
            return Status.ERROR
        return self.rule.counts_as


def invalid(message: str, param: str | None = None, *, status: int = 400, code: str | None = None) -> GatewayError:
    """The body is refused, by us: says what is wrong, and which field."""
    return GatewayError(ErrorType.INVALID_REQUEST, message, param=param, status=status, code=code)
