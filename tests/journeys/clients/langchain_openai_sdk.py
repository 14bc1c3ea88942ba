"""LangChain's ChatOpenAI and OpenAIEmbeddings."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from langchain_core.messages import ToolMessage  # type: ignore[import-not-found] # in an environment of its own
from langchain_openai import ChatOpenAI, OpenAIEmbeddings  # type: ignore[import-not-found] # in an environment of its own
from pydantic import BaseModel, SecretStr

from tests.journeys.clients.told import Job, run


class Weather(BaseModel):
    """Say how warm it is."""

    city: str
    degrees: int


def work(job: Job) -> None:

    def chat(model: str, **more: Any) -> Any:
        return ChatOpenAI(model=model, base_url=f"{job.url}/v1", api_key=SecretStr(job.key), **more)

    def whole(model: str) -> Any:
        message = chat(model).invoke("two words")
        return {"text": message.content, "usage": message.usage_metadata, "finish": message.response_metadata}

    def streamed(model: str) -> Any:
        folded: Any = None
        for chunk in chat(model, stream_usage=True).stream("two words"):
            folded = chunk if folded is None else folded + chunk
        return {"text": folded.content, "usage": folded.usage_metadata, "calls": folded.tool_calls}

    def called(model: str, stream: bool) -> Any:
        bound = chat(model).bind_tools([Weather])
        folded: Any = None
        for chunk in bound.stream("two words") if stream else [bound.invoke("two words")]:
            folded = chunk if folded is None else folded + chunk
        return {"calls": folded.tool_calls, "text": folded.content}

    def structured(model: str) -> Any:
        found = chat(model).with_structured_output(Weather, method="json_schema")
        return found.invoke('{"city": "世界", "degrees": 7}').model_dump()

    for upstream in job.upstreams:
        job.see("chat", upstream, "words-5", whole)
        job.see("stream", upstream, "words-5", streamed)
        if upstream == "simulated":  # it says the same whatever it is asked
            continue
        job.see("tools", upstream, "tools-2", lambda m: called(m, False))
        job.see("tools streamed", upstream, "tools-2", lambda m: called(m, True))
        job.see("responses", upstream, "words-2-tools-2", lambda m: responses(job, m, False))
        job.see("responses streamed", upstream, "words-2-tools-2", lambda m: responses(job, m, True))
        job.see("structured", upstream, "echo", structured)
        job.see("bad request", upstream, "fault-400", whole)
    job.see(
        "embed",
        "up",
        "e",
        lambda m: OpenAIEmbeddings(
            model=m, base_url=f"{job.url}/v1", api_key=SecretStr(job.key), check_embedding_ctx_length=False
        ).embed_documents(["a", "b"]),
    )


def responses(job: Job, model: str, stream: bool) -> Any:
    """By the Responses API, with a tool that is called and answered."""
    key = SecretStr(job.key)
    bound = ChatOpenAI(model=model, base_url=f"{job.url}/v1", api_key=key, use_responses_api=True).bind_tools([Weather])
    said: list[Any] = [("human", "two words")]
    folded: Any = None
    for chunk in bound.stream(said) if stream else [bound.invoke(said)]:
        folded = chunk if folded is None else folded + chunk
    results = [ToolMessage("warm", tool_call_id=call["id"]) for call in folded.tool_calls]
    last = bound.invoke([*said, folded, *results])
    return {"calls": folded.tool_calls, "text": folded.text, "usage": folded.usage_metadata, "then": last.text}


if __name__ == "__main__":
    run(version("langchain-openai"), work)
