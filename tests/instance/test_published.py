"""The published configuration: whole or not at all, and its owner's alone."""

import threading
from pathlib import Path

from app.instance.published import Published, Trouble


def test_nothing_is_in_force_before_the_first(tmp_path: Path) -> None:
    published = Published(tmp_path)
    assert published.hash() is None
    assert published.current() is None


def test_what_is_published_is_in_force_and_what_was_is_removed(tmp_path: Path) -> None:
    published = Published(tmp_path)
    published.publish("a" * 64, b"one")
    published.publish("b" * 64, b"two")
    assert published.current() == ("b" * 64, b"two")
    assert not (tmp_path / ("a" * 64)).exists()
    published.publish("b" * 64, b"two")
    assert published.current() == ("b" * 64, b"two")


def test_secrets_in_it_are_for_its_owner_alone(tmp_path: Path) -> None:
    published = Published(tmp_path)
    published.publish("a" * 64, b"one")
    published.say(Trouble("", "what is wrong", 1.0))
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_reader_sees_one_or_the_other_while_it_changes(tmp_path: Path) -> None:
    published = Published(tmp_path)
    versions = {str(i) * 64: bytes([i]) * 10_000 for i in range(8)}
    published.publish("0" * 64, versions["0" * 64])
    done = threading.Event()
    seen: list[tuple[str, bytes] | None] = []

    def read() -> None:
        while not done.is_set():
            seen.append(published.current())

    reader = threading.Thread(target=read)
    reader.start()
    for name, content in versions.items():
        for _ in range(20):
            published.publish(name, content)
    done.set()
    reader.join()
    assert seen
    assert all(found is not None and versions[found[0]] == found[1] for found in seen)


def test_trouble_is_said_until_it_is_over(tmp_path: Path) -> None:
    published = Published(tmp_path)
    assert published.trouble() is None
    published.say(Trouble("ff", "models.fast: no such provider", 12.5))
    assert published.trouble() == Trouble("ff", "models.fast: no such provider", 12.5)
    published.say(None)
    published.say(None)
    assert published.trouble() is None
