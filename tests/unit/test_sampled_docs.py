"""What the page on scores by sampling says is so."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest
from django.utils.module_loading import import_string

from models_service.scorers.base import Scorer
from models_service.scorers.sampled.continuing import Options

PAGE = (Path(__file__).parents[2] / "docs" / "scorers-by-sampling.md").read_text()
SCORERS = json.loads(re.search(r"SCORERS='(.*?)'\n```", PAGE, re.S)[1])


@pytest.mark.parametrize("name", re.findall(r"^\| `((?:sampled|reference)\.[\w.]+)`", PAGE, re.M))
def test_each_class_of_the_table_is_a_scorer(name: str) -> None:
    assert issubclass(import_string(f"models_service.scorers.{name}"), Scorer)


@pytest.mark.parametrize("name", re.findall(r"`(models_service\.[\w.]+)`", PAGE))
def test_each_module_is_there(name: str) -> None:
    __import__(name)


def test_the_example_can_be_made() -> None:
    for entry in SCORERS.values():
        inspect.signature(import_string(entry["class"])).bind(**entry["options"])


def test_options_and_defaults_are_those_of_the_table() -> None:
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]*) \|", PAGE[PAGE.index("| `language`") :], re.M)[:6]
    said = {name: one for names, one in rows for name in re.findall(r"`(\w+)`", names)}
    assert said.keys() == vars(Options()).keys()
    assert said["count"] == str(Options().count) and said["most"].replace(",", "").strip() == str(Options().most)
    assert said["seed"] == str(Options().seed) and said["tools"] == f"`{Options().tools}`"
    assert said["temperature"] == f"{Options().temperature}, {Options().top_p:g}"
