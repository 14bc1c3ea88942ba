"""`llm-gateway serve`: check the configuration, say what to try, and become gunicorn."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from app.config import load
from app.config.settings import Settings
from app.instance import environment

HELP = "serve, after a look at the configuration"

CHECKOUT = Path(__file__).parent.parent.parent

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - read, not bound


def options(parser: argparse.ArgumentParser) -> None:
    """Takes none: the environment decides (README)."""


def run(_: argparse.Namespace) -> int:
    """Raises ConfigError. Does not return where all is well."""
    try:
        found = environment.read(os.environ)
    except environment.BadEnvironment as error:
        print(error, file=sys.stderr)
        return 1
    path = load.locate(os.environ, Path.cwd()) or load.locate(os.environ, CHECKOUT)
    settings = load.load(path, os.environ)
    print(what_to_try(settings, path, found), flush=True)
    if path is not None:
        os.environ["GATEWAY_CONFIG"] = str(path.absolute())
    os.chdir(CHECKOUT)
    return _become([sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"])


def _become(command: list[str]) -> NoReturn:
    os.execv(command[0], command)  # noqa: S606 - no shell is the point


def what_to_try(settings: Settings, path: Path | None, found: environment.Environment) -> str:
    model = next((name for name in settings.models if not name.endswith("*")), "MODEL")
    url, curl = _reached(found.binds[0])
    key = "$GATEWAY_KEY" if settings.tenants else "none"
    header = f' \\\n    -H "Authorization: Bearer {key}"' if settings.tenants else ""
    post = f"{url}/v1/chat/completions{header} \\\n    -H 'Content-Type: application/json'"
    body = f'"model": "{model}", "messages": [{{"role": "user", "content": "Hello"}}]'
    python_key = 'os.environ["GATEWAY_KEY"]' if settings.tenants else '"none"'
    what = path or "built in, since there is no gateway.yaml: one simulated provider, no account needed"
    return f"""\
Serving {url}
  configuration: {what}
  metrics: http://{found.metrics}/metrics

Try, from another terminal:

  {curl} {post} \\
    -d '{{{body}}}'

  {curl} -N {post} \\
    -d '{{{body}, "stream": true}}'

  pip install openai && python3 -c '
import os, openai
client = openai.OpenAI(base_url="{url}/v1", api_key={python_key})
for chunk in client.chat.completions.create(
    model="{model}", stream=True, messages=[{{"role": "user", "content": "Hello"}}]
):
    print(chunk.choices[0].delta.content or "" if chunk.choices else "", end="", flush=True)
print()'

Ctrl-C ends it.
"""


def _reached(bind: str) -> tuple[str, str]:
    """Where a client on this machine finds it, and the curl that goes there."""
    at = environment.address(bind)
    if at is None:
        return "http://localhost", f"curl --unix-socket {bind.removeprefix('unix:')}"
    if at.host in _EVERYWHERE:
        at = environment.Address("127.0.0.1", at.port)
    return f"http://{at}", "curl"
