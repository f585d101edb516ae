"""Every page has its pictures, and there is no picture of a page that is gone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.urls import Resolver404, resolve

from annotations.formats.openai_chat import OpenAIChat
from bench.screens import repair
from bench.screens.pages import SCREENS
from bench.screens.pictures import FOLDER, names
from tests import doors

ROOT = Path(__file__).parents[2]
MOST, LARGEST = 8_200_000, 150_000  # bytes of all pictures, and of one: they travel with every copy of the repository

# Addresses that answer with something that is no page of its own.
NO_PAGES = {
    "healthz": "for machines",
    "label_next": "goes on to a label page",
    **dict.fromkeys(
        ("trajectory_choices", "trajectory_said", "trajectory_outline", "trajectory_history"),
        "a part of the trajectory's page",
    ),
    **dict.fromkeys(("trajectory_steps", "trajectory_part", "trajectory_image"), "a part of the trajectory's page"),
    **dict.fromkeys(("annotate_cards", "annotate_desk", "annotate_find"), "a part of the label page"),
    **dict.fromkeys(("annotate_text", "annotate_image"), "a part of the label page"),
    **dict.fromkeys(("annotate_candidate", "annotate_candidate_text"), "a part of the label page"),
    "annotate_candidate_image": "a part of the label page",
    **dict.fromkeys(("label_state", "label_newer", "label_talk"), "data for the label page"),
    **dict.fromkeys(("compare_rows", "pace_rows"), "a part of a page"),
    **dict.fromkeys(("run_problems_csv", "run_problems_json", "export_zip", "export_file"), "a file"),
    **dict.fromkeys(("calibration_csv", "run_skipped"), "a file"),
    **dict.fromkeys(("leaderboard_csv", "leaderboard_json", "leaderboard_calibration"), "a file"),
    **dict.fromkeys(
        ("leaderboard", "leaderboard_report", "leaderboard_judge", "leaderboard_steps"),
        "takes a judge to be measured; tests/browser/test_leaderboard.py looks at it",
    ),
    **dict.fromkeys(("trajectory_take", "trajectory_original"), "a file"),
    **dict.fromkeys(("adjudicate_steps", "trajectory_heat"), "a part of a page"),
    **dict.fromkeys(
        ("adjudicate", "adjudicate_one", "adjudicate_weighed"), "tests/browser/test_adjudication.py looks at it"
    ),
    "adjudicate_weighed_csv": "a file",
    **dict.fromkeys(("insight", "insight_report"), "tests/browser/test_insight.py looks at it"),
    **dict.fromkeys(
        ("consensus", "consensus_report", "consensus_adopt"), "tests/browser/test_consensus.py looks at it"
    ),
    **dict.fromkeys(("consensus_json", "consensus_csv", "consensus_steps"), "a file"),
    "paths": "tests/browser/test_paths.py looks at it",
    **dict.fromkeys(("paths_csv", "quality_csv", "insight_csv", "judge_prompt", "judge_probe_log"), "a file"),
    **dict.fromkeys(("judge_probes", "judge_probe"), "takes a judge that was probed; tests/browser/test_probes.py"),
    **dict.fromkeys(
        ("judges", "judge", "judge_new", "judge_budget", "judge_servers"), "tests/browser/test_judges.py looks at it"
    ),
    "judge_corrections": "takes a judge that people contradict; tests/browser/test_judge_why.py looks at it",
    "judge_preview": "takes a judge; tests/browser/test_judge_preview.py looks at it",
    **dict.fromkeys(
        ("rubrics_write", "rubrics_waiting"), "takes a judge; tests/browser/test_rubric_writing.py looks at it"
    ),
    "judge_why": "takes a verdict of a judge; tests/browser/test_judge_why.py looks at it",
    "judge_why_text": "a part of a page",
    "similar": "tests/browser/test_similar.py looks at it",
    **dict.fromkeys(("quality", "search"), "tests/browser/test_pages.py looks at it"),
    **dict.fromkeys(("gold", "training", "training_feedback"), "tests/browser/test_gold.py looks at it"),
    "trajectory_gold": "a part of a page",
    "scorers": "for the server's administrator; tests/browser/test_runs_paused.py looks at it",
    "import_map": "shown with a file that no format knows; tests/browser/test_mapping.py looks at it",
    **dict.fromkeys(("scheme_file", "scheme_unmapped", "scheme_lost"), "a file"),
}


def photographed() -> set[str]:
    """The names of the addresses in the table of pages."""
    found = set()
    for screen in SCREENS:
        path = re.sub(r"\{\w+\}", "1", screen.path).partition("?")[0]
        try:
            found.add(resolve(path).url_name or "")
        except Resolver404:
            continue
    return found


def test_every_page_of_the_app_is_in_the_table():
    pages = {name for name, tried in doors.PAGES.items() if any(door.method == "get" for door in tried)}
    assert pages - NO_PAGES.keys() - photographed() == set()
    assert NO_PAGES.keys() - pages == set()


def test_no_two_pages_of_the_table_have_the_same_pictures():
    assert len({screen.name for screen in SCREENS}) == len(SCREENS)


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_a_page_has_its_four_pictures(screen):
    assert [name for name in names(screen.name) if not (FOLDER / name).is_file()] == []


def test_there_is_no_picture_of_a_page_that_is_not_in_the_table():
    wanted = {name for screen in SCREENS for name in names(screen.name)}
    assert {path.name for path in FOLDER.iterdir()} - wanted == set()


def test_the_pictures_are_not_too_heavy_to_travel_with_the_repository():
    sizes = [path.stat().st_size for path in FOLDER.iterdir()]
    assert sum(sizes) < MOST
    assert max(sizes) < LARGEST


def test_the_long_rollout_that_is_photographed_has_a_verdict_for_each_step():
    record = OpenAIChat().record(json.loads(repair.line()))
    steps = [step for step in record.steps if step.source == "agent"]
    said = repair.verdicts()
    assert len(steps) == len(said) == 60
    first, back = said.index(-1), repair.correction() - 1
    assert "git rm" in steps[first].tool_calls[0]["arguments"]
    assert (said[back - 1], said[back], "I deleted a test" in steps[back].message) == (-1, 1, True)


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda page: page.name
)
def test_each_picture_that_a_document_shows_is_there_in_light_and_in_dark(page):
    shown = re.findall(r'(?:src|srcset)="([^"]+)"', page.read_text())
    assert [target for target in shown if not (page.parent / target).is_file()] == []
    assert len([one for one in shown if one.endswith("-dark.webp")]) * 2 == len(shown)
