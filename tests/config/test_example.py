"""The example file is good, and shows everything that is enforced."""

from pathlib import Path

from app.config.kinds import KINDS
from app.config.load import load
from app.config.schema import schema
from tests.config.test_schema import properties

EXAMPLE = Path(__file__).parents[2] / "gateway.example.yaml"
ENVIRON = {
    name: "made-up, and 32 bytes or more of it".replace(" ", "-")
    for name in (
        "METRICS_TOKEN",
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "AZURE_KEY",
        "BEDROCK_API_KEY",
        "GEMINI_API_KEY",
        "CACHE_SECRET",
    )
}


def test_the_example_is_a_good_configuration() -> None:
    found = load(EXAMPLE, ENVIRON)

    assert set(found.models) >= {"fast", "smart", "claude-*"}
    assert found.tenants["acme"].keys[1].label == "ci"


def test_the_example_has_every_key_that_is_enforced() -> None:
    words = set(EXAMPLE.read_text(encoding="utf-8").replace("{", " ").replace("(", " ").split())
    keys = {path.rpartition(".")[2] for path, _ in properties(schema())} - {"target"}  # which a plain string stands for

    assert sorted(key for key in keys if f"{key}:" not in words) == []


def test_the_example_names_every_kind_of_provider() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")

    assert sorted(kind for kind in KINDS if kind not in text) == []


def test_what_the_example_says_is_the_default_is_the_default() -> None:
    found = load(EXAMPLE, ENVIRON)
    bare = load(None, {})

    assert (found.server, found.logging, found.health) == (bare.server, bare.logging, bare.health)
    assert (found.timeouts, found.resilience, found.limits) == (bare.timeouts, bare.resilience, bare.limits)
    assert found.memcached.model_copy(update={"servers": ()}) == bare.memcached
    assert found.cache.model_copy(update={"secret": None}) == bare.cache
    assert found.providers["simulated"] == bare.providers["simulated"]
