"""The gateway under test, the provider behind it, and the keys that go round."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.gunicorn import CLASSES, Server, gunicorn
from tests.standin import StandIn
from tests.standin.gemini import service_account
from tests.standin.sigv4 import ACCESS_KEY, SECRET_KEY

KEY, GUEST = "sk-gw-team-1f8a0c77", "sk-gw-guest-5b2e9d10"
UP_KEY, CLAUDE_KEY = "Zf9canary7Qx2openai4c1d", "Zf9canary7Qx2claude9e3b"  # nobody but the provider may see them
NATIVE_KEY = "Zf9canary7Qx2native5a8f"

#: Providers for calls that go wrong with these statuses, one for each language of clients.
TELLING = [
    (f"{upstream}-tells-{language}-{status}", "")
    for upstream in ("up", "claude")
    for language in ("chat", "messages")
    for status in (200, 400, 401, 429, 500)
]

#: Providers whose calls are counted.
COUNTED = [(f"{upstream}-{why}", "") for upstream in ("up", "claude") for why in ("left", "kept")]

#: Providers for clients that speak Responses, and those at which their calls go wrong.
RESPONSES = [(f"{upstream}-{why}", "") for upstream in ("open", "up", "claude") for why in ("responds", "cut", "fails")]


#: Providers whose languages no client speaks. `aws` signs its requests, with the keys of a file; `vertex` shows a token
#: that it gets for a service account.
NATIVES = ("cohere", "bedrock", "aws", "gemini", "vertex")


def natives(directory: Path, provider: StandIn) -> list[tuple[str, str]]:
    """Their entries; the files are made in the directory. Tokens are the stand-in's."""
    account = directory / "account.json"
    account.write_text(service_account(f"{provider.url}/token"))
    cloud = f', project: my-project, location: europe-west4, credentials_file: "{account}"'
    file = directory / "aws-keys"
    file.write_text(f"[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n")
    return [
        ("cohere", ""),
        ("bedrock", ""),
        ("aws", f', credentials_file: "{file}"'),
        ("gemini", ""),
        ("vertex", cloud),
    ]


def hashed(key: str) -> str:
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def configuration(
    provider: StandIn, *, tenants: bool = True, others: Iterable[tuple[str, str]] = (), more: str = ""
) -> str:
    """Two ways to the same stand-in, one in each language, and the simulated provider.

    `others`: further providers (name, more of its settings) whose names begin with `up`, `claude`, `open` (which
    speaks Responses, too) or one of NATIVES, each as if it were alone. `more` goes below the rest.
    """
    text = """
server: {max_body: 100000}
providers:
  simulated: {latency: 0, tokens_per_second: 10000, words: 12, models: ["*"]}
"""
    for name, settings in (("up", ""), ("claude", ""), *others):
        if name.startswith("open"):
            how = f'kind: openai, base_url: "{provider.url}/v1", api_key: "{UP_KEY}"'
        elif name.startswith("cohere"):
            how = f'kind: cohere, base_url: "{provider.url}", api_key: "{NATIVE_KEY}"'
        elif name.startswith("gemini"):
            how = f'kind: gemini, base_url: "{provider.url}", api_key: "{NATIVE_KEY}"'
        elif name.startswith("vertex"):
            how = f'kind: vertex, base_url: "{provider.url}"'
        elif name.startswith("bedrock"):
            how = f'kind: bedrock, base_url: "{provider.url}", region: eu-central-1, api_key: "{NATIVE_KEY}"'
        elif name.startswith("aws"):
            how = f'kind: bedrock, base_url: "{provider.url}", region: eu-central-1'
        elif name.startswith("up"):
            how = f'kind: compatible, base_url: "{provider.url}/v1", api_key: "{UP_KEY}"'
        else:
            how = f'kind: anthropic, base_url: "{provider.url}", api_key: "{CLAUDE_KEY}"'
        text += f'  {name}: {{{how}, models: ["*"]{settings}}}\n'
    text += """
models:
  simulated: {targets: [simulated/simulated]}
  other: {targets: [simulated/other]}
"""
    if tenants:
        text += f"""
tenants:
  team: {{keys: ["{hashed(KEY)}"]}}
  guests: {{keys: [{{hash: "{hashed(GUEST)}", name: door}}], models: [simulated, "up/guest*"]}}
"""
    return text + more


@contextlib.contextmanager
def both(text: str) -> Iterator[Mapping[str, Server]]:
    """A server of two workers for each worker class, side by side."""
    with contextlib.ExitStack() as stack:
        yield {kind: stack.enter_context(gunicorn(text, worker_class=kind)) for kind in CLASSES}
