"""Whatever the file says, there are settings or a list of problems; never anything else."""

from typing import Any

import yaml
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.config.load import parse
from app.config.problems import ConfigError, Problem
from app.config.settings import Settings
from tests.config.given import HASH
from tests.config.test_accepted import EVERYTHING

calmly = hypothesis_settings(max_examples=300)


def outcome(text: str) -> Settings | tuple[Problem, ...]:
    def read(name: str) -> str:
        raise FileNotFoundError(2, "No such file or directory", name)

    try:
        return parse(text, {"X": "x", "ODD": "\udcff\n"}, read)
    except ConfigError as error:
        found = error
    str(found).encode()  # it can be printed
    assert found.problems
    assert all(p.message and p.path and "\n" not in str(p) for p in found.problems)
    return found.problems


WORDS = sorted(set(EVERYTHING.replace("{", " ").replace("}", " ").replace(":", " ").replace(",", " ").split()))
KEYS = st.one_of(
    st.sampled_from([word for word in WORDS if word.replace("_", "").isalpha()]),
    st.sampled_from(["*", "", "<<", "gpt-4.1", "fast*", "a b", "${X}"]),
    st.text(max_size=5),
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["openai/gpt", "simulated/simulated", "*", "fast", "${X}", "${ODD}", "$", "${", HASH, "off", "auto"]
    ),
    st.sampled_from(
        ["2027-01-31T00:00:00Z", "http://h/v1", "10.0.0.0/8", "unix:/m", "h:1", "s" * 40, "1e400", "\ud800"]
    ),
)
TREES = st.recursive(
    VALUES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=25,
)


def shaped(children: dict[str, Any]) -> Any:
    """Mostly the right keys in the right places, with anything in them."""
    return st.one_of(st.fixed_dictionaries({}, optional=children), TREES)


SECTION = st.dictionaries(KEYS, VALUES, max_size=6)
SECTIONS = st.dictionaries(KEYS, SECTION, max_size=2)
LIST, LISTS = st.lists(VALUES, max_size=4), st.dictionaries(KEYS, st.lists(VALUES), max_size=3)
TARGET = st.one_of(VALUES, shaped({"target": VALUES, "weight": VALUES}))
KEY = st.one_of(VALUES, shaped({"hash": VALUES, "name": VALUES, "expires": VALUES}))
PLAIN = ("kind", "base_url", "api_key", "api_key_file", "ca_file", "proxy", "words")
PARTS = {"timeouts": SECTION, "cache": SECTION, "price": SECTION, "fallbacks": LISTS}
MODEL = shaped({"targets": st.lists(TARGET), **PARTS})
OWN = {"headers": SECTION, "models": LIST, "timeouts": SECTION, "faults": SECTION}
PROVIDER = shaped({**{key: VALUES for key in PLAIN}, **OWN})
TENANT = shaped({"keys": st.lists(KEY), "models": LIST, "limits": SECTION, "model_limits": SECTIONS})
TOP = ("server", "logging", "metrics", "timeouts", "cache", "resilience", "memcached", "limits", "health")
NAMED = st.one_of(st.sampled_from(["openai", "simulated", "azure", "x"]), KEYS)
ENTRIES = {
    "providers": st.dictionaries(NAMED, PROVIDER, max_size=3),
    "models": st.dictionaries(KEYS, MODEL, max_size=3),
    "tenants": st.dictionaries(KEYS, TENANT, max_size=3),
}
FILES = shaped({**{key: st.one_of(SECTION, VALUES) for key in TOP}, **ENTRIES})


@calmly
@given(st.text())
@example("\x85")
@example("a: \u2028b")
@example("? ")
@example("!!int")
@example("&a")
@example("{<<: {<<: {}}}")
@example("0_: 0b_")
@example("- - - &a *a")
def test_any_text_is_read_or_refused(text: str) -> None:
    outcome(text)


@calmly
@given(FILES)
def test_any_tree_is_taken_or_refused(tree: Any) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True)

    outcome(text)


@calmly
@given(st.lists(st.tuples(st.integers(0, len(EVERYTHING) - 1), st.integers(0, 4), st.text(max_size=3)), max_size=6))
def test_a_good_file_with_slips_is_taken_or_refused(slips: list[tuple[int, int, str]]) -> None:
    text = EVERYTHING
    for place, length, instead in slips:
        text = text[:place] + instead + text[place + length :]

    outcome(text)
