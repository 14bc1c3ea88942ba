"""What a stranger may send as JSON."""

import pytest

from app.core.json import MAX_DEPTH, NotJson, TooDeep, strict


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
def test_what_is_not_strict_json_is_refused(body: bytes) -> None:
    with pytest.raises(NotJson):
        strict(body)


@pytest.mark.parametrize("brackets", [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_depth_is_bounded_exactly(brackets: tuple[bytes, bytes]) -> None:
    opening, closing = brackets
    each = opening.count(b"[") + opening.count(b"{")
    fits = MAX_DEPTH // each
    assert strict(opening * fits + b"0" + closing * fits) is not None
    with pytest.raises(TooDeep, match="200"):
        strict(opening * (fits + 1) + b"0" + closing * (fits + 1))


def test_brackets_inside_strings_are_not_depth() -> None:
    assert strict(b'{"a": "' + b"[{" * 5000 + b'\\"]"}') == {"a": "[{" * 5000 + '"]'}


def test_many_shallow_brackets_are_fine() -> None:
    assert len(strict(b"[" + b"[]," * 5000 + b"{}]")) == 5001


def test_an_unclosed_flood_of_brackets_is_refused_without_recursing() -> None:
    with pytest.raises(TooDeep):
        strict(b"[" * 1_000_000)
