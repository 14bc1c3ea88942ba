"""Providers that speak OpenAI's language: one row each, and that row is all there is to them.

A base_url is what the official OpenAI SDK would take: everything before `/chat/completions`, version included. One
without any path (`http://host:8000`) gets the path of its row, which is `/v1` for most.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.core.provider import Provider
from app.core.wire import Operation
from app.providers.openai import OpenAIDialect
from app.providers.quirks import Quirks, at_most_40, nine
from app.providers.row import Feature, Row

_CHAT = frozenset({Operation.CHAT})
_AND_VECTORS = _CHAT | {Operation.EMBEDDINGS}
_AND_TEXT = _CHAT | {Operation.COMPLETIONS}
_TEXT_AND_VECTORS = _AND_TEXT | {Operation.EMBEDDINGS}
_TEXT_VECTORS_AND_RERANK = _TEXT_AND_VECTORS | {Operation.RERANK}
_ALL = _TEXT_AND_VECTORS | {Operation.MODERATIONS}
_AND_RERANK = _ALL | {Operation.RERANK}

#: Who speaks the Responses API, too; everybody else is asked in chat.
_RESPONSES = frozenset({Operation.RESPONSES})

_EVERYTHING = frozenset(Feature)
_NO_IMAGES = _EVERYTHING - {Feature.VISION}

#: Who knows only the older name.
_MAX_TOKENS: Mapping[str, str] = {"max_completion_tokens": "max_tokens"}

#: What an assistant message holds when a client sends back what it was given, and some refuse.
_OURS = frozenset({"reasoning", "reasoning_content", "refusal", "annotations", "audio", "function_call"})


def _perplexity_models(provider: Provider) -> str | None:
    return f"{provider.base_url.removesuffix('/v1')}/v1/models"


def _perplexity(provider: Provider, path: str, model: str) -> str:
    """Chat is at the root, the rest below /v1."""
    return provider.base_url.removesuffix("/v1") + path


def _no_models(_: Provider) -> str | None:
    return None


ROWS = (
    Row(
        kind="openai",
        title="OpenAI",
        base_url="https://api.openai.com/v1",
        dialect=OpenAIDialect(native=_ALL | _RESPONSES, quirks=Quirks(call_ids=at_most_40)),
        features=_EVERYTHING,
        docs="https://platform.openai.com/docs/api-reference",
    ),
    Row(
        kind="mistral",
        title="Mistral",
        base_url="https://api.mistral.ai/v1",
        dialect=OpenAIDialect(
            native=_AND_VECTORS,
            quirks=Quirks(
                asks_usage=False,
                rename={"seed": "random_seed", "max_completion_tokens": "max_tokens"},
                rename_embeddings={"dimensions": "output_dimension"},
                drop=frozenset(  # 422 on any field it does not know
                    {
                        "stream_options",
                        "user",
                        "logit_bias",
                        "store",
                        "service_tier",
                        "safety_identifier",
                        "prompt_cache_options",
                        "prompt_cache_retention",
                        "verbosity",
                    }
                ),
                drop_in_messages={
                    "assistant": _OURS | {"name"},
                    "user": frozenset({"name"}),
                    "system": frozenset({"name"}),
                    "developer": frozenset({"name"}),
                },
                developer_role=False,
                call_ids=nine,
            ),
        ),
        features=_EVERYTHING,
        docs="https://docs.mistral.ai/api",
    ),
    Row(
        kind="groq",
        title="Groq",
        base_url="https://api.groq.com/openai/v1",
        path="/openai/v1",
        dialect=OpenAIDialect(
            quirks=Quirks(
                asks_usage=False,  # it is always in the last chunk's x_groq
                drop=frozenset({"logit_bias"}),
                refuse=frozenset({"logprobs", "top_logprobs", "n"}),
                values={"service_tier": {"default": "on_demand", "priority": "performance"}},
                drop_in_messages={
                    "": frozenset({"name"}),
                    "assistant": _OURS - {"reasoning", "function_call"},
                },
                drop_nulls_in_messages=True,
            ),
        ),
        features=_EVERYTHING,
        docs="https://console.groq.com/docs/api-reference",
    ),
    Row(
        kind="together",
        title="Together",
        base_url="https://api.together.xyz/v1",
        dialect=OpenAIDialect(native=_TEXT_VECTORS_AND_RERANK, quirks=Quirks(asks_usage=False, rename=_MAX_TOKENS)),
        features=_EVERYTHING,
        docs="https://docs.together.ai/reference",
    ),
    Row(
        kind="deepseek",
        title="DeepSeek",
        base_url="https://api.deepseek.com",
        path="",
        dialect=OpenAIDialect(native=_CHAT | _RESPONSES, quirks=Quirks(rename=_MAX_TOKENS, developer_role=False)),
        features=_NO_IMAGES - {Feature.JSON_SCHEMA},
        docs="https://api-docs.deepseek.com",
    ),
    Row(
        kind="xai",
        title="xAI",
        base_url="https://api.x.ai/v1",
        dialect=OpenAIDialect(native=_CHAT | _RESPONSES),
        features=_EVERYTHING,
        docs="https://docs.x.ai/docs/api-reference",
    ),
    Row(
        kind="openrouter",
        title="OpenRouter",
        base_url="https://openrouter.ai/api/v1",
        path="/api/v1",
        dialect=OpenAIDialect(native=_TEXT_VECTORS_AND_RERANK | _RESPONSES),
        features=_EVERYTHING,
        docs="https://openrouter.ai/docs/api-reference",
    ),
    Row(
        kind="perplexity",
        title="Perplexity",
        base_url="https://api.perplexity.ai",
        path="",
        models_url=_perplexity_models,
        dialect=OpenAIDialect(
            native=_AND_VECTORS,
            quirks=Quirks(asks_usage=False, rename=_MAX_TOKENS, developer_role=False, int8_embeddings=True),
            paths={Operation.EMBEDDINGS: "/v1/embeddings"},
            locate=_perplexity,
        ),
        features=_EVERYTHING - {Feature.TOOLS},
        docs="https://docs.perplexity.ai/api-reference",
    ),
    Row(
        kind="fireworks",
        title="Fireworks",
        base_url="https://api.fireworks.ai/inference/v1",
        path="/inference/v1",
        dialect=OpenAIDialect(native=_TEXT_AND_VECTORS),
        features=_EVERYTHING,
        docs="https://docs.fireworks.ai/api-reference",
    ),
    Row(
        kind="cerebras",
        title="Cerebras",
        base_url="https://api.cerebras.ai/v1",
        dialect=OpenAIDialect(native=_AND_TEXT, quirks=Quirks(drop_in_messages={"assistant": _OURS - {"reasoning"}})),
        features=_NO_IMAGES,
        docs="https://inference-docs.cerebras.ai/api-reference",
    ),
    Row(
        kind="huggingface",
        title="Hugging Face",
        base_url="https://router.huggingface.co/v1",
        dialect=OpenAIDialect(quirks=Quirks(rename=_MAX_TOKENS)),
        features=_EVERYTHING,
        docs="https://huggingface.co/docs/inference-providers",
    ),
    Row(
        kind="ollama",
        title="Ollama",
        base_url="http://localhost:11434/v1",
        dialect=OpenAIDialect(native=_TEXT_AND_VECTORS, quirks=Quirks(rename=_MAX_TOKENS)),
        features=_EVERYTHING,
        docs="https://docs.ollama.com/api/openai-compatibility",
    ),
    Row(
        kind="vllm",
        title="vLLM",
        base_url=None,
        dialect=OpenAIDialect(native=_TEXT_VECTORS_AND_RERANK),
        features=_EVERYTHING,
        docs="https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
    ),
    Row(
        kind="zai",
        title="Z.ai",
        base_url="https://api.z.ai/api/paas/v4",
        path="/api/paas/v4",
        dialect=OpenAIDialect(quirks=Quirks(rename=_MAX_TOKENS, developer_role=False)),
        features=_EVERYTHING - {Feature.JSON_SCHEMA},
        docs="https://docs.z.ai/api-reference",
    ),
    Row(
        kind="compatible",
        title="anything compatible",
        base_url=None,
        dialect=OpenAIDialect(native=_AND_RERANK),
        features=_EVERYTHING,
        note="any server that speaks OpenAI's language; `base_url` is what its SDK would take, a bare host gets `/v1`",
    ),
    Row(
        kind="simulated",
        title="the simulated provider",
        base_url="simulated:",
        path="",
        models_url=_no_models,
        dialect=OpenAIDialect(native=_AND_RERANK),
        features=frozenset({Feature.STREAM}),
        note="answers from inside the gateway: no account, no network",
    ),
)
