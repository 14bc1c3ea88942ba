"""What a Claude model takes of temperature, top_p and top_k, wherever it runs."""

from __future__ import annotations

from collections.abc import Mapping

from app.providers.claude import Claude, Sampling

_NEUTRAL: Mapping[str, float] = {"temperature": 1, "top_p": 1}
_THINKING_TOP_P = 0.95  # the least that is taken together with thinking


def sampled(given: Mapping[str, float], row: Claude, *, thinks: bool) -> tuple[dict[str, float], list[str]]:
    """What to send, and the names of what that does not say. OpenAI's temperatures go to 2, Anthropic's to 1."""
    kept = dict(given)
    if row.sampling is Sampling.NONE:
        kept = {}
    elif thinks:  # which has a temperature of its own, 1
        kept = {"top_p": given["top_p"]} if given.get("top_p", 0) >= _THINKING_TOP_P else {}
    elif row.sampling is Sampling.ONE and "temperature" in kept:
        kept.pop("top_p", None)
    if kept.get("temperature", 0) > 1:
        kept["temperature"] = 1
    return kept, [name for name, value in given.items() if kept.get(name, _NEUTRAL.get(name)) != value]
