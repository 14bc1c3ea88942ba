"""The messages of a chat request as Gemini's contents."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import ErrorType, GatewayError
from app.core.json import Json
from app.providers.gemini_history import UNSIGNED
from tests.providers.gemini_given import NEW, OLD, sent

USER: Json = {"role": "user", "content": "Hi"}


def contents(*messages: Json, model: str = OLD) -> list[Json]:
    made: list[Json] = sent(model, messages=list(messages))["contents"]
    return made


def calling(*names: str, signature: str | None = None, **more: Any) -> Json:
    calls: list[Json] = [
        {"id": f"call_{name}", "type": "function", "function": {"name": name, "arguments": '{"a": 1}'}}
        for name in names
    ]
    if signature:
        calls[0]["extra_content"] = {"google": {"thought_signature": signature}}
    return {"role": "assistant", "content": None, "tool_calls": calls, **more}


def result(name: str, content: Any) -> Json:
    return {"role": "tool", "tool_call_id": f"call_{name}", "content": content}


def with_part(**part: Any) -> list[Json]:
    (kind,) = part
    return [{"role": "user", "content": [{"type": kind, **part}]}]


def test_the_first_instructions_are_the_systems_and_later_ones_stay_where_they_are() -> None:
    body = sent(
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            USER,
            {"role": "assistant", "content": "Hello"},
            {"role": "system", "content": "Be loud."},
        ]
    )

    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]}
    assert [(c["role"], c["parts"][0]["text"]) for c in body["contents"]] == [
        ("user", "Hi"), ("model", "Hello"), ("user", "Be loud."),
    ]  # fmt: skip


def test_instructions_alone_are_asked_by_the_user() -> None:
    assert sent(messages=[{"role": "system", "content": "Go"}]) == {
        "contents": [{"role": "user", "parts": [{"text": "Go"}]}]
    }


def test_neighbours_of_one_role_are_one_content() -> None:
    assert contents(USER, {"role": "user", "content": "there"}) == [
        {"role": "user", "parts": [{"text": "Hi"}, {"text": "there"}]}
    ]


def test_results_of_parallel_calls_are_together_under_their_functions_names() -> None:
    """Each as a content of its own is refused: as many results as calls, in the content that follows."""
    made = contents(
        USER,
        calling("b", "a"),
        result("b", '{"warm": true}'),
        result("a", "cold"),
        {"role": "user", "content": "And?"},
    )

    assert made[2:] == [
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "call_b", "name": "b", "response": {"warm": True}}},
                {"functionResponse": {"id": "call_a", "name": "a", "response": {"output": "cold"}}},
            ],
        },
        {"role": "user", "parts": [{"text": "And?"}]},
    ]


@pytest.mark.parametrize("content", ["[1]", "5", "", None, '"x"', "{"])
def test_a_result_that_is_no_object_is_wrapped_in_one(content: Any) -> None:
    made = contents(USER, calling("f"), result("f", content))

    assert made[-1]["parts"][0]["functionResponse"]["response"] == {"output": content or ""}


def test_images_of_a_result_stand_after_it() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
    made = contents(USER, calling("f"), result("f", [{"type": "text", "text": "look"}, image]))

    assert made[-1]["parts"] == [
        {"functionResponse": {"id": "call_f", "name": "f", "response": {"output": "look"}}},
        {"inlineData": {"mimeType": "image/png", "data": "QUJD"}},
    ]


def test_a_signature_goes_back_on_the_call_that_it_came_with() -> None:
    for model in (OLD, NEW):
        made = contents(USER, calling("f", "g", signature="c2ln"), model=model)
        assert made[1]["parts"] == [
            {"functionCall": {"id": "call_f", "name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"},
            {"functionCall": {"id": "call_g", "name": "g", "args": {"a": 1}}},
        ]


def test_a_model_that_insists_on_signatures_gets_a_stand_in_for_one_that_was_lost() -> None:
    made = contents(USER, calling("f", "g"), result("f", "1"), result("g", "2"), calling("h"), model=NEW)

    assert [part.get("thoughtSignature") for part in (*made[1]["parts"], *made[3]["parts"])] == [
        UNSIGNED, None, UNSIGNED,
    ]  # fmt: skip
    assert all("thoughtSignature" not in part for part in contents(USER, calling("f"))[1]["parts"])


def test_a_signature_of_text_goes_back_on_the_text() -> None:
    said = {"role": "assistant", "content": "Hello", "extra_content": {"google": {"thought_signature": "c2ln"}}}

    assert contents(USER, said)[1]["parts"] == [{"text": "Hello", "thoughtSignature": "c2ln"}]


def test_a_signature_of_the_message_is_the_first_calls_where_nothing_was_said() -> None:
    """Where Google's own OpenAI-compatible endpoint has put it."""
    said = calling("f", "g", extra_content={"google": {"thought_signature": "c2ln"}})

    assert [part.get("thoughtSignature") for part in contents(USER, said)[1]["parts"]] == ["c2ln", None]


