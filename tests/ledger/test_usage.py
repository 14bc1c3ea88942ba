"""`llm-gateway usage` over lines as they are written, and over what else is in a log."""

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from app.cli import main


def line(**more: Any) -> str:
    return json.dumps(
        {
            "request_id": "r",
            "tenant": "acme",
            "key": "ci",
            "model": "fast",
            "provider": "openai",
            "operation": "chat",
            "status": "success",
            "error_type": None,
            "input_tokens": 10,
            "cached_input_tokens": 0,
            "output_tokens": 3,
            "reasoning_tokens": 0,
            "guessed": False,
            "cost_usd": 0.1,
            "provider_cost_usd": 0.2,
            "event": "call",
            "level": "info",
            "timestamp": "2027-01-31T23:59:59.5Z",
            **more,
        },
        separators=(",", ":"),
    )


class Log:
    """A log file, and the command over it."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = directory / "gateway.log"
        self._capsys = capsys

    def write(self, *lines: str) -> None:
        self.path.write_text("".join(f"{one}\n" for one in lines))

    def run(self, *arguments: str, files: tuple[str, ...] | None = None) -> tuple[int, str, str]:
        status = main(["usage", *arguments, *(files if files is not None else (str(self.path),))])
        out, err = self._capsys.readouterr()
        return status, out, err

    def sums(self, *arguments: str, files: tuple[str, ...] | None = None) -> dict[str, Any]:
        status, out, err = self.run("--json", *arguments, files=files)
        assert (status, err) == (0, "")
        found: dict[str, Any] = json.loads(out)
        return found


@pytest.fixture
def log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Log:
    return Log(tmp_path, capsys)


def test_calls_are_summed_by_tenant_model_and_day(log: Log) -> None:
    log.write(line(), line(), line(model="smart"), line(tenant="zeta"), line(timestamp="2027-02-01T00:00:00Z"))
    found = log.sums()
    assert found["by"] == ["tenant", "model", "day"]
    assert [(row["tenant"], row["model"], row["day"], row["calls"]) for row in found["rows"]] == [
        ("acme", "fast", "2027-01-31", 2),
        ("acme", "fast", "2027-02-01", 1),
        ("acme", "smart", "2027-01-31", 1),
        ("zeta", "fast", "2027-01-31", 1),
    ]
    assert found["total"]["calls"] == 5
    assert found["total"]["input_tokens"] == 50
    assert found["total"]["output_tokens"] == 15


def test_sums_of_money_are_exact(log: Log) -> None:
    log.write(*[line(cost_usd=0.1, provider_cost_usd=3e-9)] * 10_000)
    total = log.sums()["total"]
    assert total["cost_usd"] == 1000
    assert total["provider_cost_usd"] == 0.00003
    assert "1000.0," in log.run("--csv", "--by", "none")[1]


def test_whatever_else_is_in_the_log_is_skipped(log: Log) -> None:
    log.write(
        "[2027-01-31 12:00:00 +0000] [17] [INFO] Booting worker with pid: 17",
        '{"event":"configuration 3c51681cea16 is in force","level":"info"}',
        "Traceback (most recent call last):",
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
        "",
        f"2027-01-31T23:59:59.7Z stderr F {line()}",
    )
    found = log.sums()
    assert found["total"]["calls"] == 1
    assert found["lines"] == {"read": 6, "broken": 0}


def test_a_line_that_a_collector_has_written_anew_counts(log: Log) -> None:
    log.write(line(), json.dumps(json.loads(line()), sort_keys=True))

    assert log.sums()["total"]["calls"] == 2


def test_lines_that_look_like_calls_and_are_none_are_told(log: Log) -> None:
    log.write(line(), line()[:-30], line(input_tokens="many"), line(timestamp="yesterday"), line(cost_usd="free"))
    status, out, err = log.run("--by", "none", "--csv")
    assert status == 0
    assert out.splitlines()[1].startswith("1,1,10,")
    assert err == "4 lines look like calls and cannot be read\n"


def test_refused_calls_count_as_calls_and_have_no_tenant(log: Log) -> None:
    refused = json.loads(line())
    for name in ("tenant", "model", "key", "provider", "input_tokens", "output_tokens", "cost_usd"):
        del refused[name]
    log.write(line(), json.dumps({**refused, "status": "client_error"}, separators=(",", ":")))
    rows = log.sums("--by", "tenant")["rows"]
    assert [(row["tenant"], row["calls"], row["succeeded"]) for row in rows] == [(None, 1, 0), ("acme", 1, 1)]


def test_a_table_for_people(log: Log) -> None:
    log.write(line(cost_usd=0.000003), line(tenant="b", input_tokens=123456))
    assert log.run("--by", "tenant,model")[1].splitlines() == [
        "tenant  model  calls  succeeded   input  output  cost usd  provider cost usd",
        "------  -----  -----  ---------  ------  ------  --------  -----------------",
        "acme    fast       1          1      10       3  0.000003                0.2",
        "b       fast       1          1  123456       3       0.1                0.2",
        "------  -----  -----  ---------  ------  ------  --------  -----------------",
        "total              2          2  123466       6  0.100003                0.4",
    ]


def test_a_span_of_time_includes_its_beginning_and_not_its_end(log: Log) -> None:
    for stamp in ("2027-01-31T00:00:00Z", "2027-01-31T12:00:00+12:00", "2027-02-01T00:00:00Z", "2027-02-02T00:00:00Z"):
        with log.path.open("a") as file:
            file.write(line(timestamp=stamp) + "\n")
    assert log.sums("--since", "2027-01-31", "--until", "2027-02-01")["total"]["calls"] == 2
    assert log.sums("--since", "2027-02-01T00:00:00Z")["total"]["calls"] == 2
    assert log.sums("--until", "2027-02-01T01:00:00+01:00")["total"]["calls"] == 2


def test_several_files_packed_ones_and_standard_input(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log.write(line())
    packed = log.path.with_suffix(".1.gz")
    packed.write_bytes(gzip.compress(f"{line()}\n{line()}\n".encode()))
    assert log.sums("--by", "none", files=(str(log.path), str(packed)))["total"]["calls"] == 3
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{line()}\n".encode())))
    assert log.sums("--by", "none", files=())["total"]["calls"] == 1


def test_a_file_that_cannot_be_read_to_its_end_is_told_and_the_rest_is_summed(log: Log) -> None:
    log.write(line())
    cut = log.path.with_suffix(".gz")
    cut.write_bytes(gzip.compress("".join(f"{line(request_id=str(n))}\n" for n in range(1000)).encode())[:-300])
    status, out, err = log.run("--by", "none", "--json", files=(str(cut), "/nowhere.log", str(log.path)))
    assert status == 1
    assert 1 < json.loads(out)["total"]["calls"] < 1001
    assert "/nowhere.log: No such file or directory" in err
    assert str(cut) in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--by", "tenant,colour"], "'colour' is none of tenant, key, model"),
        (["--since", "soon"], "'soon' is no day or time such as 2027-01-31"),
        (["--csv", "--json"], "not allowed with"),
    ],
)
def test_a_wrong_command_line_is_told(
    log: Log, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        log.run(*arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_name_cannot_become_a_formula_of_a_spreadsheet(log: Log) -> None:
    log.write(line(tenant="=1+1"))
    assert log.run("--by", "tenant", "--csv")[1].splitlines()[1].startswith("'=1+1,")
