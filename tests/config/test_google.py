"""Settings of providers on Google's cloud."""

from dataclasses import replace

import pytest

from app.config.kinds import KINDS
from app.config.load import parse
from app.config.problems import ConfigError
from tests.config.given import problems, settings

KEY_FILE = '{"type": "service_account", "client_email": "x@y", "private_key": "z"}'


def vertex(more: str) -> str:
    return f"providers: {{vertex: {{models: ['*'], {more}}}}}"


def test_vertex_takes_a_project_a_location_and_the_whole_path_of_its_credentials() -> None:
    text = vertex("project: my-project, location: europe-west4, credentials_file: sa.json")
    found = settings(text, files={"sa.json": KEY_FILE}, origin="/etc/gw/gateway.yaml").providers["vertex"]

    assert (found.kind, found.project, found.location) == ("vertex", "my-project", "europe-west4")
    assert found.credentials_file == "/etc/gw/sa.json"


@pytest.mark.parametrize("more", ["project: p", "api_key: k", "project: p, api_key: k", "base_url: 'http://proxy'"])
def test_vertex_is_content_with_a_project_or_a_key(more: str) -> None:
    assert problems(vertex(more)) == {}


def test_vertex_without_either_is_told_both_ways() -> None:
    assert problems(vertex("location: global")) == {
        "providers.vertex.api_key": "missing; expected this or api_key_file, or project with credentials_file or the "
        "machine's own"
    }


def test_a_key_and_a_file_of_credentials_exclude_each_other() -> None:
    text = vertex("project: p, api_key: k, credentials_file: sa.json")

    assert problems(text, files={"sa.json": KEY_FILE}) == {
        "providers.vertex.credentials_file": "expected either this or an API key, not both"
    }


@pytest.mark.parametrize("content", ["", "a key", "[]", '{"kind": "service_account"}'])
def test_a_file_that_holds_no_google_credentials_is_refused(content: str) -> None:
    text = vertex("project: p, credentials_file: sa.json")

    assert problems(text, files={"sa.json": content}) == {
        "providers.vertex.credentials_file": "expected a file of Google credentials: JSON with a type"
    }


def test_a_missing_package_is_told_with_what_installs_it() -> None:
    kinds = {**KINDS, "vertex": replace(KINDS["vertex"], package="google_auth_is_not.here")}

    with pytest.raises(ConfigError) as caught:
        parse(vertex("project: p"), {}, lambda name: "", kinds=kinds)
    assert "pip install 'llm-gateway[vertex]'" in str(caught.value)
    parse(vertex("api_key: k"), {}, lambda name: "", kinds=kinds)


@pytest.mark.parametrize("key", ["project: p", "location: l", "credentials_file: f"])
def test_other_kinds_have_no_such_settings(key: str) -> None:
    found = problems(f"providers: {{gemini: {{api_key: k, models: ['*'], {key}}}}}", files={"f": KEY_FILE})

    assert found == {f"providers.gemini.{key.partition(':')[0]}": "not a setting of providers of the kind gemini"}
