"""instructor around OpenAI's SDK: structured answers by tools and by schema, whole and as they grow."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import instructor  # type: ignore[import-not-found] # in an environment of its own
import openai
from pydantic import BaseModel

from tests.journeys.clients.told import Job, run

ASK: list[Any] = [{"role": "user", "content": "two words"}]
JSON: list[Any] = [{"role": "user", "content": '{"city": "世界", "degrees": 7}'}]


class Weather(BaseModel):
    """Say how warm it is."""

    city: str
    degrees: int


def work(job: Job) -> None:
    with openai.OpenAI(base_url=f"{job.url}/v1", api_key=job.key) as client:
        by_tools = instructor.from_openai(client)
        by_schema = instructor.from_openai(client, mode=instructor.Mode.JSON_SCHEMA)

        def grown(model: str) -> Any:
            partial = by_tools.chat.completions.create_partial(model=model, messages=ASK, response_model=Weather)
            return [one.model_dump() for one in partial][-1]

        for upstream in ("up", "claude"):
            job.see("tools", upstream, "tools-1", lambda m: found(by_tools, m, ASK))
            job.see("partial", upstream, "tools-1", grown)
            job.see("schema", upstream, "echo", lambda m: found(by_schema, m, JSON))
            job.see("bad request", upstream, "fault-400", lambda m: found(by_tools, m, ASK))


def found(client: Any, model: str, messages: list[Any]) -> Any:
    answer = client.chat.completions.create(
        model=model, messages=messages, response_model=Weather, max_tokens=99, max_retries=1
    )
    return answer.model_dump()


if __name__ == "__main__":
    run(version("instructor"), work)
