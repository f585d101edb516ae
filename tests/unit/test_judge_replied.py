"""What servers send back, in all the shapes that they are known for and some that nobody should send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models_service.judges import replied
from models_service.judges.asked import Answer, Usage

OPENAI = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 64},
    "completion_tokens_details": {"reasoning_tokens": 30},
}


def read(content: Any = "{}", *, choice: Any = None, message: Any = None, **whole: Any) -> Answer:
    one = {"message": {"role": "assistant", "content": content, **(message or {})}, "finish_reason": "stop"}
    return replied.answer(json.dumps({"choices": [one | (choice or {})], **whole}).encode(), rung="words")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (OPENAI, Usage(100, 50, 64, 30)),
        ({"prompt_tokens": 100, "completion_tokens": 50, "prompt_tokens_details": None}, Usage(100, 50)),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "prompt_cache_hit_tokens": 64,
                "prompt_cache_miss_tokens": 36,
            },
            Usage(100, 50, 64),
        ),
        (
            {"input_tokens": 20, "output_tokens": 50, "cache_read_input_tokens": 70, "cache_creation_input_tokens": 10},
            Usage(100, 50, 70),
        ),
        (
            {**OPENAI, "completion_tokens": 20, "total_tokens": 150},
            Usage(100, 50, 64, 30),
        ),
        ({**OPENAI, "prompt_tokens_details": {"cached_tokens": 101}}, Usage(100, 50, None, 30)),
        ({"prompt_tokens": "many", "completion_tokens": True, "total_tokens": -1}, Usage()),
        ({"prompt_tokens": 1.5, "completion_tokens": 10**30}, Usage()),
        ({}, Usage()),
        (None, Usage()),
        ([1], Usage()),
    ],
    ids=[
        "openai",
        "vllm",
        "deepseek",
        "anthropic",
        "xai",
        "more cached than read",
        "wrong",
        "odd",
        "none",
        "null",
        "list",
    ],
)
def test_tokens_are_counted_as_the_server_means_them_and_are_else_not_known(told: Any, expected: Usage):
    assert read(usage=told).usage == expected


def test_no_usage_is_not_known_rather_than_nothing():
    assert read().usage == Usage(None, None, None, None)


def test_what_no_database_can_keep_is_shown_as_such():
    body = b'{"choices": [{"message": {"content": "a\\u0000b\\ud800c \\ud83d\\ude00"}}], "model": "m\\udc00"}'
    found = replied.answer(body, rung="words")
    assert (found.text, found.model) == ("a\ufffdb\ufffdc 😀", "m\ufffd")
    found.text.encode()


@pytest.mark.parametrize("name", [7, None, ["gpt"], {"a": 1}])
def test_a_model_without_a_name_has_none(name: Any):
    assert read(model=name).model == ""


def test_a_reason_for_ending_is_kept_as_far_as_it_is_a_word():
    assert read(choice={"finish_reason": "content_filter"}).finish == "content_filter"
    assert read(choice={"finish_reason": 3}).finish == ""
    assert len(read(choice={"finish_reason": "x" * 10_000}).finish) == 200


def chances(*tokens: Any) -> tuple[Any, ...]:
    return read(choice={"logprobs": {"content": list(tokens)}}).tokens


def test_chances_of_tokens_come_with_the_likeliest_others():
    top = [{"token": "1", "logprob": -0.1}, {"token": "-", "logprob": -3.0}, {"token": "1", "logprob": -9.0}]
    [token] = chances({"token": "1", "logprob": -0.1, "top_logprobs": top})
    assert (token.text, token.log, token.top) == ("1", -0.1, {"1": -0.1, "-": -3.0})


@pytest.mark.parametrize(
    "token",
    [
        {"token": "1"},
        {"token": "1", "logprob": None},
        {"token": "1", "logprob": "likely"},
        {"token": "1", "logprob": float("nan")},
        {"token": "1", "logprob": 0.5},
        {"token": 1, "logprob": -1},
        {"token": "1", "logprob": -1, "top_logprobs": [{"token": "1"}]},
        {"token": "1", "logprob": -1, "top_logprobs": 3},
        {"token": "1", "logprob": -1, "top_logprobs": {"1": -1}},
        "1",
        None,
    ],
)
def test_chances_that_cannot_be_are_no_chances(token: Any):
    assert chances({"token": "a", "logprob": -1.0}, token) == ()


def test_a_token_that_is_all_but_impossible_has_a_number_that_json_knows():
    [token] = chances({"token": "1", "logprob": float("-inf")})
    assert token.log == replied.FLOOR


@pytest.mark.parametrize("told", [None, [], {"content": None}, {"content": {"a": 1}}, {"tokens": ["1"]}])
def test_no_chances_were_told(told: Any):
    assert read(choice={"logprobs": told}).tokens == ()


def test_words_about_what_cannot_be_read_can_be_kept():
    with pytest.raises(replied.Unreadable) as no:
        replied.answer(b"\x00\xff oops", rung="words")
    assert "\x00" not in str(no.value)
    assert "oops" in str(no.value)
