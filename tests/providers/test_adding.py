"""How to add a provider, as docs/providers.md says: its code becomes two kinds, and they answer through the gateway."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import app.providers
from app.config.kinds import KINDS, Kind
from app.providers import registry
from app.providers.table import markdown
from tests.metrics.house import House
from tests.standin import Answer, Piece, Request

ROOT = Path(__file__).parent.parent.parent
CODE = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs/providers.md").read_text(), re.MULTILINE | re.DOTALL)
PATHS = ("/v1/chat/completions", "/v1/responses", "/v1/messages")


class _House(House):
    def _configuration(self, models: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
        common = {"base_url": self.provider.url, "models": ["*"]}
        providers = {"nimbus": {"api_key": "n", **common}, "parrot": {"api_key": "p", **common}}
        return {**super()._configuration(models, more), "providers": providers}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The page's files as if they lay in the folder of providers, and its lines as if they stood among the kinds."""
    folder = tmp_path_factory.mktemp("providers")
    settings, nimbus, parrot = CODE
    with pytest.MonkeyPatch.context() as patch:
        for name, code in (("nimbus", nimbus), ("parrot", parrot)):
            (folder / f"{name}.py").write_text(code)
            patch.delitem(sys.modules, f"app.providers.{name}", raising=False)
        patch.setattr(app.providers, "__path__", [*app.providers.__path__, str(folder)])
        lines = eval(f"{{{settings}}}", {"_HOSTED": Kind()})  # noqa: S307 - the page's own
        for kind, made in lines.items():
            patch.setitem(KINDS, kind, made)
        registry.rows.cache_clear()
        with _House(folder, {}) as built:
            yield built
    registry.rows.cache_clear()
    for name in ("nimbus", "parrot"):
        sys.modules.pop(f"app.providers.{name}", None)


def squawk(request: Request) -> Answer:
    """The made-up provider itself."""
    used = {"why": "out of breath", "used": {"heard": 5, "said": 2}}
    if request.header("x-cracker") != "p":
        return Answer(401, body=(Piece(b'{"message": "no cracker"}'),))
    if not request.fields["events"]:
        return Answer(body=(Piece(json.dumps({"said": "Pretty Polly", **used}).encode()),))
    events = [{"piece": "Pretty"}, {"piece": " Polly"}, used]
    pieces = tuple(Piece(f"data: {json.dumps(event)}\n\n".encode()) for event in events)
    return Answer(headers=(("content-type", "text/event-stream"),), body=pieces)


def test_the_page_has_what_is_tried_here() -> None:
    assert len(CODE) == 3


def test_a_new_kind_is_found_and_gets_its_line_in_the_tables(house: House) -> None:
    assert {"nimbus", "parrot"} < set(registry.kinds())
    assert "| [Nimbus](https://docs.nimbus.example) | `nimbus` |" in markdown()


def test_a_row_is_all_that_a_compatible_provider_needs(house: House) -> None:
    answer = house.call("nimbus/words-3", max_tokens=None, max_completion_tokens=9, logit_bias={"1": 2})
    sent = house.provider.journal.last

    assert (answer.status_code, answer.headers["x-gateway-dropped"]) == (200, "logit_bias")
    assert (sent.path, sent.header("authorization")) == ("/v1/chat/completions", "Bearer n")
    assert (sent.json["max_tokens"], "logit_bias" in sent.json) == (9, False)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_dialect_is_all_that_another_one_needs_in_every_language_of_clients(
    house: House, path: str, stream: bool
) -> None:
    house.provider.script(squawk, path="/speak")
    answer = house.call("parrot/polly", path, stream=stream, input="Hi", logit_bias=None)
    sent = house.provider.journal.last

    assert answer.status_code == 200, answer.get_data(as_text=True)
    said = answer.get_data(as_text=True)
    assert "Pretty" in said
    assert "Polly" in said
    assert re.search(r'"(length|max_tokens|max_output_tokens)"', said)
    assert (sent.json["bird"], sent.json["lines"][-1]["who"]) == ("polly", "user")
    assert answer.headers["x-gateway-provider"] == "parrot"


def test_its_calls_are_counted_like_any_other(house: House) -> None:
    before = house.added()
    house.provider.script(squawk, path="/speak", times=2)
    house.call("parrot/polly")
    house.call("parrot/polly", stream=True)
    added = {name: value - before.get(name, 0) for name, value in house.added().items() if "parrot" in name}

    assert added["requests_total{parrot/*,parrot,success,false}"] == 1
    assert added["requests_total{parrot/*,parrot,success,true}"] == 1
    assert added["tokens_total{parrot/*,parrot,input}"] == 10
    assert added["tokens_total{parrot/*,parrot,output}"] == 4


def test_its_refusals_have_a_name_and_what_it_cannot_be_told_is_refused(house: House) -> None:
    several = house.call("parrot/polly", n=2)
    house.provider.script(lambda request: Answer(402, body=(Piece(b'{"message": "no seeds"}'),)), path="/speak")
    empty = house.call("parrot/broke")

    assert (empty.status_code, empty.get_json()["error"]["code"]) == (503, "insufficient_quota")
    assert (several.status_code, several.get_json()["error"]["param"]) == (400, "n")
