"""Letting a judge write lists on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError

from annotations.models import Rubric, Run
from annotations.services import rubrics
from tests import make
from tests.db.test_judges_command import say
from tests.db.test_rubric_writing import judge, project, server

__all__ = ["project", "server"]  # fixtures

pytestmark = pytest.mark.django_db


def test_lists_are_written_and_wait(project, server, tmp_path: Path):
    for number in range(3):
        make.task(project, external_id=f"task-{number}")
    judge(project, server, name="careful")
    told = say("write", project.slug, "careful", "checks", "--limit", 2, "--yes", "--wait")
    assert "2 tasks, a question each" in told
    assert "Cost: not known." in told
    assert "Done: 2 written, 2 wait for a word, 0 not written." in told
    prompt = tmp_path / "mine.md"
    prompt.write_text("Write what matters.")
    say("write", project.slug, "careful@1", "checks", "--task", "task-0", "--prompt", prompt, "--yes", "--wait")
    assert Run.objects.latest("pk").config["prompt_name"] == "own"
    assert rubrics.waiting(project).count() == 2, "what it wrote again is no second list"
    assert "list 1 again, which waits already" in say(
        *("write", project.slug, "careful", "checks", "--task", "task-0", "--yes", "--wait")
    )


def test_nothing_is_asked_unless_somebody_says_yes(project, server, monkeypatch: pytest.MonkeyPatch):
    make.task(project)
    judge(project, server, name="careful")
    monkeypatch.setattr("builtins.input", lambda _: "n")
    say("write", project.slug, "careful", "checks")
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["nobody", "checks"], "no judge 'nobody'"),
        (["careful", "fixed"], "'fixed'"),
        (["careful", "checks", "--attempts", "9"], "0 to 3 attempts"),
        (["careful", "checks", "--task", "task-9"], "no task task-9"),
        (["careful", "checks", "--prompt", "nowhere.md"], "cannot be read"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_begun(project, server, words, reason):
    judge(project, server, name="careful")
    with pytest.raises(CommandError, match=reason):
        say("write", project.slug, *words, "--yes")
    assert not Run.objects.exists()
    assert not Rubric.objects.exists()
