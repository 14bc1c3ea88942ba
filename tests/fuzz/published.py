"""A live gateway held to the published document, by schemathesis: `python -m tests.fuzz.published --examples 500`.

It makes requests that the document allows and requests that it forbids, and looks at what comes: no status, content
type or body that is not in the document (a 500 is not), no forbidden request that is taken, no call without a key.
What the document allows may still be refused: it tells of types, and not of everything that they mean.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.gunicorn import CLASSES, ROOT, gunicorn

PROGRAM = ROOT / ".venv-sdks" / "schemathesis" / "bin" / "schemathesis"
DOCUMENT = ROOT / "docs" / "openapi.json"
KEY = "gw-" + "k" * 40
CONFIG = f"""
providers:
  simulated: {{latency: 0, tokens_per_second: 100000, words: 5, models: ["*"]}}
models:
  "*": {{targets: [simulated/simulated]}}
tenants:
  fuzz: {{keys: ["sha256:{hashlib.sha256(KEY.encode()).hexdigest()}"]}}
"""
CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"),
    *("response_headers_conformance", "negative_data_rejection", "unsupported_method", "ignored_auth"),
)
_FIGURES = re.compile(r"(\d+) generated(?:, (\d+) found)?")


@dataclass(frozen=True)
class Result:
    cases: int
    status: int
    said: str
    unexpected: list[str]  # lines of the gateway's log


def run(examples: int, *, phases: str = "coverage,fuzzing", seed: int = 1, worker_class: str = "gevent") -> Result:
    """`examples`: of each operation, allowed and forbidden ones."""
    with (
        tempfile.TemporaryDirectory(prefix="gateway-fuzz-") as work,
        gunicorn(CONFIG, worker_class=worker_class) as server,
    ):
        command = [str(PROGRAM), "run", str(DOCUMENT), "--url", server.url, "--header", f"Authorization: Bearer {KEY}"]
        command += ["--checks", ",".join(CHECKS), "--phases", phases, "--max-examples", str(examples)]
        command += ["--seed", str(seed), "--request-timeout", "60", "--suppress-health-check", "all"]
        command += ["--continue-on-failure", "--warnings", "off", "--no-color"]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        wrong = [line for line in server.log().splitlines() if "unexpected error" in line or "Traceback" in line]
    found = _FIGURES.search(done.stdout)
    return Result(int(found[1]) if found else 0, done.returncode, done.stdout + done.stderr, wrong)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.published")
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--class", dest="worker_class", choices=CLASSES, default="gevent")
    options = parser.parse_args()
    if not Path(PROGRAM).exists():
        print("no environment .venv-sdks/schemathesis: make sdks", file=sys.stderr)
        return 2
    result = run(options.examples, seed=options.seed, worker_class=options.worker_class)
    print(result.said)
    print(f"{result.cases} cases, {len(result.unexpected)} unexpected errors in the log")
    return 1 if result.status or result.unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
