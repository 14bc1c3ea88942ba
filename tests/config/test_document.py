"""YAML text to plain data."""

from textwrap import dedent

import pytest

from app.config.document import MAX_BYTES, Document, Unreadable, read
from app.config.problems import Report


def parsed(text: str) -> tuple[Document, dict[str, str]]:
    report = Report()
    document = read(dedent(text), report)
    return document, {p.path: p.message for p in report.error(document.lines).problems}


def tree(text: str) -> object:
    document, problems = parsed(text)
    assert not problems
    return document.tree


def test_plain_values_have_the_types_that_they_are_written_as() -> None:
    found = tree("{a: 1, b: 1.5, c: true, d: off, e: null, f: ~, g: text, h: '5', i: [x, []], j: -3, k: 1_000}")

    assert found == {
        "a": 1, "b": 1.5, "c": True, "d": False, "e": None, "f": None, "g": "text", "h": "5", "i": ["x", []],
        "j": -3, "k": 1000,
    }  # fmt: skip


def test_keys_are_names_whatever_yaml_would_make_of_them() -> None:
    assert tree("{no: 1, 4.1: 2, null: 3, true: 4}") == {"no": 1, "4.1": 2, "null": 3, "true": 4}


def test_dates_and_clock_times_stay_text() -> None:
    assert tree("{a: 2027-01-31T00:00:00Z, b: 1:30, c: 190:20:30.15}") == {
        "a": "2027-01-31T00:00:00Z",
        "b": "1:30",
        "c": "190:20:30.15",
    }


def test_an_explicit_standard_tag_is_obeyed() -> None:
    assert tree("{a: !!str 5, b: !!int '5', c: !!map {}, d: !!seq []}") == {"a": "5", "b": 5, "c": {}, "d": []}


@pytest.mark.parametrize("text", ["", "# nothing\n", "\ufeff", "---\n...\n"])
def test_an_empty_file_is_an_empty_mapping_or_nothing(text: str) -> None:
    assert tree(text) in ({}, None)


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter() -> None:
    document, _ = parsed("\ufeffa:\r\n  b: 1\r\n")

    assert document.tree == {"a": {"b": 1}}
    assert document.lines["a", "b"] == 2


def test_every_path_has_its_line() -> None:
    document, _ = parsed(
        """\
        a:
          b: 1
          c:
            - x
            - {d: 2}
        """
    )

    assert document.lines["a", "b"] == 2
    assert document.lines["a", "c", 0] == 4
    assert document.lines["a", "c", 1, "d"] == 5


def test_a_key_named_twice_is_found_at_every_depth() -> None:
    _, problems = parsed("{a: {b: 1, b: 2}, c: [{d: 1, d: 1}], a: 3}")

    assert problems == {"a.b": "named twice", "c[0].d": "named twice", "a": "named twice"}


def test_aliases_stand_for_what_they_name() -> None:
    assert tree("{a: &x {k: [1]}, b: *x}") == {"a": {"k": [1]}, "b": {"k": [1]}}


def test_merge_keys_give_way_to_the_mapping_s_own() -> None:
    found = tree(
        """
        one: &one {a: 1, b: 1}
        two: &two {b: 2, c: 2}
        all: {c: 3, <<: [*one, *two], d: 4}
        single: {<<: *one}
        """
    )

    assert isinstance(found, dict)
    assert found["all"] == {"a": 1, "b": 1, "c": 3, "d": 4}
    assert found["single"] == {"a": 1, "b": 1}


def test_a_quoted_merge_sign_is_a_key() -> None:
    assert tree('{"<<": 1}') == {"<<": 1}


def test_what_cannot_be_merged_is_told() -> None:
    assert parsed("{a: {<<: 5}, b: {<<: [{x: 1}, y]}}")[1] == {
        "a.<<": "expected a mapping, or a list of them, to merge",
        "b.<<": "expected a mapping, or a list of them, to merge",
    }


@pytest.mark.parametrize(
    "value",
    [
        "!secret x",
        "!!python/object/apply:os.system [ls]",
        "!!set {a}",
        "!!binary aGk=",
        "!!omap []",
        "!!int {}",
        "!x []",
    ],
)
def test_other_tags_are_refused_without_being_repeated(value: str) -> None:
    assert parsed(f"a: {value}")[1] == {"a": "a YAML tag that is not known here; leave it out"}


@pytest.mark.parametrize("value", ["!!int x", "!!float x", "!!bool x", "0b_", "0x_", "9" * 5000, "!!int ''"])
def test_numbers_that_cannot_be_read_are_told(value: str) -> None:
    _, problems = parsed(f"a: {value}")

    assert list(problems) == ["a"]
    assert problems["a"].startswith("cannot be read as YAML's ")


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a: 1\nb: [", "not YAML: while parsing a flow node, did not find expected node content", 3),
        ("a: 1\n  b: 2", "not YAML: mapping values are not allowed in this context", 2),
        ("a:\n\t- 1", "not YAML: while scanning for the next token, found character that cannot start any token", 2),
        ("a: 1\n---\nb: 2", "a second document; one is expected", 2),
        ("a: 1\nb: *secret", "an alias (*) without an anchor (&) before it", 2),
        ("a: &a\n  - *a", "an alias (*) without an anchor (&) before it", 2),
        ("? [a]\n: 1", "a key that is not plain text", 1),
        ("? {a: 1}\n: 1", "a key that is not plain text", 1),
        ("a: 1\nb: \x07", "not YAML: a control character or invalid Unicode", 2),
        ("a: \ud800", "not YAML: invalid Unicode", None),
        ("[" * 100, "nested deeper than 32 levels", 1),
        ("- " * 10_000, "nested deeper than 32 levels", 1),
    ],
)
def test_what_is_not_yaml_says_where_it_stops(text: str, message: str, line: int | None) -> None:
    with pytest.raises(Unreadable) as caught:
        read(text, Report())

    assert (caught.value.message, caught.value.line) == (message, line)


def test_variables_in_braces_without_quotes_bring_a_hint() -> None:
    with pytest.raises(Unreadable) as caught:
        read("providers:\n  openai: {api_key: ${OPENAI_API_KEY}}\n", Report())

    assert caught.value.message.endswith('; inside { } a "${NAME}" needs its quotes')


def test_a_file_that_grows_by_aliases_is_refused() -> None:
    levels = "\n".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, 10))

    with pytest.raises(Unreadable, match="more than 100000 values"):
        read(f"l0: &l0 [x]\n{levels}", Report())


def test_a_file_of_too_many_values_is_refused() -> None:
    with pytest.raises(Unreadable, match="more than 100000 values"):
        read("[" + "1," * 100_001 + "]", Report())


def test_a_file_that_is_too_large_is_refused() -> None:
    assert tree("#" * (MAX_BYTES - 1)) in ({}, None)
    with pytest.raises(Unreadable, match="larger than 1048576 bytes"):
        read("#" * (MAX_BYTES + 1), Report())
