"""The commands, called as a shell calls them."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pytest

from app.cli import main
from app.config.load import load

ROOT = Path(__file__).parents[2]

GOOD = """
providers:
  openai: {api_key: "${OPENAI_API_KEY}", models: ["*"]}
  gpu: {kind: vllm, base_url: "http://gpu:8000/v1"}
models:
  fast: {targets: [openai/gpt, gpu/qwen]}
"""


def command(*arguments: str, cwd: Path, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """What a user types, from a directory of his."""
    return subprocess.run(
        [Path(sys.executable).with_name("llm-gateway"), *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **(environ or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_check_says_ok_and_what_the_file_amounts_to(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(GOOD + f"tenants: {{acme: {{keys: ['sha256:{'ab' * 32}'], models: [fast]}}}}")
    done = command("check", "my.yaml", cwd=tmp_path, environ={"OPENAI_API_KEY": "hunter2"})

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "OK: my.yaml",
        "  provider openai: configured, offers *",
        "  provider gpu: of the kind vllm",
        "  model fast: openai/gpt, gpu/qwen",
        "  tenant acme: 1 key, models fast",
    ]


def test_check_without_a_file_takes_the_one_that_the_gateway_would_take(tmp_path: Path) -> None:
    keys = {"OPENAI_API_KEY": "k"}
    built_in = command("check", cwd=tmp_path)
    (tmp_path / "gateway.yaml").write_text(GOOD)
    usual = command("check", cwd=tmp_path, environ=keys)
    (tmp_path / "other.yaml").write_text(GOOD + "server: {open: true}")
    named = command("check", cwd=tmp_path, environ={**keys, "GATEWAY_CONFIG": "other.yaml"})
    missing = command("check", cwd=tmp_path, environ={**keys, "GATEWAY_CONFIG": "typo.yaml"})

    assert built_in.stdout.startswith("OK: the built-in configuration (no file)\n")
    assert usual.stdout.startswith(f"OK: {tmp_path / 'gateway.yaml'}\n")
    assert "no tenants: serves this machine only" in usual.stdout
    assert named.stdout.startswith(f"OK: {tmp_path / 'other.yaml'}\n")
    assert "no tenants: serves everybody (server.open)" in named.stdout
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr == "1 problem in typo.yaml:\n  the file: GATEWAY_CONFIG names it, but there is no such file\n"


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    """`llm-gateway schema | head -1`."""
    reading, writing = os.pipe()
    with subprocess.Popen(
        [Path(sys.executable).with_name("llm-gateway"), "schema"],
        cwd=tmp_path,
        stdout=writing,
        stderr=subprocess.PIPE,
    ) as schema:
        os.close(writing)
        os.close(reading)
        assert schema.communicate(timeout=60)[1] == b""

    assert schema.returncode == 0


def test_check_says_which_answers_are_kept_and_for_how_long(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(
        GOOD
        + """
  shared: {targets: [openai/gpt], cache: {ttl: 60, shared: true}}
  off: {targets: [openai/gpt], cache: {ttl: 0}}
cache: {ttl: 300}
"""
    )
    told = command("check", cwd=tmp_path, environ={"OPENAI_API_KEY": "k"}).stdout.splitlines()

    assert "  model fast: openai/gpt, gpu/qwen; answers are kept for 300 s" in told
    assert "  model shared: openai/gpt; answers are kept for 60 s, shared by tenants" in told
    assert "  model off: openai/gpt" in told


def test_check_tells_all_problems_and_ends_with_1(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(GOOD + "server: {max_body: 0, trusted_proxies: [10.0.0.0/8, nginx]}\n")
    done = command("check", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"3 problems in {path}:",
        "  providers.openai.api_key (line 3): environment variable OPENAI_API_KEY is not set, and there is no default "
        "(${OPENAI_API_KEY:-default})",
        "  server.max_body (line 7): expected at least 1",
        '  server.trusted_proxies[1] (line 7): expected an address or a network such as "10.0.0.0/8", no bits set '
        "after its prefix",
    ]


def test_a_key_is_random_and_its_hash_goes_into_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [main(["key"]), main(["key"])] == [0, 0]
    keys = re.findall(r"gk-[A-Za-z0-9_-]{43}", capsys.readouterr().out)
    assert len(set(keys)) == 2, "printed once each"

    assert main(["key"]) == 0
    printed = capsys.readouterr().out
    (key,) = re.findall(r"gk-[A-Za-z0-9_-]{43}", printed)
    line = printed.splitlines()[-1].replace("NAME", "acme")
    path = tmp_path / "gateway.yaml"
    path.write_text(f"{GOOD}tenants:\n{line}\n")

    (configured,) = load(path, {"OPENAI_API_KEY": "k"}).tenants["acme"].keys
    assert configured.digest == hashlib.sha256(key.encode()).digest()


def test_a_script_gets_the_key_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["key", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["hash"] == "sha256:" + hashlib.sha256(made["key"].encode()).hexdigest()


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"llm-gateway {version('llm-gateway')}\n"


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "LLM Inference Gateway configuration"


def test_a_wrong_command_line_ends_with_2_and_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ([], ["chekc"], ["check", "a", "b"]):
        with pytest.raises(SystemExit) as ended:
            main(wrong)
        assert ended.value.code == 2
    assert "check" in capsys.readouterr().err


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("check", "schema", "key", "usage", "top"):
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "GATEWAY_CONFIG" in told
    assert "tenant,model,day" in told


def test_the_example_passes_check_with_a_made_up_environment(tmp_path: Path) -> None:
    example = ROOT / "gateway.example.yaml"
    names = set(re.findall(r"(?<!#)\"\$\{([A-Z_]+)\}", example.read_text(encoding="utf-8"))) - {"NAME"}
    done = command(
        "check", str(example), cwd=tmp_path, environ=dict.fromkeys(names, "made-up-and-long-enough-for-a-secret")
    )

    assert (done.returncode, done.stderr) == (0, "")
