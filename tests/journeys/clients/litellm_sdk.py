"""LiteLLM as a client, in both languages."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it fetches its price list at import

import litellm  # type: ignore[import-not-found] # in an environment of its own

from tests.journeys.clients.told import Job, run

ASK = [{"role": "user", "content": "two words"}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "Weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
            },
        },
    }
]


def work(job: Job) -> None:
    for language, base in (("openai", f"{job.url}/v1"), ("litellm_proxy", f"{job.url}/v1"), ("anthropic", job.url)):
        for upstream in job.upstreams:
            speak(job, language, base, upstream)
    job.see("embed", "up", "e", lambda m: embedded(job, m))


def speak(job: Job, language: str, base: str, upstream: str) -> None:
    def ask(model: str, **more: Any) -> Any:
        return litellm.completion(
            model=f"{language}/{model}", api_base=base, api_key=job.key, messages=ASK, max_tokens=99, **more
        )

    def whole(model: str, **more: Any) -> Any:
        return shown(ask(model, **more))

    def streamed(model: str, **more: Any) -> Any:
        chunks = list(ask(model, stream=True, stream_options={"include_usage": True}, **more))
        return shown(litellm.stream_chunk_builder(chunks, messages=ASK))

    job.see(f"{language} chat", upstream, "words-5", whole)
    job.see(f"{language} stream", upstream, "words-5", streamed)
    if upstream != "simulated":
        job.see(f"{language} tools", upstream, "tools-2", lambda m: whole(m, tools=TOOLS))
        job.see(f"{language} tools streamed", upstream, "tools-2", lambda m: streamed(m, tools=TOOLS))
        job.see(f"{language} bad request", upstream, "fault-400", whole)


def embedded(job: Job, model: str) -> Any:
    answer = litellm.embedding(model=f"openai/{model}", api_base=f"{job.url}/v1", api_key=job.key, input=["a", "b"])
    return [one["embedding"] for one in answer.data]


def shown(completion: Any) -> dict[str, Any]:
    choice = completion.choices[0]
    return {
        "text": choice.message.content,
        "finish": choice.finish_reason,
        "calls": [
            {"name": call.function.name, "arguments": call.function.arguments}
            for call in choice.message.tool_calls or ()
        ],
        "usage": completion.usage.model_dump(),
    }


if __name__ == "__main__":
    run(version("litellm"), work)
