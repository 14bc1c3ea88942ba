"""The input of a Responses request as chat messages."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import GatewayError
from app.core.json import Json
from app.surfaces.responses_reasoning import sealed
from tests.surfaces.responses_given import messages

USER: Json = {"role": "user", "content": "Weather?"}
SAID: Json = {"role": "user", "content": "Weather?"}
SIGNED: list[Json] = [{"type": "thinking", "thinking": "hm", "signature": "c2ln"}]


def call(name: str) -> Json:
    return {"type": "function_call", "id": f"fc_{name}", "call_id": name, "name": "weather", "arguments": '{"city": 1}'}


def result(name: str, output: Any = "warm") -> Json:
    return {"type": "function_call_output", "call_id": name, "output": output}


def called(*names: str) -> list[Json]:
    function = {"name": "weather", "arguments": '{"city": 1}'}
    return [{"id": name, "type": "function", "function": function} for name in names]


def answered(name: str, content: str = "warm") -> Json:
    return {"role": "tool", "tool_call_id": name, "content": content}


def message(text: str) -> Json:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}


def refused(*items: Json) -> str | None:
    with pytest.raises(GatewayError) as caught:
        messages(*items)
    return caught.value.param


@pytest.mark.parametrize(
    ("role", "chats"), [("user", "user"), ("system", "system"), ("developer", "system"), ("assistant", "assistant")]
)
def test_a_message_keeps_its_role_as_far_as_every_provider_knows_it(role: str, chats: str) -> None:
    assert messages({"role": role, "content": "Hi"}) == [{"role": chats, "content": "Hi"}]
    assert messages({"type": "message", "role": role, "content": "Hi"}) == [{"role": chats, "content": "Hi"}]


def test_a_turn_of_the_assistants_is_one_message() -> None:
    made = messages(USER, message("I will look."), call("a"), call("b"), result("a"), result("b"))

    assert made == [
        SAID,
        {"role": "assistant", "content": "I will look.", "tool_calls": called("a", "b")},
        answered("a"),
        answered("b"),
    ]


def test_calls_with_thoughts_and_text_between_them_are_one_message_as_long_as_none_is_answered() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed(SIGNED)}
    made = messages(USER, thought, call("a"), thought, message("And:"), call("b"), result("a"), result("b"), marks=True)

    assert made[1] == {
        "role": "assistant",
        "content": "And:",
        "thinking_blocks": [*SIGNED, *SIGNED],
        "tool_calls": called("a", "b"),
    }


def test_calls_one_after_the_other_are_a_turn_each() -> None:
    made = messages(USER, call("a"), result("a"), call("b"), result("b"))

    assert [each["role"] for each in made] == ["user", "assistant", "tool", "assistant", "tool"]


def test_two_answers_of_the_assistants_stay_two() -> None:
    made = messages(USER, message("One."), message("Two."))

    assert [each["content"] for each in made[1:]] == ["One.", "Two."]


def test_images_and_files_of_a_user_are_parts() -> None:
    made = messages(
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look"},
                {"type": "input_image", "image_url": "https://h/i.png", "detail": "high"},
                {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "auto"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="},
            ],
        }
    )

    assert made[0]["content"] == [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "https://h/i.png", "detail": "high"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}},
    ]


def test_the_image_in_a_result_follows_all_results_of_the_turn() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,AA=="}
    made = messages(USER, call("a"), call("b"), result("a", [image]), result("b"), {"role": "user", "content": "So?"})

    assert made[2:] == [
        answered("a", "(shown in the next message)"),
        answered("b"),
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]},
        {"role": "user", "content": "So?"},
    ]


def test_parts_of_text_in_a_result_are_joined() -> None:
    parts = [{"type": "input_text", "text": "warm"}, {"type": "input_text", "text": "dry"}]

    assert messages(USER, call("a"), result("a", parts))[2] == answered("a", "warm\ndry")


def test_readable_thoughts_go_back_only_to_models_that_want_them() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}

    assert messages(USER, thought, message("Hi"), model="deepseek-chat")[1]["reasoning_content"] == "hm"
    assert messages(USER, thought, message("Hi"), model="gpt-4.1")[1] == {"role": "assistant", "content": "Hi"}


@pytest.mark.parametrize("sealed_by", ["gAAAAABopaque", "gateway1.%%%", "gateway1.e30=", "", None, 5])
def test_thoughts_that_somebody_else_sealed_are_left_out(sealed_by: Any) -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed_by}

    assert messages(USER, thought, message("Hi"))[1] == {"role": "assistant", "content": "Hi"}


def test_signed_thoughts_go_back_only_to_who_knows_them() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed(SIGNED)}

    assert messages(USER, thought, message("Hi"), marks=True)[1]["thinking_blocks"] == SIGNED
    assert messages(USER, thought, message("Hi"))[1] == {"role": "assistant", "content": "Hi"}


def test_thoughts_of_which_nothing_came_are_left_out() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed(SIGNED)}

    assert messages(USER, thought, USER) == [SAID, SAID]


def test_what_a_provider_wants_to_see_again_beside_a_call_goes_back() -> None:
    extra = {"google": {"thought_signature": "c2ln"}}
    own = messages(USER, {**call("a"), "extra_content": extra}, result("a"), model="gemini-3-pro")
    others = messages(USER, {**call("a"), "extra_content": extra}, result("a"), model="gpt-4.1")

    assert own[1]["tool_calls"][0]["extra_content"] == extra
    assert others[1]["tool_calls"] == called("a")


def test_arguments_that_are_none_are_an_empty_object() -> None:
    made = messages(USER, {**call("a"), "arguments": ""}, result("a"))

    assert made[1]["tool_calls"][0]["function"]["arguments"] == "{}"


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"type": "item_reference", "id": "msg_1"}, "input[0].type"),
        ({"id": "msg_1"}, "input[0].type"),
        ({"type": "web_search_call", "id": "ws_1"}, "input[0].type"),
        ({"type": "compaction", "encrypted_content": "x"}, "input[0].type"),
        ({"role": "critic", "content": "Hi"}, "input[0].role"),
        ({"role": "user"}, "input[0].content"),
        ({"role": "user", "content": [5]}, "input[0].content[0]"),
        ({"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}, "input[0].content[0].image_url"),
        ({"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}, "input[0].content[0].file_data"),
        ({"role": "user", "content": [{"type": "input_video"}]}, "input[0].content[0].type"),
        ({"role": "system", "content": [{"type": "input_image", "image_url": "https://h"}]}, "input[0].content"),
        ({"type": "function_call", "name": "a", "arguments": "{}"}, "input[0].call_id"),
        ({"type": "function_call_output", "call_id": "a"}, "input[0].output"),
    ],
)
def test_what_chat_has_no_form_for_is_refused_by_its_place(item: Json, param: str) -> None:
    assert refused(item) == param
