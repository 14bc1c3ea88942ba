"""Files of AWS credentials."""

from __future__ import annotations

import pytest

from app.aws.keys import Keys, read_keys

FOUND = Keys("AKIDEXAMPLE", "wJalr+K7/x", "tok%en")


@pytest.mark.parametrize(
    "text",
    [
        "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = wJalr+K7/x\naws_session_token=tok%en\n",
        "[gateway]\naws_access_key_id=AKIDEXAMPLE\naws_secret_access_key=wJalr+K7/x\naws_session_token=tok%en",
        "[a]\naws_access_key_id=x\n[default]\naws_access_key_id=AKIDEXAMPLE\naws_secret_access_key=wJalr+K7/x\n"
        "aws_session_token=tok%en",
        '{"Version": 1, "AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "wJalr+K7/x", "SessionToken": "tok%en"}',
        '{"Credentials": {"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "wJalr+K7/x", "SessionToken": "tok%en"}}',
    ],
)
def test_keys_are_read_in_the_forms_of_aws_s_own_tools(text: str) -> None:
    assert read_keys(text) == FOUND


def test_keys_that_last_have_no_token() -> None:
    assert read_keys("[default]\naws_access_key_id=a\naws_secret_access_key=b").token is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hunter2",
        "hunter2=\n[default",
        "[default]\naws_access_key_id=hunter2",
        "[a]\naws_access_key_id=hunter2\n[b]\naws_access_key_id=hunter2",
        "{hunter2",
        '{"AccessKeyId": "hunter2"}',
        '{"Credentials": "hunter2"}',
    ],
)
def test_what_holds_no_keys_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        read_keys(text)

    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value.__cause__)


def test_keys_do_not_show_their_secrets() -> None:
    assert "wJalr" not in repr(FOUND)
    assert "tok%en" not in repr(FOUND)
