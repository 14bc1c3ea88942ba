"""OpenAI's SDK with the retries that it has by itself, in front of a provider that always fails."""

from __future__ import annotations

from collections import Counter

import openai

from tests.soak.caller import many
from tests.soak.report import Report
from tests.soak.scene import NEVER, gateway
from tests.standin import StandIn

FAULTS = ("fault-500", "fault-503", "fault-reset", "fault-badjson", "fault-429-afterms-300", "fault-hang")
MOST = 3
THREADS = 8


def run(calls: int = 50) -> Report:
    """`calls`: for each way to fail, half of them streamed."""
    report = Report(f"an SDK that retries, {calls} calls for each way to fail, one target")
    models = {fault: {"targets": [f"{fault}/{fault}"], "timeouts": {"first_byte": 0.5}} for fault in FAULTS}
    with StandIn() as standin, gateway(dict.fromkeys(FAULTS, standin.port), models, breaker=NEVER) as server:
        with openai.OpenAI(base_url=f"{server.url}/v1", api_key="sk-none") as sdk:

            def call(number: int) -> str:
                fault = FAULTS[number % len(FAULTS)]
                stream = number // len(FAULTS) % 2 == 1
                try:
                    sdk.chat.completions.create(
                        model=fault, messages=[{"role": "user", "content": f"call {number}"}], stream=stream
                    )
                except openai.APIStatusError as error:
                    return f"{error.status_code}"
                return "answered"

            ended = many(calls * len(FAULTS), THREADS, call)
        asked = Counter(one.json["messages"][0]["content"] for one in standin.journal.requests())
    for number, fault in enumerate(FAULTS):
        mine = [asked[f"call {each}"] for each in range(number, calls * len(FAULTS), len(FAULTS))]
        told = (
            f"{max(mine)} at most, {sum(mine) / len(mine):.2f} on average, ends in {set(ended[number :: len(FAULTS)])}"
        )
        report.tell(f"{fault}: provider calls a call", told, good=max(mine) <= MOST, wanted=f"at most {MOST}")
    return report
