"""What a stranger may send as JSON."""

import pytest

from app.core.json import MAX_DEPTH, MAX_PARTS, NotJson, TooMuch, loads


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\udc00x"}',
        b'{"a": "\xff"}',
        '{"a": 1}'.encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b'{"a": 1,}',
        b"{'a': 1}",
        b'{"a": 01}',
        b'{"a": "\x00"}',
        b"[" * 100,
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(NotJson):
        loads(body)


@pytest.mark.parametrize("brackets", [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_depth_is_bounded_exactly(brackets: tuple[bytes, bytes]) -> None:
    opening, closing = brackets
    each = opening.count(b"[") + opening.count(b"{")
    fits = MAX_DEPTH // each
    assert loads(opening * fits + b"0" + closing * fits) is not None
    with pytest.raises(TooMuch, match="200"):
        loads(opening * (fits + 1) + b"0" + closing * (fits + 1))


def test_brackets_inside_strings_are_not_depth() -> None:
    assert loads(b'{"a": "' + b"[{" * 5000 + b'\\"]"}') == {"a": "[{" * 5000 + '"]'}


def test_many_shallow_brackets_are_fine() -> None:
    assert len(loads(b"[" + b"[]," * 5000 + b"{}]")) == 5001


def test_an_unclosed_flood_of_brackets_is_refused_without_recursing() -> None:
    with pytest.raises(TooMuch):
        loads(b"[" * 1_000_000)


@pytest.mark.parametrize("filler", [b"", b'"' + b"x" * 70_000 + b'",'])
def test_depth_is_found_wherever_it_is(filler: bytes) -> None:
    """The beginning is looked at first."""
    for deeper in (0, 1):
        body = b"[" + filler + b"[" * (MAX_DEPTH - 1 + deeper) + b"]" * (MAX_DEPTH - 1 + deeper) + b"]"
        if deeper:
            with pytest.raises(TooMuch, match="200 levels"):
                loads(body)
        else:
            assert loads(body)


@pytest.mark.parametrize(
    ("part", "each"), [(b"[],", 1), (b"{},", 1), (b'{"a":0},', 2), (b'{"a":[{"b":[]}]},', 6), (b'["]",{}],', 2)]
)
def test_parts_are_bounded_exactly(part: bytes, each: int) -> None:
    """Each takes memory that its bytes do not show."""
    fits = (MAX_PARTS - 1) // each
    more = MAX_PARTS - 1 - fits * each
    assert len(loads(b"[" + part * fits + b"[]," * more + b"0]")) == fits + more + 1
    with pytest.raises(TooMuch, match="250000 arrays, objects and members"):
        loads(b"[" + part * fits + b"[]," * (more + 1) + b"0]")


def test_members_alone_are_parts() -> None:
    members = b",".join(b'"%d":0' % number for number in range(MAX_PARTS))
    with pytest.raises(TooMuch):
        loads(b"{" + members + b"}")


@pytest.mark.parametrize("text", [b"[", b"{:", b"\\\\[", b'\\"[', b"]"])
def test_what_is_in_a_string_is_no_part(text: bytes) -> None:
    assert loads(b'{"a": "' + text * 300_000 + b'"}')


@pytest.mark.parametrize("body", [b"[" * 201 + b"]" * 300_000, b"]" * 300_000, b"[" * 201 + b'"' * 300_000])
def test_what_closes_more_than_it_opens_is_no_json(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|200|document|expected"):
        loads(body)
