"""PromQL, piece by piece. Every selector takes the dashboard's cluster, job and instance.

The matchers of clusters and the like are `=~`, so that several values and "All" work; `.*` matches a series without the
label, too.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.metrics.catalogue import PREFIX

HERE = 'cluster=~"$cluster", job=~"$job", instance=~"$instance"'
WINDOW = "$__rate_interval"  # of the data source: at least four scrapes
RANGE = "$__range"  # what the dashboard shows

#: Matchers. Who was asked is neither `cache` (answered without anybody) nor `none` (refused before there was anybody).
PROVIDERS = 'provider=~"$provider"'
THE_PROVIDER = 'provider="$provider"'
ASKED = 'provider!~"cache|none"'
MODELS = 'model=~"$model"'
TENANTS = 'tenant=~"$tenant"'
FAILED = 'status="error"'
JUDGED = 'status=~"success|error"'  # what callers did wrong, gave up or were refused for their limits is not judged
PLAIN = 'streaming="false"'
STREAMED = 'streaming="true"'
LOOKUPS = ('operation="get"', 'result=~"hit|miss"')
HITS = ('operation="get"', 'result="hit"')


@dataclass(frozen=True, slots=True)
class Query:
    """`legend` is Grafana's: {{label}} is the label's value."""

    legend: str
    expr: str


def metric(name: str, *matchers: str) -> str:
    return f"{PREFIX}{name}{{{', '.join((HERE, *matchers))}}}"


def rate(name: str, *matchers: str) -> str:
    """A second."""
    return f"rate({metric(name, *matchers)}[{WINDOW}])"


def increase(name: str, *matchers: str, over: str = RANGE) -> str:
    return f"increase({metric(name, *matchers)}[{over}])"


def total(expr: str, *by: str) -> str:
    return f"sum by ({', '.join(by)}) ({expr})" if by else f"sum({expr})"


def least(expr: str, *by: str) -> str:
    return f"min by ({', '.join(by)}) ({expr})" if by else f"min({expr})"


def most(expr: str, *by: str) -> str:
    return f"max by ({', '.join(by)}) ({expr})" if by else f"max({expr})"


def mean(expr: str, *by: str) -> str:
    return f"avg by ({', '.join(by)}) ({expr})" if by else f"avg({expr})"


def quantile(q: float, name: str, *matchers: str, by: tuple[str, ...] = ()) -> str:
    return f"histogram_quantile({q}, {total(rate(name + '_bucket', *matchers), 'le', *by)})"


def quantiles(name: str, *matchers: str) -> tuple[Query, Query, Query]:
    return (
        Query("p50", quantile(0.5, name, *matchers)),
        Query("p95", quantile(0.95, name, *matchers)),
        Query("p99", quantile(0.99, name, *matchers)),
    )


def share(name: str, part: tuple[str, ...], whole: tuple[str, ...], by: tuple[str, ...] = ()) -> str:
    return f"{total(rate(name, *part), *by)} / {total(rate(name, *whole), *by)}"
