"""Labels of files that the project's scheme cannot hold: told by what was lost, and apart from broken records."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from django.urls import reverse

from annotations.models import Project, Run, SchemeVersion
from annotations.services import imports, unconverted
from annotations.services.runs import working_on
from annotations.services.unconverted import OTHER, PLACES, REASONS, Unheld
from tests import make
from tests.db.importing import SAMPLES, file, take
from tests.db.test_imports_commands import run
from tests.db.test_imports_runs import media, uploaded  # noqa: F401 (a fixture)
from tests.db.test_pages import enter

pytestmark = pytest.mark.django_db

RECORD = json.loads((SAMPLES / "prm800k.jsonl").read_text().splitlines()[1])
NO_COUNTERPART = "Neutral has no counterpart"


def solution(number: int, *ratings: int) -> dict[str, Any]:
    """A solution of so many steps, each with its rating."""
    steps = [
        {
            "completions": [{"text": f"Step {place} of {number}.", "rating": rating, "flagged": False}],
            "human_completion": None,
            "chosen_completion": 0,
        }
        for place, rating in enumerate(ratings)
    ]
    question = RECORD["question"] | {
        "problem": f"What is {number} + {number}?",
        "pre_generated_steps": [one["completions"][0]["text"] for one in steps],
    }
    return RECORD | {"question": question, "label": RECORD["label"] | {"steps": steps}}


def project_of(scheme: str) -> Project:
    return make.project(scheme=SchemeVersion.objects.filter(name=scheme).first() or make.scheme(scheme))


def told(result: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(one["field"], one["reason"]): one["labels"] for one in result["unconverted"]}


def test_labels_that_have_no_place_are_counted_by_why_and_are_no_broken_records(tmp_path):
    result = take(project_of("binary"), file(tmp_path, solution(1, 1, 0, -1), "{broken", solution(2, 0, 0, 1)))
    assert told(result) == {("rating", NO_COUNTERPART): 3, ("finish", "binary has no such field"): 2}
    assert [one["line"] for one in result["rejected"]] == [2]
    assert (result["created"], result["labels"]) == (2, 3)
    neutral = result["unconverted"][0]
    assert neutral["scheme"] == "prm800k"
    assert [(one["file"], one["line"], one["step"], one["value"]) for one in neutral["places"]] == [
        ("made.jsonl", 1, 2, "0"),
        ("made.jsonl", 3, 1, "0"),
        ("made.jsonl", 3, 2, "0"),
    ]


def test_however_many_there_are_only_the_first_places_are_kept(tmp_path):
    result = take(project_of("binary"), file(tmp_path, *(solution(number, 0, 0) for number in range(60))))
    assert told(result)["rating", NO_COUNTERPART] == 120
    assert all(len(one["places"]) == PLACES for one in result["unconverted"]) and not result["rejected"]


def test_labels_of_a_scheme_that_no_way_leads_from_are_one_entry(tmp_path):
    result = take(project_of("agent-atlas"), file(tmp_path, solution(1, 1, 0), solution(2, 1)))
    (one,) = result["unconverted"]
    assert (one["labels"], one["field"], len(one["places"]), result["labels"]) == (5, "", 2, 0)
    assert "no way from there to this project's scheme agent-atlas" in one["reason"]


def test_reasons_that_tell_only_of_other_steps_are_one_and_too_many_are_others():
    def unheld(reason: str) -> Unheld:
        return Unheld("s", "label", reason, "f", 1)

    (one,) = unconverted.gathered([], [unheld("step 7 has no label"), unheld("step 12 has no label")])
    assert (one["reason"], one["labels"]) == ("step N has no label", 2)
    many = unconverted.gathered([one], [unheld(f"0.{number} is too low") for number in range(10, 500)])
    assert len(many) == REASONS + 1
    assert (many[-1]["reason"], many[-1]["labels"]) == (OTHER, 490 - (REASONS - 1))
    assert one["labels"] == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("at", [1, 3, 5])
def test_a_killed_import_goes_on_and_counts_the_same(at, media, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(imports, "ROWS", 7)
    path = file(tmp_path, *(solution(number, 1, 0, -1) for number in range(40)))
    whole = take(project_of("binary"), path)
    begun = uploaded(project_of("binary"), path)
    store, calls = imports._store, []

    def dies(*args: Any) -> None:
        calls.append(1)
        if len(calls) == at:
            raise SystemExit("killed")
        store(*args)

    monkeypatch.setattr(imports, "_store", dies)
    with contextlib.suppress(SystemExit), working_on(begun.pk) as claim:
        imports.perform(claim)
    with working_on(begun.pk) as claim:
        imports.perform(claim)
    begun.refresh_from_db()
    assert begun.state == Run.State.DONE
    assert begun.result["unconverted"] == whole["unconverted"]
    assert told(whole)["rating", NO_COUNTERPART] == 40


def test_the_command_says_it_and_ends_well(tmp_path):
    project = project_of("binary")
    printed = run("import_trajectories", project.slug, file(tmp_path, solution(1, 1, 0)))
    assert "2 labels of the files have no place in the project's scheme:" in printed
    assert f"1 of prm800k rating: {NO_COUNTERPART} (first in made.jsonl, line 1)" in printed


def test_the_page_lists_them_apart_and_hands_them_out(tmp_path):
    project = make.project(owner=(owner := make.user()), scheme=make.scheme("binary"))
    result = take(project, file(tmp_path, *(solution(number, 0) for number in range(1200))))
    done = Run.objects.create(project=project, kind=Run.Kind.IMPORT, state=Run.State.DONE, result=result)
    client = enter(owner)
    page = client.get(reverse("run", args=[project.slug, done.pk])).content.decode()
    assert "What the project's scheme could not hold" in page and "Records that did not come in" not in page
    assert NO_COUNTERPART in page and "1,200" in page.replace("\u202f", ",").replace("\u00a0", ",")
    answer = client.get(reverse("run_problems_json", args=[project.slug, done.pk])).json()
    assert answer["unconverted"] == result["unconverted"]
