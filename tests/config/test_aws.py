"""Settings of providers on Amazon's cloud."""

from dataclasses import replace

import pytest

from app.config.kinds import KINDS
from app.config.load import parse
from app.config.problems import ConfigError
from tests.config.given import problems, settings

KEY_FILE = "[default]\naws_access_key_id = AKID\naws_secret_access_key = secret\n"


def bedrock(more: str) -> str:
    return f"providers: {{bedrock: {{models: ['*'], {more}}}}}"


def test_bedrock_takes_a_region_and_the_whole_path_of_its_credentials() -> None:
    text = bedrock("region: eu-central-1, credentials_file: aws")
    found = settings(text, files={"aws": KEY_FILE}, origin="/etc/gw/gateway.yaml").providers["bedrock"]

    assert (found.kind, found.region, found.credentials_file) == ("bedrock", "eu-central-1", "/etc/gw/aws")


@pytest.mark.parametrize("more", ["api_key: k", "base_url: 'http://vpce'", "credentials_file: aws", "probe: true"])
def test_bedrock_is_content_with_a_key_of_either_sort_or_with_the_machine_s_own(more: str) -> None:
    assert problems(bedrock(f"region: us-east-1, {more}"), files={"aws": KEY_FILE}) == {}


def test_bedrock_needs_a_region() -> None:
    assert problems(bedrock("api_key: k")) == {
        "providers.bedrock.region": "missing; providers of the kind bedrock need it"
    }


@pytest.mark.parametrize("region", ["us", "us-east-1/x", "evil.example/", "EU-CENTRAL-1", "us east 1"])
def test_a_region_is_a_part_of_a_host_s_name(region: str) -> None:
    assert problems(bedrock(f"api_key: k, region: '{region}'")) == {
        "providers.bedrock.region": 'expected a region such as "eu-central-1"'
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a key", "AWS credentials as an INI file or as JSON"),
        ("{", "AWS credentials as an INI file or as JSON"),
        ("[default]\naws_access_key_id=a", "aws_access_key_id and aws_secret_access_key"),
        ('{"AccessKeyId": "a"}', "AccessKeyId and SecretAccessKey"),
        ("[a]\n[b]\n", "a [default] profile, or only one"),
    ],
)
def test_a_file_that_holds_no_aws_credentials_is_refused(content: str, expected: str) -> None:
    assert problems(bedrock("region: us-east-1, credentials_file: aws"), files={"aws": content}) == {
        "providers.bedrock.credentials_file": f"expected a file of AWS credentials: {expected}"
    }


@pytest.mark.parametrize("more", ["credentials_file: aws", "api_key: k"])
def test_a_missing_package_is_told_with_what_installs_it_whatever_the_key(more: str) -> None:
    """An API key needs no signature, but streams are binary all the same."""
    kinds = {**KINDS, "bedrock": replace(KINDS["bedrock"], package="botocore_is_not_here")}

    with pytest.raises(ConfigError) as caught:
        parse(bedrock(f"region: us-east-1, {more}"), {}, lambda name: KEY_FILE, kinds=kinds)
    assert "pip install 'llm-gateway[bedrock]'" in str(caught.value)


def test_other_kinds_have_no_region() -> None:
    found = problems("providers: {openai: {api_key: k, models: ['*'], region: us-east-1}}")

    assert found == {"providers.openai.region": "not a setting of providers of the kind openai"}
