"""A configured provider is its row and what the configuration says of it."""

from __future__ import annotations

import pytest

from app.providers import registry


def test_every_row_can_be_built() -> None:
    for kind in registry.kinds():
        built = registry.build("mine", kind, base_url="https://h", key="k")

        assert (built.name, built.kind) == ("mine", kind)
        assert built.dialect.native


def test_a_key_is_sent_the_way_the_provider_wants_it() -> None:
    headers = {kind: registry.build(kind, kind, base_url="https://h", key="k").headers for kind in ("openai", "azure")}

    assert headers == {"openai": {"authorization": "Bearer k"}, "azure": {"api-key": "k"}}


def test_without_a_key_none_is_sent() -> None:
    assert registry.build("ollama", "ollama").headers == {}


def test_configured_headers_win() -> None:
    built = registry.build("mine", "azure", base_url="https://h", key="k", headers={"API-Key": "j", "X-Title": "t"})

    assert built.headers == {"api-key": "j", "x-title": "t"}


@pytest.mark.parametrize("kind", ["azure", "vllm", "compatible"])
def test_who_has_no_home_needs_a_base_url(kind: str) -> None:
    with pytest.raises(ValueError, match="needs a base_url"):
        registry.build("mine", kind)


def test_an_unknown_kind_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'gopher'; known: anthropic, azure"):
        registry.build("mine", "gopher")


def test_no_row_shows_its_key() -> None:
    assert "secret" not in repr(registry.build("mine", "openai", key="a-secret", proxy="http://u:secret@h"))


@pytest.mark.parametrize(
    ("kind", "base_url", "url"),
    [
        ("openai", None, "https://api.openai.com/v1/models"),
        ("perplexity", None, "https://api.perplexity.ai/v1/models"),
        ("azure", "https://r.openai.azure.com", "https://r.openai.azure.com/openai/models?api-version=2024-10-21"),
        ("azure", "https://r.openai.azure.com/openai/v1", "https://r.openai.azure.com/openai/v1/models"),
        (
            "azure",
            "https://r.services.ai.azure.com/models",
            "https://r.services.ai.azure.com/openai/v1/models",
        ),
        ("simulated", None, None),
    ],
)
def test_a_list_of_models_is_free_to_ask(kind: str, base_url: str | None, url: str | None) -> None:
    assert registry.model_list_url(registry.build("mine", kind, base_url=base_url)) == url
