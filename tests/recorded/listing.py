"""Models that a provider was seen to list, offered by the gateway and listed to its own clients."""

from __future__ import annotations

import json

import anthropic
import httpx2
import openai

from tests.recorded.entries import Entry
from tests.recorded.house import KEY, House
from tests.recorded.official import refused

_RETRIEVED = 5  # of each list: names with slashes, colons and dots are in all of them


def listing_problems(house: House, entry: Entry) -> list[str]:
    """The list as both SDKs see it, and some of its models one by one. No provider is asked."""
    house.provider.journal.clear()
    wanted = [f"{entry.name}/{model}" for model in entry.models]
    told = _openai(house, wanted) + _anthropic(house, wanted)
    asked = house.provider.journal.requests()
    return told + ([f"a provider was asked: {asked}"] if asked else [])


def _openai(house: House, wanted: list[str]) -> list[str]:
    tap = house.tap()
    with httpx2.Client(transport=tap) as http:
        client = openai.OpenAI(api_key=KEY, base_url="http://gateway/v1", http_client=http, max_retries=0)
        shown = {model.id for model in client.models.list()}
        told = [problem for model in json.loads(tap.body)["data"] for problem in refused("model", model)]
        for name in wanted[:_RETRIEVED]:
            if (found := client.models.retrieve(name).id) != name:
                told.append(f"asked for model {name}, found {found}")
    return told + _missing(wanted, shown)


def _anthropic(house: House, wanted: list[str]) -> list[str]:
    tap = house.tap()
    with httpx2.Client(transport=tap) as http:
        client = anthropic.Anthropic(api_key=KEY, base_url="http://gateway", http_client=http, max_retries=0)
        shown = {model.id for model in client.models.list()}
        told = [problem for model in json.loads(tap.body)["data"] for problem in refused("anthropic_model", model)]
        for name in wanted[:_RETRIEVED]:
            if (found := client.models.retrieve(name).id) != name:
                told.append(f"asked for model {name}, found {found}")
    return told + _missing(wanted, shown)


def _missing(wanted: list[str], shown: set[str]) -> list[str]:
    missing = [name for name in wanted if name not in shown]
    return [f"not listed: {missing[:5]} and {len(missing)} in all"] if missing else []
