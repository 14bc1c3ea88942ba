"""The configuration on disk, looked at as the housekeeper does."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.config.load import read_sources, settings_of
from app.config.settings import Settings
from app.config.sources import Sources
from app.housekeeper.watch import Watch
from app.instance.published import Published

BASE = "providers: {{simulated: {{}}}}\nmodels: {{{model}: {{targets: [simulated/x]}}}}\n"
KEYED = "providers: {{openai: {{api_key_file: {file}}}}}\nmodels: {{fast: {{targets: [openai/x]}}}}\n"


class Place:
    """A configuration file, what is published of it, and a housekeeper's watch over it."""

    def __init__(self, directory: Path, text: str) -> None:
        self.file = directory / "gateway.yaml"
        self.file.write_text(text)
        (directory / "config").mkdir()
        self.published = Published(directory / "config")
        sources = read_sources(self.file, {})
        self.published.publish(sources.hash, sources.to_bytes())
        self.judged = 0
        self.watch = Watch(self.published, self._accept, {})

    def models(self) -> list[str]:
        """Of what is published."""
        found = self.published.current()
        assert found is not None
        return list(settings_of(Sources.from_bytes(found[1]), {}).models)

    def _accept(self, sources: Sources) -> Settings:
        self.judged += 1
        return settings_of(sources, {})


Make = Callable[[str], Place]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda text: Place(tmp_path, text)


def test_what_does_not_change_is_not_judged(make: Make) -> None:
    place = make(BASE.format(model="one"))
    place.watch.look()
    os.utime(place.file, (1, 1))
    place.watch.look()
    assert place.judged == 0


def test_a_good_change_is_published(make: Make) -> None:
    place = make(BASE.format(model="one"))
    place.file.write_text(BASE.format(model="two"))
    place.watch.look()
    assert place.models() == ["two"]
    assert list(place.watch.settings.models) == ["two"]
    place.watch.look()
    assert place.judged == 1


def test_a_bad_change_changes_nothing_and_is_said_once(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    place = make(BASE.format(model="one"))
    place.file.write_text(BASE.format(model="two") + "nonsense: 1\n")
    for _ in range(3):
        place.watch.look()
    assert place.models() == ["one"]
    trouble = place.published.trouble()
    assert trouble is not None
    assert "nonsense" in trouble.message
    assert place.judged == 1
    assert caplog.text.count("not taken over") == 1


def test_trouble_is_over_with_the_next_good_one_or_with_the_last(make: Make) -> None:
    place = make(BASE.format(model="one"))
    for good, models in ((BASE.format(model="one"), ["one"]), (BASE.format(model="two"), ["two"])):
        place.file.write_text("providers: [")
        place.watch.look()
        assert place.published.trouble() is not None
        place.file.write_text(good)
        place.watch.look()
        assert place.published.trouble() is None
        assert place.models() == models


def test_a_file_that_is_gone_is_a_bad_one_and_not_the_built_in_one(make: Make) -> None:
    """An editor that saves by moving must not open the gateway to strangers for a moment."""
    place = make(BASE.format(model="one"))
    place.file.unlink()
    place.watch.look()
    assert place.models() == ["one"]
    trouble = place.published.trouble()
    assert trouble is not None
    assert "cannot be read" in trouble.message
    place.file.write_text(BASE.format(model="one"))
    place.watch.look()
    assert place.published.trouble() is None


def test_a_secret_that_rotates_in_a_file_is_a_change(make: Make, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("old-key-of-some-length")
    place = make(KEYED.format(file=secret))
    secret.write_text("new-key-of-some-length")
    place.watch.look()
    assert place.watch.settings.providers["openai"].key == "new-key-of-some-length"


def test_links_that_are_turned_are_a_change(make: Make, tmp_path: Path) -> None:
    """As Kubernetes updates a mounted ConfigMap or Secret: the link moves, and no file that it names changes."""
    for name in ("v1", "v2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "key").write_text(f"{name}-key-of-some-length")
        os.utime(tmp_path / name / "key", (1, 1))
    link = tmp_path / "data"
    link.symlink_to("v1")
    place = make(KEYED.format(file=link / "key"))
    fresh = tmp_path / "data.new"
    fresh.symlink_to("v2")
    fresh.rename(link)
    place.watch.look()
    assert place.watch.settings.providers["openai"].key == "v2-key-of-some-length"


def test_a_file_that_is_still_being_written_is_left_until_it_rests(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    place = make(BASE.format(model="one"))
    halves = iter([BASE.format(model="two"), BASE.format(model="two") + "# more\n"])

    def write_on(_: float) -> None:
        place.file.write_text(next(halves))

    monkeypatch.setattr("app.housekeeper.watch.time.sleep", write_on)
    place.file.write_text(BASE.format(model="tw"))
    place.watch.look()
    assert place.models() == ["one"], "it changed again while the watch waited"
    assert place.judged == 0


def test_a_successor_knows_what_its_predecessor_has_said(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    place = make(BASE.format(model="one"))
    place.file.write_text("providers: [")
    place.watch.look()
    caplog.clear()
    again = Watch(place.published, place.watch._accept, {})
    again.look()
    assert again.trouble == place.published.trouble()
    assert not caplog.text
