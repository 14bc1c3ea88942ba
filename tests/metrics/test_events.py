"""What each kind of call adds to all the metrics that workers write, through the whole gateway, and nothing else.

Times are left out; of histograms the counts are there. Prices are 1 and 10 USD per million tokens.
"""

import threading
from pathlib import Path

import pytest

from tests.gunicorn import until
from tests.metrics.events import ROWS
from tests.metrics.house import House
from tests.metrics.parts import ended, failed, model


@pytest.mark.parametrize("name", ROWS)
def test_what_is_added(tmp_path: Path, name: str) -> None:
    models, do, parts = ROWS[name]
    with House(tmp_path, models) as house:
        do(house)
        assert house.added() == {series: value for part in parts for series, value in part.items()}


def test_where_nobody_could_be_asked_the_first_candidate_is_to_blame_and_nothing_was_attempted(tmp_path: Path) -> None:
    with House(tmp_path, model("alpha/fault-401", "alpha/words-5")) as house:
        house.call("m")
        before = house.added()
        house.call("m")
        after = house.added()
        more = {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name)}
        assert more == ended("alpha", "error") | failed("alpha", "circuit_open")


def test_a_bad_key_counts_nowhere_but_as_a_bad_key(tmp_path: Path) -> None:
    tenants = {"acme": {"keys": ["sha256:" + "0" * 64]}}
    with House(tmp_path, model("alpha/words-5"), tenants=tenants) as house:
        house.call("m")
        assert house.added() == {
            "requests_total{other,none,client_error,false}": 1,
            "errors_total{none,client_authentication}": 1,
        }


def test_a_call_beyond_a_limit_has_no_provider_and_no_attempt(tmp_path: Path) -> None:
    limits = {"default": {"requests_per_minute": 1}}
    with House(tmp_path, model("alpha/words-5"), limits=limits) as house:
        house.call("m")
        before = house.added()
        house.call("m")
        more = {name: value for name, value in house.added().items() if value != before.get(name)}
        assert more == ended("none", "rate_limited") | failed("none", "rate_limited") | {
            "rate_limit_hits_total{anonymous,requests}": 1
        }


def test_the_wait_for_a_place_is_counted_of_those_that_waited(tmp_path: Path) -> None:
    with House(tmp_path, model("alpha/held"), server={"max_in_flight": 1, "queue": 1}) as house:
        calls = [threading.Thread(target=house.call, args=("m",)) for _ in range(2)]
        calls[0].start()
        house.provider.journal.wait(1)
        calls[1].start()
        until(lambda: house.doors.calls == 2, "a call that waits")
        house.call("m")  # there is no room for a third
        house.provider.release("held")
        for call in calls:
            call.join()
        added = house.added()
        assert added["queue_wait_seconds_count{}"] == 1
        assert added["requests_total{m,alpha,success,false}"] == 2
        assert added["requests_total{other,none,error,false}"] == 1
        assert added["errors_total{none,saturated}"] == 1


def test_ten_thousand_names_of_models_are_one_series(tmp_path: Path) -> None:
    with House(tmp_path, model("alpha/words-5")) as house:
        for number in range(10_000):
            house.call(f"model-{number}")
        assert house.added() == {
            "requests_total{other,none,client_error,false}": 10_000,
            "errors_total{none,model_not_found}": 10_000,
            "tenant_requests_total{anonymous,client_error}": 10_000,
        }


def test_a_call_of_a_model_without_a_price_costs_nothing(tmp_path: Path) -> None:
    with House(tmp_path, {"m": {"targets": ["alpha/words-5"]}}) as house:
        house.call("m")
        assert not any("cost" in name for name in house.added())
