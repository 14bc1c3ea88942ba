"""The cases of the alerts about errors."""

from __future__ import annotations

from app.metrics.catalogue import PREFIX
from tests.monitoring.case import OPENAI, Case, Firing, of


def _calls(status: str, step: int, provider: str = "openai") -> dict[str, str]:
    series = of("requests_total", model="m", provider=provider, status=status, streaming="false")
    return {series: f"0+{step}x40"}


def _errors(kind: str, step: int, provider: str = "openai") -> dict[str, str]:
    return {of("errors_total", provider=provider, error_type=kind): f"0+{step}x40"}


ERRORS = (
    Case(
        "LLMGatewayHighErrorRate",
        "fires at 10 %, of which callers' faults are no part",
        {**_calls("success", 9), **_calls("error", 1), **_calls("client_error", 90), **_calls("rate_limited", 90)},
        {"4m": (), "10m": (Firing(OPENAI, "10%"),)},
    ),
    Case(
        "LLMGatewayHighErrorRate",
        "is silent at 4 %, on clients that leave, and on two failures in a quiet night",
        {
            **_calls("success", 96),
            **_calls("error", 4),
            **_calls("cancelled", 100),
            of("requests_total", model="m", provider="anthropic", status="error", streaming="false"): "0x5 1 2x35",
            of("requests_total", model="m", provider="anthropic", status="success", streaming="false"): "0x5 1x36",
        },
        {"10m": ()},
    ),
    Case(
        "LLMGatewayHighErrorRate",
        "is silent on what the gateway refused by itself",
        _calls("error", 10, "none"),
        {"10m": ()},
    ),
    Case(
        "LLMGatewayCriticalErrorRate",
        "fires at 50 % after two minutes",
        {**_calls("success", 5), **_calls("error", 5)},
        {"4m": (Firing(OPENAI, "50%"),)},
    ),
    Case(
        "LLMGatewayCriticalErrorRate",
        "is silent at 10 %",
        {**_calls("success", 9), **_calls("error", 1)},
        {"10m": ()},
    ),
    Case(
        "LLMGatewayAuthenticationErrors",
        "fires on a refusal every two minutes, for as long as it goes on",
        {
            of("errors_total", provider="openai", error_type="authentication"): " ".join(
                str(number // 4) for number in range(28)
            )
        },
        {"3m": (), "12m": (Firing(OPENAI, "3"),)},
        naive=(f'sum by (provider) (rate({PREFIX}errors_total{{error_type="authentication"}}[5m])) > 0.1',),
    ),
    Case(
        "LLMGatewayAuthenticationErrors",
        "is silent on a single refusal, and on callers with a bad key",
        {
            of("errors_total", provider="openai", error_type="authentication"): "0x4 1x30",
            of("errors_total", provider="none", error_type="client_authentication"): "0+5x30",
            of("errors_total", provider="none", error_type="authentication"): "0+5x30",
        },
        {"5m": (), "12m": ()},
    ),
    Case(
        "LLMGatewayRateLimitErrors",
        "fires at 20 %",
        {**_errors("rate_limited", 2), **_calls("success", 8)},
        {"4m": (), "12m": (Firing(OPENAI, "20"),)},
    ),
    Case(
        "LLMGatewayRateLimitErrors",
        "fires on a provider that refuses everything once a minute, while every call goes elsewhere",
        {
            of("errors_total", provider="openai", error_type="rate_limited"): " ".join(
                str(number // 2) for number in range(40)
            ),
            **_calls("success", 0),
        },
        {"3m": (), "12m": (Firing(OPENAI, "5"),)},
        naive=(
            f'sum by (provider) (rate({PREFIX}errors_total{{error_type="rate_limited"}}[5m])) / '
            f'sum by (provider) (rate({PREFIX}requests_total{{status="success"}}[5m])) > 0.05 < Inf',
        ),
    ),
    Case(
        "LLMGatewayRateLimitErrors",
        "is silent at 1 %, and on our own limits",
        {**_errors("rate_limited", 2), **_calls("success", 200), **_errors("rate_limited", 9, "none")},
        {"12m": ()},
    ),
)
