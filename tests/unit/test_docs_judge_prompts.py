"""The page about judges' prompts has every place and every prompt of ours."""

from __future__ import annotations

import re
from pathlib import Path

from annotations.judges import prompts
from annotations.judges.prompts import Prompt, parse

PAGE = (Path(__file__).parents[2] / "docs" / "judge-prompts.md").read_text(encoding="utf-8")


def test_every_place_is_there_and_no_other():
    assert re.findall(r"^\| `\{\{(\w+)\}\}` \|", PAGE, re.M) == list(prompts.PLACES)


def test_every_prompt_for_judges_is_there():
    section = PAGE.split("## Ours")[1].split("## ")[0]
    named = re.findall(r"^\| `([a-z0-9-]+)` \|", section, re.M)
    assert sorted(named) == sorted(name for name, one in prompts.shipped().items() if one.part == "judge")


def test_every_line_of_a_header_is_there():
    section = PAGE.split("What it takes:")[1].split("Write what")[0]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| ([^|]+) \|", section, re.M))))
    assert named == set(Prompt.model_fields) - {"template", "text"}


def test_the_example_is_a_prompt():
    assert parse(PAGE.split("```\n")[1]).label == "my-rubric 2"
