"""Anthropic's own SDK: 1.x sends its key as x-api-key, 2.x as Bearer, and each can be told to do the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import anthropic

from tests.journeys.clients.told import Job, run

ASK: list[Any] = [{"role": "user", "content": "two words"}]
TOOLS: list[Any] = [
    {
        "name": "Weather",
        "description": "Say how warm it is.",
        "input_schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
            "required": ["city", "degrees"],
        },
    }
]
THINKING: Any = {"type": "enabled", "budget_tokens": 1024}
LONG = "x" * 200_000


def work(job: Job) -> None:
    with anthropic.Anthropic(base_url=job.url, api_key=job.key, _strict_response_validation=True) as client:
        for upstream in job.upstreams:
            messages(job, client, upstream)
        for name, model, stream in job.faults:
            job.note(name, lambda: met(client, model, stream))  # noqa: B023 - called at once
        job.note("models", lambda: listed(client))
        job.note("model", lambda: client.models.retrieve("simulated").model_dump())
        job.note("no such model", lambda: client.models.retrieve("nothing"))
        job.note("unknown model", lambda: ask(client, "nothing"))
        job.note("too large", lambda: ask(client, "simulated", LONG))
        job.note("batches", client.messages.batches.list)
    for case, header in (("Authorization", f"Bearer {job.key}"), ("X-Api-Key", job.key)):
        with anthropic.Anthropic(base_url=job.url, api_key="none", default_headers=only(case, header)) as client:
            job.see(f"key as {case}", "claude", "words-1", lambda m: ask(client, m))
    with anthropic.Anthropic(base_url=job.url, api_key="wrong") as client:
        job.note("wrong key", lambda: ask(client, "simulated"))
    with anthropic.Anthropic(base_url=job.url, api_key=job.guest) as client:
        job.note("guest's models", lambda: [one.id for one in client.models.list()])
        job.note("guest's limits", lambda: ask(client, "other"))


def only(name: str, value: str) -> Any:
    return {"Authorization": anthropic.Omit(), "X-Api-Key": anthropic.Omit(), name: value}


def ask(client: anthropic.Anthropic, model: str, content: str = "two words", **more: Any) -> Any:
    given: list[Any] = [{"role": "user", "content": content}]
    answer = client.messages.with_raw_response.create(model=model, messages=given, max_tokens=2000, **more)
    return {"headers": dict(answer.headers), "answer": answer.parse().model_dump()}


def messages(job: Job, client: anthropic.Anthropic, upstream: str) -> None:
    def folded(model: str, **more: Any) -> Any:
        with client.messages.stream(model=model, messages=ASK, max_tokens=2000, **more) as events:
            return events.get_final_message().model_dump()

    def raw(model: str, **more: Any) -> Any:
        return streamed(client.messages.create(model=model, messages=ASK, max_tokens=2000, stream=True, **more))

    def counted(model: str) -> Any:
        answer = client.messages.with_raw_response.count_tokens(model=model, messages=ASK, system="three more words")
        return {"headers": dict(answer.headers), "answer": answer.parse().model_dump()}

    job.see("message", upstream, "words-5", lambda m: ask(client, m))
    job.see("stream", upstream, "words-5", raw)
    if upstream == "simulated":  # it says the same whatever it is asked
        return
    job.see("folded", upstream, "words-5-cached-4", folded)
    job.see("tools", upstream, "tools-2", lambda m: ask(client, m, tools=TOOLS))
    job.see("tools folded", upstream, "words-2-tools-2", lambda m: folded(m, tools=TOOLS))
    job.see("thinking", upstream, "words-2-reasoning-3", lambda m: ask(client, m, thinking=THINKING))
    job.see("thinking folded", upstream, "words-2-reasoning-3", lambda m: folded(m, thinking=THINKING))
    job.see("length", upstream, "finish-length", lambda m: ask(client, m))
    job.see("count", upstream, "plain", counted)
    job.see("dropped", upstream, "words-2", lambda m: ask(client, m, extra_body={"top_k": 7}))


def met(client: anthropic.Anthropic, model: str, stream: bool) -> Any:
    if not stream:
        return ask(client, model)
    return streamed(client.messages.create(model=model, messages=ASK, max_tokens=99, stream=True))


def listed(client: anthropic.Anthropic) -> Any:
    answer = client.models.with_raw_response.list()
    return {"headers": dict(answer.headers), "ids": [one.id for one in answer.parse()]}


def streamed(events: Iterable[Any]) -> dict[str, Any]:
    """What a caller who loops over the events has in the end; an error keeps what came before it."""
    seen: dict[str, Any] = {"text": "", "events": []}
    try:
        for event in events:
            seen["events"] = seen["events"] + [event.type] if [event.type] != seen["events"][-1:] else seen["events"]
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                seen["text"] += event.delta.text
            if event.type == "message_delta":
                seen["finish"], seen["usage"] = event.delta.stop_reason, event.usage.model_dump()
    except anthropic.APIError as error:
        error.add_note(seen["text"])
        raise
    return seen


if __name__ == "__main__":
    run(anthropic.__version__, work)
