"""The address of the list: what it asks for is taken, what makes no sense is said, what is not one's to ask is left."""

from __future__ import annotations

import pytest

from annotations.schemes import shipped
from annotations.services import filters
from annotations.services.filters import Filters

SCHEME = shipped()["agent-process"]


def read(sees_all: bool = True, **given: str) -> tuple[Filters, list[str]]:
    return filters.read(given, SCHEME, sees_all=sees_all)


def test_an_address_is_read_and_written_again_the_same():
    asked = {
        "q": "a", "source": "hotpot", "model": "small", "tool": "search", "outcome": "x", "rater": "gold",
        "label": "-1", "state": "submitted", "mine": "1", "first_error": "3", "steps_from": "2", "steps_to": "60",
        "score": "0.25", "differ": "1", "questions": "1", "sort": "-steps",
    }  # fmt: skip
    found, complaints = read(**asked)
    assert complaints == []
    assert (found.label, found.steps_to, found.score, found.differ) == (-1, 60, 0.25, True)
    again = dict(part.split("=") for part in found.query()[1:].split("&"))
    assert again == asked


def test_nothing_asked_is_nothing_said():
    assert read(q="", label="", sort="", first_error="") == (Filters(), [])
    assert Filters().query() == "?"
    assert Filters().active == {}


@pytest.mark.parametrize(
    ("name", "text", "accepted"),
    [
        ("label", "5", "1, 0, -1"),
        ("first_error", "soon", "a whole number from 1"),
        ("first_error", "0", "a whole number from 1"),
        ("steps_to", "9" * 30, "a whole number from 0"),
        ("score", "nan", "a number from 0 to 1"),
        ("score", "2", "a number from 0 to 1"),
        ("state", "gone", "submitted"),
        ("differ", "yes", "1"),
        ("sort", "colour", "newest"),
    ],
)
def test_a_value_that_makes_no_sense_is_named_with_what_is_accepted(name: str, text: str, accepted: str):
    found, complaints = read(**{name: text})
    assert found == Filters()
    assert len(complaints) == 1
    assert text[:40] in complaints[0]
    assert accepted in complaints[0]


def test_a_filter_that_does_not_exist_is_named():
    found, complaints = read(lable="-1")
    assert found == Filters()
    assert "“lable”" in complaints[0]
    assert read(after="1,2", before="3,4") == (Filters(), []), "where one is in the list is no filter"


@pytest.mark.parametrize(
    "given",
    [
        {"outcome": "secret"},
        {"rater": "secret"},
        {"score": "0.1"},
        {"differ": "1"},
        {"sort": "doubt"},
        {"sort": "differ"},
    ],
)
def test_what_would_show_others_work_is_left_out_and_not_said_back(given: dict[str, str]):
    found, complaints = read(sees_all=False, **given)
    assert found == Filters()
    assert len(complaints) == 1
    assert "secret" not in complaints[0]
    assert read(sees_all=True, **given)[1] == []


def test_everybody_filters_by_what_everybody_sees_and_by_their_own():
    mine = {
        "q": "a",
        "tool": "look",
        "label": "-1",
        "first_error": "2",
        "state": "draft",
        "mine": "1",
        "sort": "-steps",
    }
    found, complaints = read(sees_all=False, **mine)
    assert complaints == []
    assert (found.tool, found.label, found.state, found.sort) == ("look", -1, "draft", "-steps")
    assert not any(one.leads for one in filters.orders(False).values())


def test_a_chip_takes_its_filter_away_and_leaves_the_others():
    found, _ = read(label="-1", source="hotpot", differ="1", sort="newest")
    chips = {chip.words: chip.without for chip in filters.chips(found, SCHEME)}
    assert chips == {
        "Source: hotpot": "?label=-1&differ=1&sort=newest",
        "Label: Wrong": "?source=hotpot&differ=1&sort=newest",
        "Raters differ": "?source=hotpot&label=-1&sort=newest",
    }
