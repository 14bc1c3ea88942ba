"""The clients' own books: what the counters must be, from what was seen, `name{values}` to how much."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.metrics.catalogue import everything
from tests.metrics.page import Page
from tests.metrics.truth.clients import Seen
from tests.metrics.truth.kinds import CUT, PRICE, Kind


class Books(dict[str, float]):
    """Series to values; what is not there is 0."""

    def __missing__(self, name: str) -> float:
        return 0

    def add(self, other: Books, times: int = 1) -> None:
        for name, value in other.items():
            self[name] += times * value

    def at_most(self, other: Books) -> None:
        """The larger of the two, series by series."""
        for name, value in other.items():
            self[name] = max(self[name], value)


_OURS = ("unknown", "surrogate", "notjson", "stranger")
_REFUSED = {
    "unknown": "model_not_found",
    "surrogate": "invalid_request",
    "notjson": "invalid_request",
    "stranger": "client_authentication",
}
_MILLION = 1e6

#: What is compared.
COMPARED = (
    *("requests_total", "errors_total", "tenant_requests_total", "streams_total", "upstream_attempts_total"),
    *(
        "retries_total",
        "fallbacks_total",
        "client_disconnects_total",
        "rate_limit_hits_total",
        "cache_operations_total",
    ),
    *("request_duration_seconds_count", "ttft_seconds_count", "tokens_total", "tenant_tokens_total"),
    *("cost_usd_total", "tenant_cost_usd_total", "tokens_estimated_total"),
)
_LABELS = {metric.short: metric.labels for metric in everything()}


def expected(seen: Seen) -> Books:
    """What this call has added."""
    kind, books = seen.kind, Books()
    stream = str(kind.stream).lower()
    model, provider, status = _label(kind), _provider(seen), _status(seen)
    books[f"requests_total{{{model},{provider},{status},{stream}}}"] = 1
    if kind.name not in ("notjson", "stranger", "surrogate"):
        books[f"tenant_requests_total{{{kind.tenant},{status}}}"] = 1
    if status in ("success", "error"):
        books[f"request_duration_seconds_count{{{model},{provider},{stream}}}"] = 1
    if kind.name in _OURS:
        books[f"errors_total{{none,{_REFUSED[kind.name]}}}"] = 1
        return books
    if provider == "none":
        books[f"errors_total{{none,{_type(seen)}}}"] = 1
        if kind.tenant == "small":
            books["rate_limit_hits_total{small,requests}"] = 1
        return books
    if kind.stream:
        _streamed(books, seen, provider)
    if kind.settings.get("cache"):
        hit = seen.cache == "hit"
        books[f"cache_operations_total{{get,{'hit' if hit else 'miss'}}}"] = 1
        if not hit:
            books["cache_operations_total{set,ok}"] = 1
    if provider != "cache":
        _attempted(books, seen, model)
        _charged(books, seen, model, provider)
    return books


def possible(kind: Kind, all_of_it: Sequence[Seen]) -> Books:
    """What a lost call of this kind may have added: whatever others of the kind did."""
    books = Books()
    for seen in all_of_it:
        if seen.kind is kind:
            books.at_most(expected(seen))
    return books


def counted(page: Page) -> Books:
    books = Books()
    for name in COMPARED:
        for labels, value in page.series(name):
            values = ",".join(labels[label] for label in _LABELS[name.removesuffix("_count")])
            if value:
                books[f"{name}{{{values}}}"] = value
    return books


def differences(counted: Books, sure: Books, unsure: Books) -> Iterator[str]:
    """Series that are not what they must be: at least what is sure, at most what is unsure more."""
    for name in sorted({*counted, *sure}):
        least, most = sure[name], sure[name] + unsure[name]
        if not least - 1e-9 <= counted[name] <= most + 1e-9:
            yield f"{name} is {counted[name]}, not {least}" + (f" to {most}" if most > least else "")


def _label(kind: Kind) -> str:
    return "other" if kind.name in _OURS else kind.name


def _provider(seen: Seen) -> str:
    if seen.cache == "hit":
        return "cache"
    if seen.provider is not None:  # an error names whom it tells of; the call counts where it was last asked
        return seen.kind.providers[-1]
    return seen.kind.providers[0] if _type(seen) == "circuit_open" else "none"


def _type(seen: Seen) -> str:
    renamed = {
        "rate_limit_exceeded": "rate_limited",
        "context_length_exceeded": "context_length",
        "invalid_api_key": "client_authentication",
    }
    return renamed.get(seen.code or "", seen.code or "")


def _status(seen: Seen) -> str:
    if seen.left:
        return "cancelled"
    if seen.code is None:
        return "success"
    if _type(seen) == "rate_limited" and seen.provider is None:
        return "rate_limited"
    return "client_error" if 400 <= seen.http < 500 and _type(seen) != "rate_limited" else "error"


def _streamed(books: Books, seen: Seen, provider: str) -> None:
    kind = seen.kind
    outcome = "complete"
    if seen.left:
        outcome = "client_gone"
        books[f"client_disconnects_total{{{provider},streaming}}"] = 1
    elif seen.code is not None:
        outcome = "truncated" if seen.content else "upstream_error"
    elif kind.fails:
        outcome = "rescued"
    books[f"streams_total{{{provider},{outcome}}}"] = 1
    if seen.content:
        books[f"ttft_seconds_count{{{kind.name},{kind.providers[0]}}}"] = 1


def _attempted(books: Books, seen: Seen, model: str) -> None:
    kind = seen.kind
    if _type(seen) == "circuit_open":
        books[f"errors_total{{{kind.providers[0]},circuit_open}}"] = 1
        return
    repeats = 2 if kind.name == "broken" and seen.attempts == 2 else 1  # the same failure twice
    fails = kind.fails * repeats
    for provider, failure in fails:
        books[f"errors_total{{{provider},{failure}}}"] += 1
        books[f"upstream_attempts_total{{{provider},{model},{failure}}}"] += 1
    asked = [provider for provider, _ in fails]
    if seen.code is None or seen.left:
        last = kind.providers[-1]
        asked.append(last)
        books[f"upstream_attempts_total{{{last},{model},{'cancelled' if seen.left else 'success'}}}"] += 1
    for (here, failure), there in zip(fails, asked[1:], strict=False):
        same = here == there
        books[f"retries_total{{{here},{failure}}}" if same else f"fallbacks_total{{{here},{there},{failure}}}"] += 1


def _charged(books: Books, seen: Seen, model: str, provider: str) -> None:
    """Tokens and money; of what a client left nobody outside knows how much there was."""
    kind = seen.kind
    if seen.left:
        return
    cut = kind.fails[:1] == ((provider, "stream_interrupted"),)
    read, made = (seen.guess, CUT) if cut else (0, 0)  # by the attempt that broke
    if cut:
        books[f"tokens_estimated_total{{{model},{provider}}}"] = read + made
    mine = (read, made) if cut and seen.code is not None else (seen.input, seen.output)
    for name, tokens in ((f"{model},{provider}", (seen.input + read, seen.output + made)), (kind.tenant, mine)):
        prefix = "tenant_" if name == kind.tenant else ""
        for what, amount in zip(("input", "output"), tokens, strict=True):
            if amount:
                books[f"{prefix}tokens_total{{{name},{what}}}"] = amount
        cost = (tokens[0] * PRICE["input"] + tokens[1] * PRICE["output"]) / _MILLION
        if cost:
            books[f"{prefix}cost_usd_total{{{name}}}"] = cost
