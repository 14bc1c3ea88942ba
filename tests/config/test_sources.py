"""Reading a configuration with all that it names, and passing it on."""

from pathlib import Path

import pytest

from app.config.load import load, locate, read_sources, settings_of
from app.config.problems import ConfigError
from app.config.sources import Sources

TEXT = """
providers:
  openai: {api_key_file: "${SECRETS:-secrets}/key", models: ["*"]}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration that names a file beside it."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/key").write_text("k-1\n")
    path = tmp_path / "gateway.yaml"
    path.write_text(TEXT)
    return path


def test_named_files_are_read_relative_to_the_configuration(config: Path) -> None:
    found = read_sources(config, {})

    assert found.files == {"secrets/key": "k-1\n"}
    assert settings_of(found, {}).providers["openai"].key == "k-1"
    assert load(config, {}).providers["openai"].key == "k-1"


def test_named_files_are_found_from_another_directory(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(config.parent / "secrets")

    assert load(Path("../gateway.yaml"), {}).providers["openai"].key == "k-1"


def test_the_environment_may_say_where_files_are(config: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "key").write_text("k-2")

    assert load(config, {"SECRETS": str(elsewhere)}).providers["openai"].key == "k-2"


def test_the_hash_changes_with_the_text_and_with_the_content_of_a_file_and_with_nothing_else(config: Path) -> None:
    before = read_sources(config, {}).hash

    key = config.parent / "secrets/key"
    key.touch()
    assert read_sources(config, {}).hash == before, "times do not matter"

    key.write_text("k-2\n")
    rotated = read_sources(config, {}).hash
    config.write_text(TEXT + "# a comment\n")
    edited = read_sources(config, {}).hash
    key.unlink()
    gone = read_sources(config, {}).hash

    assert len({before, rotated, edited, gone}) == 4


def test_a_file_behind_a_moving_link_is_followed(config: Path) -> None:
    """Kubernetes swaps a directory by a link when a secret changes."""
    root = config.parent / "secrets"
    (root / "key").unlink()
    for name, key in (("v1", "k-1"), ("v2", "k-2")):
        (root / name).mkdir()
        (root / name / "key").write_text(key)
    (root / "data").symlink_to("v1")
    (root / "key").symlink_to("data/key")
    before = read_sources(config, {}).hash

    (root / "next").symlink_to("v2")
    (root / "next").rename(root / "data")

    assert read_sources(config, {}).hash != before
    assert load(config, {}).providers["openai"].key == "k-2"


def test_parts_cannot_pass_for_one_another() -> None:
    hashes = {
        Sources(None, "ab").hash,
        Sources(None, "a", {"b": ""}).hash,
        Sources(None, "a", {"": "b"}).hash,
        Sources(None, "", {"a": "b"}).hash,
        Sources(None, "a", {}, {"b": 2}).hash,
    }
    assert len(hashes) == 5


def test_where_the_configuration_lies_is_not_part_of_its_hash() -> None:
    assert Sources("/a/gateway.yaml", "x").hash == Sources("/b/gateway.yaml", "x").hash


def test_what_was_published_is_what_was_read(config: Path) -> None:
    found = read_sources(config, {})
    again = Sources.from_bytes(found.to_bytes())

    assert again == found
    assert again.hash == found.hash
    (config.parent / "secrets/key").write_text("k-2")
    config.write_text("changed")
    assert settings_of(again, {}).providers["openai"].key == "k-1", "files may change meanwhile"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"origin": null, "text": "", "files": 5}', b"null"])
def test_what_was_not_published_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a published configuration"):
        Sources.from_bytes(content)


def test_a_file_that_cannot_be_read_is_published_and_told_as_such(config: Path) -> None:
    key = config.parent / "secrets/key"
    problems = []
    for spoil in (key.unlink, key.mkdir):
        spoil()
        again = Sources.from_bytes(read_sources(config, {}).to_bytes())
        with pytest.raises(ConfigError) as caught:
            settings_of(again, {})
        problems += [(p.path, p.message) for p in caught.value.problems]

    assert problems == [
        ("providers.openai.api_key_file", "the file cannot be read: No such file or directory"),
        ("providers.openai.api_key_file", "the file cannot be read: Is a directory"),
    ]


def test_a_file_that_is_not_text_or_too_large_is_told_as_such(config: Path) -> None:
    key = config.parent / "secrets/key"
    messages = []
    for content in (b"\xff\xfe", b"k" * 1_048_577):
        key.write_bytes(content)
        with pytest.raises(ConfigError) as caught:
            load(config, {})
        messages += [p.message for p in caught.value.problems]

    assert messages == [
        "the file cannot be read: Invalid or incomplete multibyte or wide character",
        "the file cannot be read: File too large",
    ]


def test_an_odd_file_name_from_the_environment_is_a_missing_file(config: Path) -> None:
    found = read_sources(config, {"SECRETS": "\udcff\x00"})

    assert Sources.from_bytes(found.to_bytes()) == found
    with pytest.raises(ConfigError, match="api_key_file"):
        settings_of(found, {"SECRETS": "\udcff\x00"})


def test_a_broken_configuration_can_be_read_and_hashed_but_not_used(config: Path) -> None:
    config.write_text("providers: [")
    found = read_sources(config, {})

    assert len(found.hash) == 64
    with pytest.raises(ConfigError, match="not YAML"):
        settings_of(found, {})


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read: No such file or directory"), (b"\xff\xfea", "expected UTF-8 text")],
)
def test_a_configuration_that_cannot_be_read_is_told_by_its_name(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "gateway.yaml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        read_sources(path, {})

    assert str(caught.value) == f"1 problem in {path}:\n  the file: {message}"


def test_a_path_that_cannot_be_printed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gate\udcffway.yaml"
    path.write_text(TEXT)

    with pytest.raises(ConfigError, match="expected a path of printable characters") as caught:
        read_sources(path, {})
    str(caught.value).encode()


def test_an_endless_file_is_not_read_to_its_end() -> None:
    with pytest.raises(ConfigError, match="larger than 1048576 bytes"):
        load(Path("/dev/zero"), {})


def test_errors_name_the_file_and_the_line(config: Path) -> None:
    config.write_text("providers:\n  simulated: {models: ['*']}\nserver:\n  max_body: 0\n")

    with pytest.raises(ConfigError) as caught:
        load(config, {})

    assert str(caught.value) == f"1 problem in {config}:\n  server.max_body (line 4): expected at least 1"


def test_the_file_is_the_named_one_else_the_usual_one_else_none(tmp_path: Path) -> None:
    assert locate({}, tmp_path) is None

    (tmp_path / "gateway.yaml").touch()
    (tmp_path / "other.yaml").touch()

    assert locate({}, tmp_path) == tmp_path / "gateway.yaml"
    assert locate({"GATEWAY_CONFIG": ""}, tmp_path) == tmp_path / "gateway.yaml"
    assert locate({"GATEWAY_CONFIG": "other.yaml"}, tmp_path) == tmp_path / "other.yaml"
    assert locate({"GATEWAY_CONFIG": str(tmp_path / "other.yaml")}, Path("/")) == tmp_path / "other.yaml"


def test_a_named_file_that_is_not_there_is_an_error_even_beside_the_usual_one(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").touch()

    with pytest.raises(ConfigError, match="GATEWAY_CONFIG names it, but there is no such file"):
        locate({"GATEWAY_CONFIG": "typo.yaml"}, tmp_path)


def test_a_usual_file_that_is_a_dead_link_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").symlink_to("nowhere")

    with pytest.raises(ConfigError, match="cannot be read"):
        load(locate({}, tmp_path), {})
