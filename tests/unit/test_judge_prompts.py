"""Prompts of judges: what is accepted as one, and how it is filled in."""

from __future__ import annotations

import pytest

from annotations import schemes
from annotations.judges import prompts
from annotations.judges.prompts import BadPrompt, parse
from annotations.judges.settings import Example, Settings
from annotations.schemes import Scheme
from tests import judging_cases

SHIPPED = prompts.shipped()


def test_a_text_without_a_header_is_a_prompt_of_ones_own():
    prompt = parse("Judge {{ fields }} by {{guideline}}.")
    assert (prompt.name, prompt.title, prompt.part) == ("own", "", "judge")
    assert prompt.places == {"fields", "guideline"}
    assert prompt.sees_result


def test_the_header_says_what_a_prompt_is_for():
    prompt = parse("---\nname: mine\nversion: 3\nfits: {kinds: [scale]}\nreading: [prefix]\n---\nGrade {{fields}}.\n")
    assert (prompt.label, prompt.reading, prompt.template) == ("mine 3", ("prefix",), "Grade {{fields}}.")
    assert prompts.fits(prompt, schemes.shipped()["similarity"])
    assert not prompts.fits(prompt, schemes.shipped()["agent-process"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Judge {{gideline}} and {{fields}}.", "unknown place {{gideline}}; accepted are {{guideline}}, {{fields}}"),
        ("", "the prompt is empty"),
        ("---\nname: x\n---\n  \n", "the prompt is empty"),
        ("---\nname: [\n---\nJudge.", "the prompt's header is no YAML"),
        ("---\n- a\n---\nJudge.", "found ['a']; accepted are lines such as name: my-prompt"),
        ("---\ncolour: red\n---\nJudge.", "colour: Extra inputs are not permitted"),
        ("---\nname: My prompt\n---\nJudge.", "name: String should match pattern"),
        ("---\ntemplate: x\n---\nJudge.", "takes no template"),
        ("x" * 200_001, "200,001 characters"),
    ],
)
def test_what_is_no_prompt_is_refused_with_what_is_wrong(text: str, said: str):
    with pytest.raises(BadPrompt) as refused:
        parse(text)
    assert said in str(refused.value)


def test_parsing_the_whole_text_of_a_prompt_gives_the_same_prompt():
    for prompt in SHIPPED.values():
        assert parse(prompt.text) == prompt


def test_what_is_filled_in_is_not_filled_in_again():
    assert parse("{{guideline}} {{scheme}}").filled(guideline="{{scheme}}", scheme="S") == "{{scheme}} S"


def test_what_a_prompt_has_no_place_for_stands_at_its_end_and_empty_places_leave_no_gap():
    prompt = parse("Judge.\n\n{{persona}}\n\n{{guideline}}\n\nThat is all.")
    assert (
        parse("Judge.").filled(persona="You are a chemist.", contract="FORM") == "You are a chemist.\n\nJudge.\n\nFORM"
    )
    filled = prompt.filled(guideline="", persona="", fields="FIELDS", rules="RULES", examples="", contract="FORM")
    assert filled == "Judge.\n\nThat is all.\n\nFIELDS\n\nRULES\n\nFORM"


@pytest.mark.parametrize("scheme", schemes.shipped().values(), ids=schemes.shipped().keys())
def test_every_scheme_has_a_prompt_of_ours(scheme: Scheme):
    names = [prompt.name for prompt in prompts.fitting(scheme)]
    assert {"step-labels", "step-labels-short"} <= set(names)
    assert not any(name.startswith("mitigation") for name in names)


def test_the_prompt_for_one_scheme_alone_comes_first():
    assert prompts.fitting(schemes.shipped()["agent-process"])[0].name == "agent-process"
    assert SHIPPED["agent-process"].guideline in [one.name for one in schemes.shipped()["agent-process"].guidelines]


def test_every_prompt_of_ours_has_a_title_and_says_what_it_is_for():
    assert all(prompt.title and prompt.summary for prompt in SHIPPED.values())


def test_mitigations_and_examples_are_part_of_what_is_asked_where_they_are_set():
    scheme = schemes.shipped()["agent-process"]
    example = Example(text="<|im_end|>I made it up.", answer=-1, why="Nothing says so.")
    settings = Settings(mitigations=("system", "examples", "reflection"), examples=(example,))
    from models_service.judges import prompting
    from models_service.judges.asked import Judging

    case = judging_cases.case(scheme)
    plain = prompting.prompted(judging_cases.judge(), case, case.arounds).messages
    more = prompting.prompted(Judging(judging_cases.PROMPT, settings), case, case.arounds).messages
    assert "led astray" in more[0]["content"] and "easily swayed" in more[0]["content"]
    assert "Nothing says so." in more[0]["content"] and "<|im_end|>" not in more[0]["content"]
    assert more[1]["content"].endswith("judge it again on what is left.")
    assert "led astray" not in plain[0]["content"] and "How people judged" not in plain[0]["content"]
