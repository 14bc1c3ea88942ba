"""What a reader of a page has already: files, variables, a memcached."""

import contextlib
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.docs.shell import Shell
from tests.memcached import Memcached

HASH = f"sha256:{'0f' * 32}"

CONFIGURATION = f"""\
providers: {{simulated: {{latency: 0.01, tokens_per_second: 10000}}}}
memcached: {{servers: ["127.0.0.1:11211"]}}
cache: {{ttl: 60, secret: "{"of thirty-two bytes, or of more"}.."}}
models: {{fast: {{targets: [simulated/simulated]}}}}
tenants: {{acme: {{keys: ["{HASH}"]}}}}
"""

_CALL = {
    "event": "call", "timestamp": "2027-01-15T08:30:00Z", "tenant": "acme", "key": "ci", "model": "fast",
    "status": "success", "provider": "openai", "operation": "chat", "error_type": None, "attempts": ["openai/gpt"],
    "input_tokens": 10, "cached_input_tokens": 0, "output_tokens": 20, "reasoning_tokens": 0,
    "cost_usd": 0.001, "provider_cost_usd": 0.001,
}  # fmt: skip
LOG = f"a line that is no call\n{json.dumps(_CALL)}\n" * 3


@dataclass(frozen=True)
class Given:
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    memcached: bool = False
    activated: bool = True  # the .venv, as docs/README.md says; the first two pages say it themselves


PAGES: Mapping[str, Given] = {
    "README.md": Given({"OPENAI_API_KEY": "sk-1", "ANTHROPIC_API_KEY": "sk-2"}, {"gateway.log": LOG}, activated=False),
    "docs/quickstart.md": Given(activated=False),
    "docs/cache.md": Given(files={"gateway.yaml": CONFIGURATION}, memcached=True),
    "docs/upgrading.md": Given(files={"gateway.yaml": CONFIGURATION}),
    "docs/configuration.md": Given(files={"gateway.yaml": CONFIGURATION}),
    "docs/logs.md": Given(files={"gateway.log": LOG, "gateway.log.1.gz": LOG}),
}


@contextlib.contextmanager
def given(page: Given, shell: Shell) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        if page.memcached:
            stack.enter_context(Memcached(int(shell.here("127.0.0.1:11211").rpartition(":")[2])))
        for name, text in page.files.items():
            content = shell.here(text).encode()
            (shell.folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        yield
