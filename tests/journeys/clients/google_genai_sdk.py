"""Google's own SDK, which no client of the gateway is: it talks to the stand-in, to say whether that is faithful."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from google import genai  # in an environment of its own
from google.genai import errors, types  # type: ignore[import-untyped]
from google.oauth2.credentials import Credentials

TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="weather",
            parameters_json_schema={"type": "object", "properties": {"city": {"type": "string"}}},
        )
    ]
)


def clients(url: str) -> dict[str, genai.Client]:
    return {
        "gemini": genai.Client(api_key="k", http_options=types.HttpOptions(base_url=url, api_version="v1beta")),
        "vertex": genai.Client(
            vertexai=True,
            project="my-project",
            location="europe-west4",
            credentials=Credentials(token="t"),  # type: ignore[no-untyped-call]
            http_options=types.HttpOptions(base_url=url, api_version="v1beta1"),
        ),
    }


def told(answers: list[types.GenerateContentResponse]) -> dict[str, Any]:
    """What the SDK reads in an answer, or in all pieces of one."""
    parts = [
        part
        for answer in answers
        for candidate in answer.candidates or ()
        for part in (candidate.content.parts if candidate.content else None) or ()
    ]
    last = answers[-1]
    usage = last.usage_metadata
    return {
        "text": "".join(part.text or "" for part in parts if not part.thought),
        "thought": "".join(part.text or "" for part in parts if part.thought),
        "calls": [
            (part.function_call.name, part.function_call.args, (part.thought_signature or b"").decode())
            for part in parts
            if part.function_call
        ],
        "finish": [candidate.finish_reason for candidate in last.candidates or ()],
        "usage": usage
        and [
            usage.prompt_token_count,
            usage.candidates_token_count,
            usage.thoughts_token_count,
            usage.cached_content_token_count,
            usage.total_token_count,
        ],
        "model": last.model_version,
    }


def conversation(client: genai.Client, model: str) -> dict[str, Any]:
    """Two turns, the second with the calls as they came, their signatures, and their results."""
    config = types.GenerateContentConfig(tools=[TOOL])
    contents: list[Any] = [types.Content(role="user", parts=[types.Part(text="go")])]
    first = client.models.generate_content(model=f"{model}/tools-2", contents=contents, config=config)
    content = first.candidates[0].content if first.candidates else None
    if content is None:
        raise AssertionError("no content")
    results = [
        types.Part.from_function_response(name=part.function_call.name or "", response={"warm": True})
        for part in content.parts or ()
        if part.function_call
    ]
    contents += [content, types.Content(role="user", parts=results)]
    return told([client.models.generate_content(model=f"{model}/words-3", contents=contents, config=config)])


def noted(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except errors.APIError as error:
        return {"raised": type(error).__name__, "code": error.code, "status": error.status}


def seen(client: genai.Client, model: str) -> dict[str, Any]:
    def plain(words: str) -> Any:
        config = types.GenerateContentConfig(tools=[TOOL])
        return told([client.models.generate_content(model=f"{model}/{words}", contents="two words", config=config)])

    def streamed(words: str) -> Any:
        config = types.GenerateContentConfig(tools=[TOOL])
        pieces = client.models.generate_content_stream(model=f"{model}/{words}", contents="two words", config=config)
        return told(list(pieces))

    book: dict[str, Any] = {}
    for words in ("words-3", "words-2-reasoning-2-cached-4", "tools-2", "words-3-finish-length", "words-9-cuts-5"):
        book[f"plain {words}"] = noted(lambda words=words: plain(words))  # type: ignore[misc]
        book[f"streamed {words}"] = noted(lambda words=words: streamed(words))  # type: ignore[misc]
    for words in ("fault-429", "fault-503", "fault-401", "fault-context"):
        book[words] = noted(lambda words=words: plain(words))  # type: ignore[misc]
    book["conversation"] = noted(lambda: conversation(client, model))
    book["tokens"] = noted(lambda: client.models.count_tokens(model=f"{model}/x", contents="two words").total_tokens)
    book["vectors"] = noted(
        lambda: [
            each.values
            for each in client.models.embed_content(model=f"{model}/x", contents="two words").embeddings or ()
        ]
    )
    return book


def main() -> None:
    url = sys.argv[1]
    found = {
        f"{name} {model}": seen(client, f"publishers/google/models/{model}" if name == "vertex" else model)
        for name, client in clients(url).items()
        for model in ("gemini-2.5-flash", "gemini-3-pro-preview")
    }
    json.dump({"version": genai.__version__, "seen": found}, sys.stdout, default=str)


if __name__ == "__main__":
    main()
