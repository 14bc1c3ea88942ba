"""The providers' own SDKs talk to a stand-in and tell what they saw: run in an environment of theirs, with its URL.

Nothing of the project is imported but for the names of a key: what these packages take for an answer is one.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

TURN: list[Any] = [{"role": "user", "content": "two words"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
FUNCTION: Any = {"type": "function", "function": {"name": "weather", "description": "How warm?", "parameters": SCHEMA}}
BOOK: dict[str, Any] = {}


def note(name: str, act: Callable[[], Any]) -> None:
    try:
        BOOK[name] = act()
    except Exception as error:  # whatever the SDK raises is what is asked for
        BOOK[name] = {"raised": type(error).__name__, "said": str(error), "status": getattr(error, "status_code", None)}


def bedrock(url: str, keys: tuple[str, str]) -> None:
    import boto3  # type: ignore[import-not-found] # noqa: PLC0415 - in an environment of its own
    from botocore.config import Config  # noqa: PLC0415

    def client(key: str) -> Any:
        return boto3.client(
            "bedrock-runtime",
            region_name="eu-central-1",
            endpoint_url=url,
            aws_access_key_id=key,
            aws_secret_access_key=keys[1],
            config=Config(retries={"total_max_attempts": 1}),
        )

    by = client(keys[0])
    turn = [{"role": "user", "content": [{"text": "two words"}]}]
    spec = {"toolSpec": {"name": "weather", "description": "How warm?", "inputSchema": {"json": SCHEMA}}}

    def whole(model: str) -> Any:
        answer = by.converse(modelId=model, messages=turn, toolConfig={"tools": [spec]})
        told = {name: answer[name] for name in ("output", "stopReason", "usage")}
        return json.loads(json.dumps(told, default=str))

    def streamed(model: str) -> Any:
        answer = by.converse_stream(modelId=model, messages=turn, toolConfig={"tools": [spec]})
        return json.loads(json.dumps(list(answer["stream"]), default=str))

    for model in ("words-3", "words-2-reasoning-2-tools-2-cached-4", "words-9-cuts-5", "vendor.model:0/words-1"):
        note(f"converse {model}", partial(whole, model))
        note(f"converse_stream {model}", partial(streamed, model))
    note("throttled", lambda: whole("fault-429"))
    note("throttled in a stream", lambda: streamed("words-9-fault-errormid-3-429"))
    note("a stranger", lambda: client("AKIDSTRANGER").converse(modelId="words-1", messages=turn))


def cohere(url: str) -> None:
    import cohere as sdk  # type: ignore[import-not-found] # noqa: PLC0415 - in an environment of its own

    by = sdk.ClientV2(api_key="k", base_url=url)

    def whole(model: str) -> Any:
        return by.chat(model=model, messages=TURN, tools=[FUNCTION]).model_dump(mode="json")

    def streamed(model: str) -> Any:
        return [event.model_dump(mode="json") for event in by.chat_stream(model=model, messages=TURN, tools=[FUNCTION])]

    for model in ("words-3", "words-2-reasoning-2-tools-2-cached-4", "words-9-cuts-5"):
        note(f"chat {model}", partial(whole, model))
        note(f"chat_stream {model}", partial(streamed, model))
    note("bad request", lambda: whole("fault-400"))
    note("bad key", lambda: whole("fault-401"))
    note("slowed down", lambda: whole("fault-429"))
    embed: Any = {"input_type": "search_document", "embedding_types": ["float"]}
    note("embed", lambda: by.embed(model="plain", texts=["a", "b c"], **embed).model_dump(mode="json"))
    note("rerank", lambda: by.rerank(model="plain", query="q", documents=["a", "b"], top_n=1).model_dump(mode="json"))


def like_openai(name: str, create: Callable[..., Any], stream: Callable[..., Iterable[Any]]) -> None:
    """Those whose SDKs have types of their own for OpenAI's language."""

    def whole(model: str) -> Any:
        return create(model=model, messages=TURN, tools=[FUNCTION]).model_dump()

    def streamed(model: str) -> Any:
        chunks = stream(model=model, messages=TURN, tools=[FUNCTION])
        return [(getattr(chunk, "data", None) or chunk).model_dump() for chunk in chunks]

    for model in ("words-3", "words-2-tools-2"):
        note(f"{name} {model}", partial(whole, model))
        note(f"{name} {model} streamed", partial(streamed, model))


def main(url: str) -> None:
    import groq  # type: ignore[import-not-found] # noqa: PLC0415 - in an environment of its own
    import mistralai.client  # type: ignore[import-not-found] # noqa: PLC0415
    import together  # type: ignore[import-not-found] # noqa: PLC0415

    bedrock(url, (os.environ["STANDIN_ACCESS_KEY"], os.environ["STANDIN_SECRET_KEY"]))
    cohere(url)
    chat = groq.Groq(api_key="k", base_url=url).chat.completions
    like_openai("groq", chat.create, lambda **asked: chat.create(stream=True, **asked))
    other = together.Together(api_key="k", base_url=f"{url}/v1").chat.completions
    like_openai("together", other.create, lambda **asked: other.create(stream=True, **asked))
    mistral = mistralai.client.Mistral(api_key="k", server_url=url).chat
    like_openai("mistral", mistral.complete, mistral.stream)


if __name__ == "__main__":
    main(sys.argv[1])
    json.dump(BOOK, sys.stdout, default=str)
