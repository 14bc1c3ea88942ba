"""A view as lines of a terminal, and as JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict

from app.core.json import Json
from app.top.view import ProviderView, TenantView, Traffic, View

BOLD, DIM, RED, YELLOW, GREEN, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[0m"
CLEAR = "\x1b[H\x1b[J"  # from the first line on

_TRAFFIC = ("CALLS/S", "ERRORS", "P50", "P95", "TTFT P95")
_PROVIDER = ("PROVIDER", "HEALTH", "BREAKER", "ACTIVE", *_TRAFFIC, "TOK/S", "TRIES/S", "FAILED/S", "RETRIES/S")
_TENANT = ("TENANT", "CALLS/S", "TOKENS/S", "USD/H", "REFUSED/S")

_BAD_SHARE, _POOR_SHARE = 0.2, 0.05  # of errors: the thresholds of the alerts


def as_json(view: View) -> Json:
    found = asdict(view)
    found["models"] = [{"name": name, "traffic": asdict(traffic)} for name, traffic in view.models]
    return found


class Screen:
    """`colours`: whether the terminal understands them. `rows`: of models and tenants at most."""

    def __init__(self, *, colours: bool, rows: int = 12) -> None:
        self._colours = colours
        self._rows = rows

    def fitted(self, view: View, columns: int, lines: int) -> str:
        """For a terminal of this size, from its first line on."""
        shown = (line if _width(line) <= columns else _bare(line)[:columns] for line in self.lines(view)[: lines - 1])
        return CLEAR + "\n".join(shown)

    def lines(self, view: View) -> list[str]:
        return [
            *self._head(view),
            "",
            *self._table(_PROVIDER, [self._provider(provider) for provider in view.providers]),
            *self._more(view),
        ]

    def _head(self, view: View) -> list[str]:
        workers = ", ".join(f"{count} {state}" for state, count in sorted(view.workers.items()))
        up = _span(time.time() - view.since)
        lines = [
            self._dyed(BOLD, f"llm-gateway {view.version}") + f"  up {up}  config {view.config}  workers: {workers}",
            f"in flight {view.in_flight:.0f} of {view.capacity:.0f}"
            f"   calls/s {_number(view.traffic.calls)}   errors {self._share(view.traffic.errors)}"
            f"   p50 {_time(view.traffic.p50)}   p95 {_time(view.traffic.p95)}"
            f"   first token p95 {_time(view.traffic.first_token)}",
            f"tokens/s {_number(view.input_tokens)} in, {_number(view.output_tokens)} out   USD/h {view.usd:.4g}"
            f"   cache hits {_percent(view.cache_hits)}   refused by limits/s {_number(view.refused)}"
            + self._dyed(DIM, f"   (the last {view.seconds:.0f} s)"),
        ]
        if view.config_error is not None:
            first = view.config_error.splitlines()[0] if view.config_error else "unreadable"
            lines.append(self._dyed(RED, f"the newest configuration is not in force: {first}"))
        return lines

    def _provider(self, provider: ProviderView) -> list[str]:
        return [
            provider.name,
            self._health(provider.healthy),
            self._breaker(provider.breaker),
            f"{provider.active:.0f}",
            *self._traffic(provider.traffic),
            _number(provider.tokens_per_second),
            _number(provider.attempts),
            _number(provider.failed),
            _number(provider.retries),
        ]

    def _more(self, view: View) -> list[str]:
        lines: list[str] = []
        if view.models:
            rows = [[name, *self._traffic(traffic)] for name, traffic in view.models[: self._rows]]
            lines += ["", *self._table(("MODEL", *_TRAFFIC), rows)]
        busy = sorted(view.tenants, key=lambda tenant: -tenant.calls)[: self._rows]
        if busy:
            lines += ["", *self._table(_TENANT, [_tenant(tenant) for tenant in busy])]
        return lines

    def _table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
        """The first column to the left, the others to the right. Colours take no room."""
        widths = [max(_width(row[at]) for row in (head, *rows)) for at in range(len(head))]

        def line(cells: Sequence[str]) -> str:
            fitted = (
                cell + " " * (width - _width(cell)) if at == 0 else " " * (width - _width(cell)) + cell
                for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
            )
            return "  ".join(fitted)

        return [self._dyed(BOLD, line(head)), *map(line, rows)]

    def _traffic(self, traffic: Traffic) -> list[str]:
        times = (_time(traffic.p50), _time(traffic.p95), _time(traffic.first_token))
        return [_number(traffic.calls), self._share(traffic.errors), *times]

    def _share(self, share: float | None) -> str:
        if share is None or share <= _POOR_SHARE:
            return _percent(share)
        return self._dyed(RED if share > _BAD_SHARE else YELLOW, _percent(share))

    def _health(self, healthy: bool | None) -> str:
        if healthy is None:
            return "-"
        return self._dyed(GREEN, "well") if healthy else self._dyed(RED, "ill")

    def _breaker(self, state: str) -> str:
        return state if state == "closed" else self._dyed(RED if state == "open" else YELLOW, state)

    def _dyed(self, colour: str, text: str) -> str:
        return f"{colour}{text}{PLAIN}" if self._colours else text


def _tenant(tenant: TenantView) -> list[str]:
    rates = (_number(tenant.calls), _number(tenant.tokens), f"{tenant.usd:.4g}", _number(tenant.refused))
    return [tenant.name, *rates]


def _bare(text: str) -> str:
    for code in (BOLD, DIM, RED, YELLOW, GREEN, PLAIN):
        text = text.replace(code, "")
    return text


def _width(text: str) -> int:
    return len(_bare(text))


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 or value == 0 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1e3:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _span(seconds: float) -> str:
    minutes = int(max(seconds, 0) // 60)
    days, hours = divmod(minutes // 60, 24)
    return f"{days} d {hours} h" if days else f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
