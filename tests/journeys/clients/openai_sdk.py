"""OpenAI's own SDK, any version with `chat.completions.parse`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import openai
from pydantic import BaseModel

from tests.journeys.clients.told import Job, run

ASK: list[Any] = [{"role": "user", "content": "two words"}]
JSON: list[Any] = [{"role": "user", "content": '{"city": "世界", "degrees": 7}'}]
LONG = "x" * 200_000


class Weather(BaseModel):
    """Say how warm it is."""

    city: str
    degrees: int


def work(job: Job) -> None:
    base = f"{job.url}/v1"
    with openai.OpenAI(base_url=base, api_key=job.key, _strict_response_validation=True) as client:
        for upstream in job.upstreams:
            chat(job, client, upstream)
        for name, model, stream in job.faults:
            job.note(name, lambda: met(client, model, stream))  # noqa: B023 - called at once
        job.note("models", lambda: listed(client))
        job.note("model", lambda: client.models.retrieve("simulated").model_dump())
        job.note("no such model", lambda: client.models.retrieve("nothing"))
        job.note("unknown model", lambda: ask(client, "nothing"))
        job.note("too large", lambda: ask(client, "simulated", LONG))
    with openai.OpenAI(base_url=base, api_key=job.key) as client:  # its types forbid what OpenAI itself sends here
        for upstream in job.upstreams:
            others(job, client, upstream)
            respond(job, client, upstream)
    with openai.OpenAI(base_url=base, api_key="wrong") as client:
        job.note("wrong key", lambda: ask(client, "simulated"))
    with openai.OpenAI(base_url=base, api_key=job.guest) as client:
        job.note("guest's models", lambda: [one.id for one in client.models.list()])
        job.note("guest's limits", lambda: ask(client, "other"))


def ask(client: openai.OpenAI, model: str, content: str = "two words", **more: Any) -> Any:
    messages: list[Any] = [{"role": "user", "content": content}]
    answer = client.chat.completions.with_raw_response.create(model=model, messages=messages, **more)
    return {"headers": dict(answer.headers), "answer": answer.parse().model_dump()}


def chat(job: Job, client: openai.OpenAI, upstream: str) -> None:
    completions = client.chat.completions
    tools: Any = [openai.pydantic_function_tool(Weather)]
    usage: Any = {"include_usage": True}

    def stream(model: str, **more: Any) -> Any:
        return streamed(completions.create(model=model, messages=ASK, stream=True, **more))

    def folded(model: str, messages: list[Any], **more: Any) -> Any:
        with completions.stream(model=model, messages=messages, **more) as events:
            return final(events.get_final_completion())

    def parsed(model: str) -> Any:
        return final(completions.parse(model=model, messages=JSON, response_format=Weather))

    job.see("chat", upstream, "words-5", lambda m: ask(client, m))
    job.see("stream", upstream, "words-5", stream)
    if upstream == "simulated":  # it says the same whatever it is asked
        return
    job.see("end without a reason", upstream, "fault-nofinish", stream)
    job.see("usage", upstream, "words-5", lambda m: stream(m, stream_options=usage))
    job.see("tools", upstream, "tools-2", lambda m: final(completions.parse(model=m, messages=ASK, tools=tools)))
    job.see("tools folded", upstream, "words-2-tools-2", lambda m: folded(m, ASK, tools=tools, stream_options=usage))
    job.see("parse", upstream, "echo", parsed)
    job.see("parse folded", upstream, "echo", lambda m: folded(m, JSON, response_format=Weather))
    job.see("reasoning", upstream, "words-2-reasoning-3", lambda m: ask(client, m))
    job.see("length", upstream, "finish-length", lambda m: ask(client, m))
    job.see("two answers", upstream, "words-2", lambda m: ask(client, m, n=2))
    job.see("dropped", upstream, "words-2", lambda m: ask(client, m, seed=7, store=True))


def respond(job: Job, client: openai.OpenAI, upstream: str) -> None:
    def streamed_(model: str) -> Any:
        events = list(client.responses.create(model=model, input="two words", stream=True))
        return {
            "text": "".join(e.delta for e in events if e.type == "response.output_text.delta"),
            "end": events[-1].type,
        }

    def folded(model: str) -> Any:
        with client.responses.stream(model=model, input=JSON[0]["content"], text_format=Weather) as events:
            return events.get_final_response().output_parsed

    job.see("respond", upstream, "words-5", lambda m: client.responses.create(model=m, input="two words").output_text)
    job.see("respond streamed", upstream, "words-5", streamed_)
    if upstream != "simulated":  # it says the same whatever it is asked
        job.see("respond parsed", upstream, "echo", lambda m: (folded(m) or Weather(city="", degrees=0)).model_dump())


def met(client: openai.OpenAI, model: str, stream: bool) -> Any:
    if not stream:
        return ask(client, model)
    return streamed(client.chat.completions.create(model=model, messages=ASK, stream=True))


def listed(client: openai.OpenAI) -> Any:
    answer = client.models.with_raw_response.list()
    return {"headers": dict(answer.headers), "ids": [one.id for one in answer.parse()]}


def others(job: Job, client: openai.OpenAI, upstream: str) -> None:
    job.see("embed", upstream, "e", lambda m: client.embeddings.create(model=m, input=["a", "b"]).model_dump())
    job.see(
        "embed floats",
        upstream,
        "e",
        lambda m: client.embeddings.create(model=m, input="a", encoding_format="float", dimensions=4).model_dump(),
    )
    job.see("complete", upstream, "words-3", lambda m: client.completions.create(model=m, prompt="x").model_dump())
    job.see(
        "complete streamed",
        upstream,
        "words-3",
        lambda m: "".join(c.choices[0].text for c in client.completions.create(model=m, prompt="x", stream=True)),
    )
    job.see("moderate", upstream, "m", lambda m: client.moderations.create(model=m, input="bad").model_dump())


def streamed(chunks: Iterable[Any]) -> dict[str, Any]:
    """What a caller who loops over a stream has in the end; an error keeps what came before it."""
    seen: dict[str, Any] = {"text": "", "usages": [], "finishes": [], "ids": [], "chunks": 0}
    try:
        for chunk in chunks:
            seen["chunks"] += 1
            seen["ids"] = sorted({*seen["ids"], chunk.id})
            seen["usages"] += [chunk.usage.model_dump()] if chunk.usage else []
            for choice in chunk.choices:
                seen["text"] += choice.delta.content or ""
                seen["finishes"] += [choice.finish_reason] if choice.finish_reason else []
    except openai.APIError as error:
        error.add_note(seen["text"])
        raise
    return seen


def final(completion: Any) -> dict[str, Any]:
    """A folded or parsed completion with what the SDK made of its JSON."""
    message = completion.choices[0].message
    return {
        "finish": completion.choices[0].finish_reason,
        "content": message.content,
        "parsed": message.parsed.model_dump() if message.parsed else None,
        "calls": [
            {"id": call.id, "name": call.function.name, "arguments": call.function.parsed_arguments.model_dump()}
            for call in message.tool_calls or ()
        ],
        "usage": completion.usage.model_dump() if completion.usage else None,
    }


if __name__ == "__main__":
    run(openai.__version__, work)
