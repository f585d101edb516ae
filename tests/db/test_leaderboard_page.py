"""The pages of the leaderboard: what they say, sort, link to and give away."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from annotations.models import Project, Rater, Report, Role, Run, User
from annotations.services import leaderboard_words, suggestions
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    """A good judge, one with a hostile name that a constant answer beats, and one that was asked of one trajectory."""
    made = make.project(owner=make.user("owner"))
    gold = make.rater(made, "gold", Rater.Kind.IMPORT)
    good, poor, part = make.rater(made, "good"), make.rater(made, "=poor <b>judge</b>"), make.rater(made, "part")
    for number in range(3):
        trajectory = make.trajectory(made, steps=3)
        make.rating(gold, trajectory, [1, 1, -1])
        make.rating(good, trajectory, [1, 1, -1] if number else [1, 0, -1])
        make.rating(poor, trajectory, [0, -1, -1])
        if not number:
            make.rating(part, trajectory, [1, 1, -1])
    made.reference = gold
    made.save()
    return made


@pytest.fixture
def owner(client: Client, project: Project) -> Client:
    client.force_login(project.memberships.get(role=Role.OWNER).user)
    return client


def measured(project: Project) -> Report:
    call_command("leaderboard", project.slug, "--json", stdout=StringIO())
    return Report.objects.filter(kind="leaderboard").latest("pk")


def shown(client: Client, project: Project, query: str = "", name: str = "leaderboard_report", *more: Any) -> str:
    report = Report.objects.filter(kind="leaderboard").last() or measured(project)
    answer = client.get(reverse(name, args=[project.slug, report.pk, *more]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def key(name: str) -> str:
    return str(Rater.objects.get(name=name).pk)


def order(page: str, *names: str) -> list[str]:
    table = page.split("<tbody>", 1)[1]
    return sorted(names, key=table.index)


def test_judges_and_constant_answers_stand_in_one_table_best_first(owner, project):
    page = shown(owner, project)
    names = ("good", "always +1", "=poor &lt;b&gt;judge", "part", "always 0")
    # good 8/9, always +1 6/9, part 3/9 (and so is the poor one), always 0 0.
    assert order(page, *names) == ["good", "always +1", *order(page, "=poor &lt;b&gt;judge", "part"), "always 0"]
    assert "<b>judge" not in page
    assert "No better by StepAcc than “always +1”, which knows nothing of any step: =poor &lt;b&gt;judge" in page
    assert "part was asked of 1 of 3 trajectories." in page
    assert "<title>0.889</title>" in page, "the plot above the table has good's 8/9"


def test_a_heading_sorts_and_again_turns_the_order_round(owner, project):
    page = shown(owner, project, "?sort=name")
    assert order(page, "always -1", "good", "part") == ["always -1", "good", "part"]
    assert 'aria-sort="ascending"><a href="?sort=-name"' in page
    page = shown(owner, project, "?sort=-name")
    assert order(page, "always -1", "good", "part") == ["part", "good", "always -1"]
    assert "not known" in shown(owner, project, "?sort=cost")
    assert order(shown(owner, project, "?sort=nonsense"), "good", "part") == ["good", "part"]


def test_any_two_are_compared(owner, project):
    page = shown(owner, project, f"?a={key('=poor <b>judge</b>')}&b={key('good')}")
    assert "has more steps right in 0 tasks, as many in 0, fewer in 3." in page
    assert '<span class="badge wrong">worse</span>' in page
    assert "Over the 1 trajectory of 1 task that both" in shown(owner, project, f"?a={key('part')}&b={key('good')}")


def test_labels_that_came_since_are_told_and_can_be_measured_at_once(
    owner, project, django_capture_on_commit_callbacks
):
    measured(project)
    assert "Labels have come, gone or changed since" not in shown(owner, project)
    make.rating(make.rater(project, "late"), project.trajectories.first(), [1, 1, 1])
    page = shown(owner, project)
    assert "Labels have come, gone or changed since" in page
    assert 'name="reference" value="import:gold"' in page
    answer = owner.post(reverse("leaderboard", args=[project.slug]), {"reference": "import:gold", "official": ""})
    run = Run.objects.filter(kind=Run.Kind.LEADERBOARD).latest("pk")
    assert answer.url == reverse("run", args=[project.slug, run.pk])
    assert run.config == {"reference": "import:gold", "official": False}
    assert "against gold" in owner.get(answer.url).content.decode()


def test_a_judges_page_shows_its_confusion_with_the_steps_behind_each_cell(owner, project):
    page = shown(owner, project, "", "leaderboard_judge", key("good"))
    assert "It says labels and not how sure it is" in page
    where = reverse("leaderboard_steps", args=[project.slug, Report.objects.last().pk, key("good")])
    assert f"{where}?reference=1&amp;said=0" in page
    steps = shown(owner, project, "?reference=1&said=0", "leaderboard_steps", key("good"))
    trajectory = project.trajectories.order_by("pk").first()
    assert f"{reverse('trajectory', args=[project.slug, trajectory.pk])}#step-2" in steps
    assert "1 place" in steps


def test_a_judge_that_was_asked_of_some_shows_its_figures_over_those(owner, project):
    page = shown(owner, project, "", "leaderboard_judge", key("part"))
    assert "Over what it was asked" in page
    assert "Compare with" in page


def test_what_judges_say_together_has_a_page_and_no_steps_of_its_own(owner, project):
    page = shown(owner, project, "", "leaderboard_judge", "majority")
    assert "What it says for what" in page
    assert "/steps/" not in page
    where = reverse("leaderboard_steps", args=[project.slug, Report.objects.last().pk, "majority"])
    assert owner.get(where + "?reference=1&said=1").status_code == 404


def test_a_cell_that_is_none_and_a_judge_that_is_not_there_are_not_found(owner, project):
    report = measured(project)
    where = reverse("leaderboard_steps", args=[project.slug, report.pk, key("good")])
    assert owner.get(where + "?reference=7&said=1").status_code == 404
    assert owner.get(where + "?reference=1&said=none&page=99").status_code == 200
    assert owner.get(reverse("leaderboard_judge", args=[project.slug, report.pk, "nobody"])).status_code == 404
    other = Report.objects.create(project=project, result={})  # of agreement
    assert owner.get(reverse("leaderboard_report", args=[project.slug, other.pk])).status_code == 404


def test_the_table_and_all_of_it_can_be_taken_away(owner, project):
    report = measured(project)
    rows = list(csv.DictReader(StringIO(shown(owner, project, "", "leaderboard_csv"))))
    assert [row["name"] for row in rows][0] == "good"
    assert "'=poor <b>judge</b>" in [row["name"] for row in rows]  # no formula for a spreadsheet
    assert float(rows[0]["step_acc"]) == report.result["rows"][0]["figures"]["step_acc"]["value"]
    assert rows[0]["cost_per_1000_steps"] == ""
    answer = owner.get(reverse("leaderboard_json", args=[project.slug, report.pk]))
    assert answer.json() == report.result
    assert "of,bins" in shown(owner, project, "", "leaderboard_calibration", key("good"))


def test_the_list_names_the_best_judge_of_each(owner, project):
    empty = owner.get(reverse("leaderboard", args=[project.slug])).content.decode()
    assert "No leaderboard yet" in empty
    assert 'value="import:gold" selected' in empty
    report = measured(project)
    page = owner.get(reverse("leaderboard", args=[project.slug])).content.decode()
    assert reverse("leaderboard_report", args=[project.slug, report.pk]) in page
    assert "<td>good</td>" in page


def test_a_scheme_that_has_no_leaderboard_says_why(client):
    person = make.user()
    made = make.project(owner=person, scheme=make.scheme("web-step-grade"))
    client.force_login(person)
    page = client.get(reverse("leaderboard", args=[made.slug])).content.decode()
    assert "Not for this scheme" in page
    answer = client.post(reverse("leaderboard", args=[made.slug]), {"reference": ""})
    assert answer.status_code == 422


def test_annotators_and_viewers_do_not_see_it(client, project):
    report = measured(project)
    for role in (Role.ANNOTATOR, Role.VIEWER):
        person = make.user()
        make.member(project, person, role)
        client.force_login(person)
        assert client.get(reverse("leaderboard_report", args=[project.slug, report.pk])).status_code == 403


# --- A few that vote --------------------------------------------------------------------------------------------------


@pytest.fixture
def three(owner: Client, project: Project) -> Project:
    """Ten trajectories and three more judges, each of whom errs in another third of them."""
    gold = project.reference
    voices = [make.rater(project, name) for name in ("red", "green", "blue")]
    for number in range(12):
        trajectory = make.trajectory(project, steps=2)
        make.rating(gold, trajectory, [1, -1])
        for place, one in enumerate(voices):
            make.rating(one, trajectory, [-1, 1] if number % 3 == place else [1, -1])
    return project


def voting(project: Project) -> str:
    chosen = leaderboard_words.chosen(Report.objects.filter(kind="leaderboard").latest("pk").result)
    return suggestions.together(int(one["key"]) for one in chosen["whole"])


def test_who_was_chosen_is_told_and_can_be_suggested_at_a_press(owner, three):
    page = shown(owner, three)
    for name in ("red", "green", "blue"):
        assert name in page.split("A few that vote", 1)[1]
    assert "together</button>" in page
    report = Report.objects.get(kind="leaderboard")
    answer = owner.post(reverse("leaderboard_suggest", args=[three.slug, report.pk]), follow=True)
    three.refresh_from_db()
    assert three.prefill == voting(three)
    page = answer.content.decode()
    assert "judges say together is suggested once the project’s mode is assisted." in page
    assert "suggested now" in page
    assert "together</button>" not in page
    event = three.events.get(verb="project.changed")
    assert (event.before, event.after) == ({"prefill": None}, {"prefill": three.prefill})
    assert f"{three.prefill}" in owner.get(reverse("settings", args=[three.slug])).content.decode()


def test_who_does_not_manage_may_see_who_was_chosen_and_suggest_nothing(client, three):
    report = measured(three)
    reviewer = make.user()
    make.member(three, reviewer, Role.REVIEWER)
    client.force_login(reviewer)
    page = client.get(reverse("leaderboard_report", args=[three.slug, report.pk])).content.decode()
    assert "A few that vote" in page
    assert "together</button>" not in page
    assert client.post(reverse("leaderboard_suggest", args=[three.slug, report.pk])).status_code == 403


def test_where_one_alone_is_best_there_is_no_vote_to_suggest(client):
    project = make.project(owner=make.user("olga"))
    client.force_login(User.objects.get(username="olga"))
    gold, right, wrong = (make.rater(project, name) for name in ("gold", "right", "wrong"))
    for _ in range(5):
        trajectory = make.trajectory(project, steps=2)
        make.rating(gold, trajectory, [1, -1])
        make.rating(right, trajectory, [1, -1])
        make.rating(wrong, trajectory, [-1, 1])
    project.reference = gold
    project.save()
    page = shown(client, project)
    assert "A few that vote" in page
    assert "together</button>" not in page
    report = Report.objects.get(kind="leaderboard")
    answer = client.post(reverse("leaderboard_suggest", args=[project.slug, report.pk]), follow=True)
    assert "no judges that could be asked together" in answer.content.decode()
    project.refresh_from_db()
    assert project.prefill == ""


def test_the_page_of_the_vote_and_the_command_say_who_they_are(owner, three):
    assert "Who votes" in shown(owner, three, "", "leaderboard_judge", "chosen")
    out = StringIO()
    call_command("leaderboard", three.slug, stdout=out)
    [line] = [one for one in out.getvalue().splitlines() if one.startswith("Chosen on all labels: ")]
    assert "red" in line


def test_a_report_of_before_there_was_a_choice_has_none(owner, project):
    report = measured(project)
    for row in report.result["rows"]:
        del row["chosen"]
    Report.objects.filter(pk=report.pk).update(result=report.result)
    assert "A few that vote" not in shown(owner, project)
    assert "Who votes" not in shown(owner, project, "", "leaderboard_judge", "majority")
