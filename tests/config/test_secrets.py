"""No secret in a message, a repr or a log line, wherever it stands and whatever is wrong with it."""

import traceback
from pathlib import Path

import pytest

from app.config.load import parse, read_sources
from app.config.problems import ConfigError
from tests.config.given import settings

SECRET = "hunter2xyz"

GOOD = f"""
metrics: {{token: {SECRET}}}
providers:
  openai:
    api_key: {SECRET}
    proxy: "http://user:{SECRET}@proxy:1"
    headers: {{authorization: "Bearer {SECRET}"}}
    models: ["*"]
"""


def test_good_settings_do_not_show_their_secrets() -> None:
    found = settings(GOOD)

    assert found.providers["openai"].key == SECRET
    assert SECRET not in f"{found!r} {found} {found.providers['openai']!r} {found.model_dump()}"


def test_what_was_read_does_not_show_itself(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET)
    path = tmp_path / "gateway.yaml"
    path.write_text(GOOD + f"#\n  azure: {{base_url: 'http://h', api_key_file: key}} # {SECRET}")

    assert SECRET not in repr(read_sources(path, {}))


WRONG_PLACES = [
    "metrics: {token: 'VALUE é'}",
    "metrics: {token: [VALUE]}",
    "metrics: {token: {a: VALUE}}",
    "metrics: {token: VALUE, token_file: VALUE}",
    "metrics: {token_file: VALUE}",
    "metrics: VALUE",
    "server: {max_body: VALUE, open: VALUE, trusted_proxies: [VALUE]}",
    "logging: {level: VALUE, format: VALUE}",
    "timeouts: {idle: VALUE}",
    "providers: {openai: VALUE}",
    "providers: [VALUE]",
    "providers: {openai: {api_key: 'VALUE VALUE', kind: VALUE}}",
    "providers: {openai: {api_key: 'VALUE\\n'}}",
    "providers: {openai: {api_key: k, base_url: 'VALUE'}}",
    "providers: {openai: {api_key: k, base_url: 'http://user:VALUE@h/'}}",
    "providers: {openai: {api_key: k, base_url: 'http://h/?key=VALUE'}}",
    "providers: {openai: {api_key: k, proxy: 'socks5://u:VALUE@h:1'}}",
    "providers: {openai: {api_key: k, headers: {x: 'VALUE é'}}}",
    "providers: {openai: {api_key: k, headers: {x: [VALUE]}}}",
    "providers: {openai: {api_key: k, headers: VALUE}}",
    "providers: {openai: {api_key: k, models: ['VALUE*x'], timeouts: VALUE, ca_file: VALUE}}",
    "models: {fast: {targets: [VALUE, VALUE/x, {target: VALUE}]}}",
    "models: {fast: VALUE}",
    "models: {fast: {targets: VALUE, strategy: VALUE}}",
    "tenants: {acme: {keys: [VALUE]}}",
    "tenants: {acme: {keys: [{hash: VALUE, expires: VALUE, name: ' VALUE'}]}}",
    "tenants: {acme: {keys: VALUE, models: [VALUE]}}",
    "tenants: {acme: VALUE}",
    "cache: {secret: VALUE}",
    "cache: VALUE",
    "a: *VALUE",
    "a: &VALUE",
    "a: !VALUE b",
    "a: !<VALUE> b",
    "%VALUE\n---\na: b",
    "a: 'VALUE",
    'a: "VALUE\\q"',
    "a: [VALUE",
    "a: {VALUE: [",
    "VALUE",
    "- VALUE\n  VALUE: -",
    "a: | VALUE",
    "a: VALUE: VALUE",
    "a: \x07VALUE",
    "a: ${VALUE",
    "a: ${x-VALUE}",
    "a: $VALUE",
    "x: {<<: VALUE}",
    "? [VALUE]\n: 1",
]


@pytest.mark.parametrize("text", WRONG_PLACES)
def test_no_message_repeats_a_value(text: str) -> None:
    for written in (text.replace("VALUE", SECRET), text.replace("VALUE", f"${{{'SECRET'}}}")):
        with pytest.raises(ConfigError) as caught:
            parse(written, {"SECRET": SECRET}, lambda name: SECRET)

        told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + str(caught.value)
        assert SECRET not in told.replace(f"a.{SECRET}", "")
