"""Cases that coverage leads to, by atheris: `make fuzz ARGS="--seconds 3600"`.

Every line of app/ is watched; a case that reaches a new one is kept and changed further. What goes wrong is written
down, once for each place, and the search goes on. Runs in .venv-fuzz, with what requirements.txt beside this file adds.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random

HANG = 30  # seconds for one case, on a machine that does other things too
LONGEST = 1 << 16  # bytes of a case

_STATUS = re.compile(r"^#(\d+)\s.*\bcov: (\d+) ft: (\d+) corp: (\d+)", re.MULTILINE)


def search(work: Path, seconds: int, seed: int) -> None:
    """Never returns: libFuzzer ends the process."""
    import atheris  # noqa: PLC0415 - there is none but in its own environment

    with atheris.instrument_imports(include=["app"]):
        from tests.fuzz.draw import Draw  # noqa: PLC0415
        from tests.fuzz.mutate import Mutator  # noqa: PLC0415
        from tests.fuzz.targets import Targets  # noqa: PLC0415

    targets = Targets(work)
    mutator = Mutator(Draw(targets))
    corpus = work / "corpus"
    corpus.mkdir(exist_ok=True)
    for case in mutator.beginnings():
        raw = bytes(case)[:LONGEST]
        (corpus / hashlib.sha256(raw).hexdigest()[:16]).write_bytes(raw)
    seen: set[tuple[str, str]] = set()
    told = time.monotonic()

    def once(raw: bytes) -> None:
        nonlocal told
        try:
            targets.try_raw(raw)
        except Exception as error:
            lines = traceback.format_exception(error)
            place = (type(error).__name__, _place(error))
            if place not in seen:
                seen.add(place)
                name = f"failure-{hashlib.sha256(raw).hexdigest()[:12]}"
                (work / name).write_bytes(raw)
                (work / f"{name}.txt").write_text("".join(lines), errors="backslashreplace")
        if time.monotonic() > told + 10:
            told = time.monotonic()
            (work / "seen").write_text("\n".join(f"{count:9} {what}" for what, count in targets.seen.most_common()))

    def mutate(raw: bytes, longest: int, seed: int) -> bytes:
        made = mutator(raw, Random(seed), lambda body: atheris.Mutate(body, max(1, min(longest, LONGEST) - 200)))
        return made[:longest]

    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={HANG}", "-rss_limit_mb=4096"]
    options += ["-print_final_stats=1", f"-artifact_prefix={work}/hang-or-crash-", f"-seed={seed}", "-len_control=0"]
    atheris.Setup(["fuzz", *options, str(corpus)], once, custom_mutator=mutate)
    atheris.Fuzz()


def _place(error: BaseException) -> str:
    """Where it went wrong, and what was said first: one failure is told once."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/app/" in frame.filename]
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    found = re.findall(r'File "([^"]*/app/[^"]*)", line (\d+)', str(error))
    return where or (":".join(found[-1]) if found else re.sub(r"[0-9a-f]{4,}|'[^']*'", "", str(error)[:60]))


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="where cases and failures are kept; default: a new directory")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    work = options.work or Path(tempfile.mkdtemp(prefix="gateway-fuzz-"))
    work.mkdir(parents=True, exist_ok=True)
    if options.inside:
        search(work, options.seconds, options.seed)
    return _watch(work, options.seconds, options.seed)


def _watch(work: Path, seconds: int, seed: int) -> int:
    """The search in a process of its own, since it ends the process it runs in."""
    arguments = ["--inside", "--work", str(work), "--seconds", str(seconds), "--seed", str(seed)]
    log = work / "log"
    with log.open("ab") as file:
        begin = file.tell()
        began = time.monotonic()
        status = subprocess.run([sys.executable, "-m", "tests.fuzz.guided", *arguments], stderr=file, check=False)
    said = log.read_bytes()[begin:].decode("utf-8", "replace")
    steps = _STATUS.findall(said)
    failures = sorted(work.glob("failure-*.txt"))
    stops = sorted(work.glob("hang-or-crash-*"))
    print(f"{time.monotonic() - began:.0f} s, exit status {status.returncode}, all of it in {work}")
    if steps:
        executions, edges, features, corpus = steps[-1]
        print(f"{executions} executions; {edges} edges of app/ and {features} features covered; {corpus} cases kept")
    print((work / "seen").read_text() if (work / "seen").exists() else "")
    print(f"{len(failures)} failures, {len(stops)} hangs or crashes")
    for failure in (*failures, *stops):
        print(f"  {failure}")
    return 1 if failures or stops or status.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
