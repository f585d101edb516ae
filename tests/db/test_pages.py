"""Every page opens for who may open it, and for nobody else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse

from annotations.models import Event, Project, Report, Role, Run, User
from tests import make

pytestmark = pytest.mark.django_db

TEMPLATES = Path(settings.BASE_DIR) / "frontend_templates" / "templates"
FOR_ALL = ["project", "scheme", "guidelines", "trajectories"]
FOR_REVIEWERS = ["questions", "scores", "agreement", "exports", "runs"]
FOR_MANAGERS = ["settings", "members", "imports"]


def enter(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def without_tokens(page: bytes) -> str:
    """A page but for the CSRF tokens, which differ in every answer."""
    return re.sub(r"[A-Za-z0-9]{64}", "token", page.decode())


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_every_template_compiles(path: Path) -> None:
    assert get_template(str(path.relative_to(TEMPLATES)))


@pytest.mark.parametrize("name", ["home", "help", "tokens", "project_new"])
def test_a_page_outside_projects_opens_for_who_is_signed_in(name: str) -> None:
    assert enter(make.user()).get(reverse(name)).status_code == 200
    assert Client().get(reverse(name)).headers["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("name", FOR_ALL + FOR_REVIEWERS + FOR_MANAGERS)
def test_a_page_of_an_empty_project_says_what_to_do_next(name: str, project: Project, owner: User) -> None:
    answer = enter(owner).get(reverse(name, args=[project.slug]))
    assert answer.status_code == 200
    assert "<h1>" in answer.content.decode()


@pytest.mark.parametrize("name", FOR_ALL + FOR_REVIEWERS + FOR_MANAGERS)
def test_a_stranger_learns_nothing_of_a_project(name: str, project: Project) -> None:
    stranger = enter(make.user())
    there = stranger.get(reverse(name, args=[project.slug]))
    nowhere = stranger.get(reverse(name, args=["no-such-project"]))
    assert (there.status_code, nowhere.status_code) == (404, 404)
    assert without_tokens(there.content) == without_tokens(nowhere.content)


@pytest.mark.parametrize("name", FOR_ALL + FOR_REVIEWERS + FOR_MANAGERS)
def test_who_is_not_signed_in_is_asked_to(name: str, project: Project) -> None:
    answer = Client().get(reverse(name, args=[project.slug]))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize(
    ("role", "names", "status"),
    [
        (Role.ANNOTATOR, FOR_ALL, 200),
        (Role.ANNOTATOR, FOR_REVIEWERS + FOR_MANAGERS, 403),
        (Role.VIEWER, FOR_ALL, 200),
        (Role.VIEWER, FOR_REVIEWERS + FOR_MANAGERS, 403),
        (Role.REVIEWER, FOR_ALL + FOR_REVIEWERS, 200),
        (Role.REVIEWER, FOR_MANAGERS, 403),
        (Role.MANAGER, FOR_ALL + FOR_REVIEWERS + FOR_MANAGERS, 200),
    ],
)
def test_a_role_opens_its_pages_and_sees_no_way_to_the_others(
    role: Role, names: list[str], status: int, project: Project
) -> None:
    user = make.user()
    make.member(project, user, role)
    client = enter(user)
    home = client.get(reverse("project", args=[project.slug])).content.decode()
    for name in names:
        address = reverse(name, args=[project.slug])
        assert client.get(address).status_code == status, name
        assert (f'href="{address}"' in home) == (status == 200), name


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.VIEWER, Role.REVIEWER])
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("settings", {"title": "Mine"}),
        ("guidelines", {"text": "Mine"}),
        ("guideline_preview", {"text": "Mine"}),
        ("scheme_edit", {"text": "Mine"}),
        ("scheme_preview", {"text": "Mine"}),
        ("member_add", {"username": "x", "role": "viewer"}),
        ("member_new", {"username": "x", "role": "viewer"}),
        ("imports", {}),
        ("scores", {"scorer": "embedded"}),
    ],
)
def test_who_does_not_manage_changes_nothing(role: Role, name: str, data: dict[str, str], project: Project) -> None:
    user = make.user()
    make.member(project, user, role)
    assert enter(user).post(reverse(name, args=[project.slug]), data).status_code == 403
    assert not Run.objects.exists()
    assert not Event.objects.exists()


def test_a_new_project_makes_its_maker_owner_and_leads_to_the_import() -> None:
    user = make.user()
    data = {"title": "Searching agents", "slug": "search", "overlap": 3, "scheme_name": "agent-process"}
    answer = enter(user).post(reverse("project_new"), data)
    assert answer.headers["Location"] == reverse("imports", args=["search"])
    made = Project.objects.get(slug="search")
    assert (made.overlap, made.memberships.get().user, made.memberships.get().role) == (3, user, Role.OWNER)
    assert made.guidelines.get().version == 1


def test_a_project_name_that_is_taken_is_refused_with_a_reason(project: Project) -> None:
    data = {"title": "Again", "slug": project.slug, "overlap": 2, "scheme_name": "agent-process"}
    answer = enter(make.user()).post(reverse("project_new"), data)
    assert answer.status_code == 422
    assert "already exists" in answer.content.decode()


def test_settings_are_changed_and_the_log_says_what_was_before(project: Project, owner: User) -> None:
    gold, _ = make.rater(project, "gold", "import"), make.rater(project, "strict")
    data = {
        "title": project.title,
        "overlap": 3,
        "lease_minutes": 20,
        "mode": "assisted",
        "prefill": "judge:strict",
        "prefill_confidence": 0.7,
        "blind_share": 20,
        "propagation": "off",
        "reference": gold.pk,
        "queue_policy": "import",
        "queue_scorer": "",
        "queue_random": 20,
    }
    client, address = enter(owner), reverse("settings", args=[project.slug])
    assert client.post(address, data).status_code == 302
    project.refresh_from_db()
    assert (project.overlap, project.lease_minutes, project.mode, project.reference) == (3, 20, "assisted", gold)
    assert (project.prefill, project.prefill_confidence, project.blind_share) == ("judge:strict", 0.7, 20)
    event = Event.objects.get(verb="project.changed")
    assert event.actor == owner
    assert event.before == {
        "overlap": 2,
        "lease_minutes": 15,
        "mode": "blind",
        "prefill": None,
        "prefill_confidence": 0.8,
        "blind_share": 15,
        "propagation": "suggest",
        "reference": None,
    }
    assert event.after["reference"] == "gold"
    client.post(address, data)
    assert Event.objects.count() == 1, "saving what is there already is no change"
    log = re.findall(r'<span class="change">(.*?)</span>', client.get(address).content.decode())
    assert "People per trajectory → <b>3</b>" in log
    assert not [line for line in log if "_" in line or line.startswith(" →")], "each goes by its name on the form"


SETTINGS = {"title": "T", "overlap": 2, "lease_minutes": 15, "mode": "assisted", "propagation": "off"}
SETTINGS |= {"prefill": "", "prefill_confidence": 0.8, "blind_share": 15}
SETTINGS |= {"queue_policy": "import", "queue_scorer": "", "queue_random": 20}


def test_the_reference_cannot_be_a_rater_of_another_project(project: Project, owner: User) -> None:
    other = make.rater(make.project())
    answer = enter(owner).post(reverse("settings", args=[project.slug]), SETTINGS | {"reference": other.pk})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "wrong", [{"prefill": "judge:nobody"}, {"prefill_confidence": 1.5}, {"blind_share": 101}, {"blind_share": -1}]
)
def test_prefill_takes_a_judge_or_scorer_that_is_there_and_shares_that_are_shares(
    project: Project, owner: User, wrong: dict[str, Any]
) -> None:
    client, address = enter(owner), reverse("settings", args=[project.slug])
    assert client.post(address, SETTINGS | wrong).status_code == 422
    assert client.post(address, SETTINGS | {"prefill": "scorer:embedded"}).status_code == 302
    project.refresh_from_db()
    assert project.prefill == "scorer:embedded"


def test_guidelines_are_versions_and_the_difference_is_shown(project: Project, owner: User) -> None:
    client = enter(owner)
    client.post(reverse("guidelines", args=[project.slug]), {"text": "# Guidelines\nBe kind."})
    client.post(reverse("guidelines", args=[project.slug]), {"text": "# Guidelines\nBe strict."})
    assert list(project.guidelines.values_list("version", flat=True)) == [3, 2, 1]
    page = client.get(reverse("guideline", args=[project.slug, 3])).content.decode()
    assert "<ins>Be strict.</ins>" in page
    assert "<del>Be kind.</del>" in page
    client.post(reverse("guidelines", args=[project.slug]), {"text": "# Guidelines\nBe strict."})
    assert project.guidelines.count() == 3, "the same text is no new version"


def test_the_preview_of_guidelines_is_inert(project: Project, owner: User) -> None:
    text = "<script>alert(1)</script> [a](javascript:alert(1)) ![i](https://elsewhere/x.png) **bold**"
    page = enter(owner).post(reverse("guideline_preview", args=[project.slug]), {"text": text}).content.decode()
    assert "<strong>bold</strong>" in page
    assert "<script" not in page
    assert 'href="javascript' not in page
    assert "<img" not in page


def test_a_token_is_shown_once_and_can_be_revoked_by_its_owner_alone(project: Project, owner: User) -> None:
    client = enter(owner)
    made = client.post(reverse("tokens"), {"name": "ci", "scope": "read", "project": project.pk})
    token = owner.auth_token_set.get()
    assert made.context["secret"] in made.content.decode()
    assert made.context["secret"] not in client.get(reverse("tokens")).content.decode()
    assert "no-store" in made.headers["Cache-Control"]
    revoke = reverse("token_revoke", args=[token.token_key])
    assert enter(make.user()).post(revoke).status_code == 404
    assert client.post(revoke).status_code == 302
    assert not owner.auth_token_set.exists()


def test_a_token_is_for_a_project_of_ones_own(project: Project) -> None:
    answer = enter(make.user()).post(reverse("tokens"), {"name": "x", "scope": "read", "project": project.pk})
    assert answer.status_code == 422


def test_sign_up_is_closed() -> None:
    page = Client().get("/accounts/signup/").content.decode()
    assert "Accounts are made by project owners" in page


def test_home_asks_the_same_questions_for_one_project_and_for_many(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    user = make.user()
    client = enter(user)
    make.member(make.project(), user)
    with django_assert_num_queries(5):
        client.get(reverse("home"))
    for _ in range(8):
        make.member(make.project(), user)
    with django_assert_num_queries(5):
        client.get(reverse("home"))


def test_the_overview_shows_a_report_and_what_it_was_computed_from(project: Project, owner: User) -> None:
    make.trajectory(project)
    result = {
        "alpha_ordinal": 0.71234,
        "fleiss_kappa": None,
        "percent": 0.8,
        "counts": {"steps": 1234, "raters": 4},
    }
    Report.objects.create(project=project, result=result)
    page = enter(owner).get(reverse("project", args=[project.slug])).content.decode()
    assert "0.712" in page
    assert "1\u202f234 steps and 4 raters" in page
