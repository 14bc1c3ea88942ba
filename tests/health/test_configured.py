"""What is derived of the settings is what calls are made with."""

from pathlib import Path

from app import configured, gateway, logs
from app.cache.flights import Flights
from app.config.load import parse
from app.config.settings import Settings
from app.core.call import Tenant
from app.core.clock import SystemClock
from app.gateway import Gateway, Process
from app.instance import system
from app.limits.limits import Books
from app.metrics.meter import Meter
from app.metrics.registry import Metrics
from app.resilience.budget import RetryBudget
from app.resilience.records import Records
from app.store.memory import Memory
from app.upstream.watch import Watch

BASE = """
providers:
  a:
    {{kind: compatible, base_url: "http://{host}/v1", api_key: "{key}", models: [offered, "*"]}}
  b: {{kind: anthropic, base_url: "http://b", api_key: "key-of-b-0123456789"}}
models:
  one: {{targets: [a/one, b/deep/er]}}
  "many-*": {{targets: ["a/large-*", b/fixed]}}
"""


def settings(host: str = "a", key: str = "key-of-a-0123456789") -> Settings:
    return parse(BASE.format(host=host, key=key), {}, lambda name: "")


def built(found: Settings, directory: Path) -> Gateway:
    clock = SystemClock()
    records = Records(directory / "breakers", clock)
    calls = logs.CallLog(logs.configure("error", "json"))
    watch, budget = Watch(clock, system.poll()), RetryBudget(clock)
    process = Process(
        meter=Meter(Metrics()),
        calls=calls,
        watch=watch,
        records=records,
        budget=budget,
        poll=system.poll,
        store=Memory(clock),
        books=Books(clock),
        flights=Flights(clock),
        workers=1,
        clock=clock,
    )
    return gateway.build(found, process)


def test_the_breakers_of_a_provider_are_found_under_the_names_that_calls_use(tmp_path: Path) -> None:
    found = settings()
    providers = configured.providers(found)
    named, offered = configured.target_keys(found, providers), configured.offered_keys(found)
    assert named == {"a": {"a/one", "a/*"}, "b": {"b/deep/er", "b/fixed"}}
    assert offered == {"a": {"a/offered", "a/*"}, "b": set()}

    table = built(found, tmp_path).routes
    for model, known in (("one", named), ("many-splendoured", named), ("a/offered", offered), ("a/else", offered)):
        for target in table.resolve(model, Tenant("anyone")).targets:
            assert target.key in known[target.provider.name]


def test_other_credentials_or_another_place_have_another_fingerprint() -> None:
    def prints(found: Settings) -> dict[str, int]:
        return configured.credentials(configured.providers(found))

    first = prints(settings())
    assert first == prints(settings())
    for changed in (prints(settings(key="another-key-0123456789")), prints(settings(host="elsewhere"))):
        assert changed["a"] != first["a"]
        assert changed["b"] == first["b"]