def test_a_question_without_words_is_asked_as_it_is() -> None:
    """Gemini answers it: what to do may stand in the instructions."""
    assert contents({"role": "user", "content": ""}) == [{"role": "user", "parts": [{"text": ""}]}]


@pytest.mark.parametrize("extra", [None, "x", {}, {"google": None}, {"google": {"thought_signature": 5}}])
def test_what_is_no_signature_is_passed_over(extra: Any) -> None:
    assert contents(USER, {"role": "assistant", "content": "Hello", "extra_content": extra})[1]["parts"] == [
        {"text": "Hello"}
    ]


def test_others_thoughts_and_reasoning_are_left_out() -> None:
    thinking = {"type": "thinking", "thinking": "hm"}
    said = {"role": "assistant", "content": [thinking, {"type": "text", "text": "Hi"}], "reasoning_content": "hm",
            "thinking_blocks": [{**thinking, "signature": "claude's"}]}  # fmt: skip

    assert contents(USER, said)[1]["parts"] == [{"text": "Hi"}]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [("", {}), (None, {}), ('{"a": 1}', {"a": 1}), ({"a": 1}, {"a": 1}), ("{bad", {"INVALID_JSON": "{bad"})],
)
def test_arguments_are_an_object(arguments: Any, expected: Json) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    made = contents(USER, {"role": "assistant", "content": "", "tool_calls": [call]})

    assert made[1]["parts"] == [{"functionCall": {"id": "c", "name": "f", "args": expected}}]


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("data:image/jpg;base64,QUJD", {"inlineData": {"mimeType": "image/jpeg", "data": "QUJD"}}),
        ("data:image/png;charset=utf-8;base64,QUJD", {"inlineData": {"mimeType": "image/png", "data": "QUJD"}}),
        ("data:application/pdf;base64,QUJD", {"inlineData": {"mimeType": "application/pdf", "data": "QUJD"}}),
        ("data:text/plain;base64,QUJD", {"text": "ABC"}),
        ("data:,a%20b", {"text": "a b"}),
        ("data:text/csv,a%2Cb", {"inlineData": {"mimeType": "text/csv", "data": "YSxi"}}),
        ("https://h/cat.PNG?x=1", {"fileData": {"fileUri": "https://h/cat.PNG?x=1", "mimeType": "image/png"}}),
        ("https://h/cat", {"fileData": {"fileUri": "https://h/cat", "mimeType": "image/jpeg"}}),
        ("gs://bucket/film.mp4", {"fileData": {"fileUri": "gs://bucket/film.mp4", "mimeType": "video/mp4"}}),
    ],
)
def test_an_image_is_data_or_the_uri_of_what_google_fetches(url: str, part: Json) -> None:
    made = contents({"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]})

    assert made[0]["parts"] == [part]


def test_files_and_speech_have_their_forms() -> None:
    parts: list[Json] = [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}},
        {"type": "file", "file": {"file_id": "https://generativelanguage.googleapis.com/v1beta/files/abc"}},
        {"type": "file", "file": {"file_id": "gs://bucket/a", "format": "audio/mpeg"}},
        {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
    ]

    assert contents({"role": "user", "content": parts})[0]["parts"] == [
        {"inlineData": {"mimeType": "application/pdf", "data": "QUJD"}},
        {"fileData": {"fileUri": parts[1]["file"]["file_id"], "mimeType": "application/pdf"}},
        {"fileData": {"fileUri": "gs://bucket/a", "mimeType": "audio/mpeg"}},
        {"inlineData": {"mimeType": "audio/mpeg", "data": "QUJD"}},
    ]


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([], "messages"),
        ([{"role": "system", "content": ""}], "messages"),
        (["x"], "messages[0]"),
        ([{"role": "robot", "content": "x"}], "messages[0].role"),
        ([{"role": "user", "content": 5}], "messages[0].content"),
        ([{"role": "user", "content": ["x"]}], "messages[0].content[0]"),
        ([{"role": "user", "content": [{"type": "video"}]}], "messages[0].content[0].type"),
        (with_part(image_url={}), "messages[0].content[0].image_url.url"),
        (with_part(image_url={"url": "file:///etc/passwd"}), "messages[0].content[0].image_url.url"),
        (with_part(file={}), "messages[0].content[0].file"),
        (with_part(file={"file_id": "x"}), "messages[0].content[0].file.file_id"),
        (with_part(input_audio={}), "messages[0].content[0].input_audio.data"),
        ([USER, {"role": "assistant", "content": "x", "function_call": {"name": "f"}}], "messages[1].function_call"),
        ([USER, {"role": "assistant", "tool_calls": [{"id": "x"}]}], "messages[1].tool_calls[0]"),
        ([USER, {"role": "tool", "content": "x"}], "messages[1].tool_call_id"),
        ([USER, {"role": "tool", "tool_call_id": "nobodys", "content": "x"}], "messages[1].tool_call_id"),
    ],
)  # fmt: skip
def test_what_cannot_be_translated_is_refused_at_its_place(messages: Any, param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        sent(messages=messages)
    assert (caught.value.type, caught.value.param) == (ErrorType.INVALID_REQUEST, param)
