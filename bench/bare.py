"""The yardstick: the least that a proxy on Flask, gunicorn and requests can do, without a feature.

It reads JSON and posts it on; a plain answer is parsed and encoded again, a stream's bytes are passed on as they come.
"""

from collections.abc import Iterator

import orjson
import requests
from flask import Flask, Response, request


def create_app(upstream: str) -> Flask:
    """The application; `upstream` is the base URL up to and with `/v1`."""
    app = Flask(__name__)
    session = requests.Session()
    pool = requests.adapters.HTTPAdapter(pool_maxsize=1000)
    session.mount("http://", pool)
    headers = {"authorization": "Bearer sk-upstream", "content-type": "application/json"}

    @app.post("/v1/chat/completions")
    def chat() -> Response:
        body = orjson.loads(request.get_data())
        streamed = bool(body.get("stream"))
        answer = session.post(
            f"{upstream}/chat/completions", data=orjson.dumps(body), headers=headers, stream=streamed, timeout=(5, 120)
        )
        if streamed:
            return Response(passed_on(answer), answer.status_code, mimetype="text/event-stream")
        return Response(orjson.dumps(orjson.loads(answer.content)), answer.status_code, mimetype="application/json")

    return app


def passed_on(answer: requests.Response) -> Iterator[bytes]:
    """The answer's bytes as they arrive; a client that leaves closes the upstream's connection."""
    with answer:
        while data := answer.raw.read1():
            yield data
