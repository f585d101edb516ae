"""Every address: how to fill its arguments, who may enter, what they are answered. One that is not here fails tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import URLPattern, URLResolver, get_resolver

from annotations import access, schemes
from annotations.models import (
    Annotation,
    ApiToken,
    Calibration,
    Project,
    Rater,
    Report,
    Role,
    Rubric,
    Run,
    SchemeVersion,
    Thread,
    Trace,
    Trajectory,
    User,
)
from annotations.schemes.fields import PreferenceField, RubricField
from annotations.services import agreement, consensus, consensus_rows, consensus_words, leaderboard, projects, rubrics
from models_service.statistics.consensus import report as consensus_report
from models_service.statistics.leaderboard import board
from models_service.statistics.report import compute
from tests import make, pictures

NOBODY: set[Role] = set()


@dataclass(frozen=True)
class Door:
    """`who` may enter and gets `ok`; a member without the role gets `no`, a stranger 404, an anonymous caller is sent
    to the login page or told 401. `open` doors are everybody's, `own` ones only the annotator's of the world."""

    who: set[Role] = field(default_factory=lambda: set(access.SEE))
    ok: int = 200
    method: str = "get"
    body: dict[str, Any] | None = None
    no: int = 403
    open: bool = False
    own: bool = False
    person: bool = False  # everybody who is logged in, member or not
    json: bool = False  # answers an anonymous caller with 401
    viewer: int = 0  # what a viewer is told where that is not `no`


def post(who: set[Role], ok: int, body: dict[str, Any] | None = None, **more: Any) -> Door:
    return Door(who, ok, "post", body or {}, **more)


def api(who: set[Role] = access.SEE, ok: int = 200, method: str = "get", **more: Any) -> Door:
    return Door(set(who), ok, method, more.pop("body", {}), json=True, **more)


def own(ok: int = 200, method: str = "post", body: dict[str, Any] | None = None, **more: Any) -> Door:
    return Door({Role.ANNOTATOR}, ok, method, body or {}, own=True, no=404, **more)


CHANGE = {"change": "8f14e45f-ceea-467f-a9d2-7c6f4a3a8f11", "revision": 0}
ITEM = {"step": 1, "field": "label", "value": 1}
MANAGE, LABEL, LEADS, TAKE = access.MANAGE, access.LABEL, access.SEE_OTHERS_LABELS, access.TAKE_DATA
EVERYBODY = set(access.SEE)
TALK = LEADS | {Role.ANNOTATOR}  # the thread of the world is the annotator's
KEY = "3f2b8c1e-5a51-4c0e-9d0a-6b1f0e7c4a10"

PAGES: dict[str, list[Door]] = {
    "healthz": [Door(open=True)],
    "home": [Door(person=True)],
    "help": [Door(person=True)],
    "scheme_help": [Door(person=True)],
    "preferences": [Door(person=True), Door(person=True, method="post", body={}, ok=302)],
    "tokens": [Door(person=True), Door(person=True, method="post", body={}, ok=422)],
    "token_revoke": [own(302)],
    "scorers": [Door(set(), no=404), post(set(), 302, no=404)],
    "scorer_remove": [post(set(), 302, no=404)],
    "judge_servers": [Door(set(), no=404), post(set(), 302, no=404)],
    "judge_server_prices": [post(set(), 302, no=404)],
    "judge_server_remove": [post(set(), 302, no=404)],
    "judges": [Door(LEADS)],
    "judge_new": [Door(MANAGE), post(MANAGE, 422)],
    "judge_prompt": [Door(MANAGE, 404)],  # of no prompt of ours
    "judge_budget": [Door(LEADS), post(MANAGE, 422)],
    "judge": [Door(LEADS, 404)],  # the world has no judge
    "judge_corrections": [Door(LEADS, 404)],
    "judge_why": [Door(LEADS, 404)],
    "judge_why_text": [Door(LEADS, 404)],
    "judge_preview": [Door(LEADS, 404)],
    "judge_preview_new": [post(MANAGE, 422)],
    "judge_run": [post(MANAGE, 404)],
    "judge_retire": [post(MANAGE, 404)],
    "project_new": [Door(person=True), Door(person=True, method="post", body={"slug": ""}, ok=422)],
    "project": [Door()],
    "settings": [Door(MANAGE), post(MANAGE, 422)],
    "guidelines": [Door(), post(MANAGE, 422)],
    "guideline_preview": [post(MANAGE, 200, {"text": "# Hello"})],
    "guideline": [Door()],
    "scheme": [Door()],
    "scheme_edit": [Door(MANAGE), post(MANAGE, 422)],
    "scheme_preview": [post(MANAGE, 200)],
    "scheme_version": [Door()],
    "scheme_file": [Door()],
    "scheme_force": [Door(MANAGE), post(MANAGE, 302)],
    "scheme_unmapped": [Door(MANAGE)],
    "scheme_lost": [Door(MANAGE, 404)],
    "preset": [Door(person=True)],
    "rubrics": [Door(LEADS), post(LEADS, 422)],
    "rubric": [Door(LEADS), post(LEADS, 422)],
    "rubrics_waiting": [Door(LEADS)],
    "rubrics_write": [Door(MANAGE), post(MANAGE, 422)],
    "rubric_decide": [post(LEADS, 302, {"word": "reject"})],
    "members": [Door(MANAGE)],
    "member_add": [post(MANAGE, 422)],
    "member_new": [post(MANAGE, 422)],
    "member_change": [post(MANAGE, 302, {"role": "viewer"})],
    "member_remove": [post(MANAGE, 302)],
    "traces": [Door(MANAGE)],
    "traces_delete": [post(MANAGE, 302)],
    "trace_hurry": [post(MANAGE, 302)],
    "trace_delete": [post(MANAGE, 302)],
    "trajectories": [Door()],
    "search": [Door(LEADS)],
    "view_save": [post(LEADS, 302)],
    "view_remove": [post(LEADS, 404)],
    "view_follow": [post(MANAGE, 404)],
    "meanings": [post(MANAGE, 302)],
    "similar": [Door(LEADS)],
    "trajectory_choices": [Door()],
    "trajectory": [Door()],
    "trajectory_steps": [Door()],
    "trajectory_part": [Door()],
    "trajectory_image": [Door()],
    "trajectory_said": [Door()],
    "trajectory_outline": [Door()],
    "trajectory_heat": [Door(LEADS)],
    "trajectory_history": [Door()],
    "trajectory_print": [Door()],
    "trajectory_take": [Door(TAKE)],
    "trajectory_original": [Door(TAKE, 404)],  # the world's trajectory was made, not imported
    "compare": [Door()],
    "compare_rows": [Door(ok=404)],
    "paths": [Door(LEADS)],
    "paths_csv": [Door(LEADS)],
    "trajectory_release": [post(MANAGE, 302)],
    "trajectory_give": [post(MANAGE, 302, {"to": "annotator"})],
    "trajectory_return": [post(MANAGE, 302, {"reason": "Look again."})],
    "queue": [Door(LEADS), post(MANAGE, 302)],
    "label_next": [Door(LABEL, 302), post(LABEL, 302)],
    "annotate": [own(200, "get", viewer=403)],
    "annotate_cards": [own(200, "get", viewer=403)],
    "annotate_desk": [own(200, "get", viewer=403)],
    "annotate_find": [own(200, "get", viewer=403)],
    "annotate_text": [own(200, "get", viewer=403)],
    "annotate_image": [own(200, "get", viewer=403)],
    "annotate_candidate": [own(200, "get", viewer=403)],
    "annotate_candidate_text": [own(200, "get", viewer=403)],
    "annotate_candidate_image": [own(200, "get", viewer=403)],
    "label_change": [own(body={**CHANGE, "items": [ITEM]}, json=True)],
    "label_accept": [own(body=CHANGE, json=True)],
    "label_undo": [own(body=CHANGE, json=True)],
    "label_redo": [own(body=CHANGE, json=True)],
    "label_submit": [own(422, body=CHANGE, json=True, viewer=403)],
    "label_skip": [own(body={"reason": "unclear"}, json=True, viewer=403)],
    "label_reopen": [own(json=True, viewer=403)],
    "label_reveal": [own(json=True)],
    "label_spread": [own(409, json=True)],
    "label_dismiss": [own(body={"warning": "recovery:1", "dismissed": True}, json=True)],
    "label_lease": [own(json=True)],
    "label_ahead": [own(json=True)],
    "label_state": [own(200, "get", json=True)],
    "label_newer": [own(200, "get", json=True)],
    "label_guideline": [own(body={"version": 1}, json=True)],
    "label_talk": [own(200, "get", json=True)],
    "label_ask": [own(body={"key": KEY, "kind": "ask", "step": 1, "text": "Is it?"}, json=True)],
    "label_reply": [own(body={"key": KEY, "thread": 0, "text": "It is not."}, json=True)],
    "label_close": [own(body={"thread": 0}, json=True)],
    "label_seen": [own(body={"thread": 0, "upto": 1}, json=True)],
    "label_successor": [post(LABEL, 200, {"steps": [1]}, json=True)],
    "label_looks": [own(body={"page": CHANGE["change"], "looks": [[1, 900, 1, 0]]}, json=True)],
    "adjudicate": [Door(LEADS)],
    "adjudicate_agreed": [post(LEADS, 302)],
    "adjudicate_weighed": [Door(LEADS)],
    "adjudicate_weighed_csv": [Door(LEADS)],
    "adjudicate_next": [post(LEADS, 302)],
    "adjudicate_begin": [post(LEADS, 302)],
    "adjudicate_one": [Door(LEADS, 404)],  # the world's trajectory is not taken up
    "adjudicate_steps": [Door(LEADS, 404)],
    "adjudicate_decide": [post(LEADS, 404)],
    "adjudicate_say": [post(LEADS, 404)],
    "adjudicate_show": [post(LEADS, 404)],
    "adjudicate_settle": [post(LEADS, 404)],
    "adjudicate_reopen": [post(LEADS, 404)],
    "adjudicate_take": [post(LEADS, 404)],
    "questions": [Door(LEADS)],
    "thread": [Door(TALK, no=404)],
    "thread_reply": [post(TALK, 302, {"key": KEY, "text": "It is."}, no=404)],
    "thread_close": [post(TALK, 302, no=404)],
    "thread_seen": [post(TALK, 204, {"upto": 1}, no=404)],
    "imports": [Door(MANAGE), post(MANAGE, 422)],
    "import_map": [Door(MANAGE, 404), post(MANAGE, 404)],  # the world's import has no file
    "format_forget": [post(MANAGE, 404)],
    "runs": [Door(LEADS)],
    "run": [Door(LEADS)],
    "run_cancel": [post(MANAGE, 302)],
    "run_pause": [post(MANAGE, 302)],
    "run_resume": [post(MANAGE, 302)],
    "run_retry": [post(MANAGE, 302)],
    "run_skipped": [Door(LEADS, 404)],
    "run_problems_csv": [Door(LEADS)],
    "run_problems_json": [Door(LEADS)],
    "scores": [Door(LEADS), post(MANAGE, 422)],
    "calibrate": [post(MANAGE, 302)],
    "train_scorer": [post(MANAGE, 302)],
    "calibration_csv": [Door(LEADS)],
    "pace": [Door()],
    "pace_rows": [Door()],
    "quality": [Door(LABEL)],
    "quality_csv": [Door(LABEL)],
    "gold": [Door(LEADS), post(MANAGE, 422)],
    "gold_many": [post(MANAGE, 302)],
    "trajectory_gold": [Door(LEADS), post(MANAGE, 302)],
    "trajectory_gold_unmark": [post(MANAGE, 404)],
    "training": [Door(LABEL)],
    "training_again": [post(LABEL, 302)],
    "training_feedback": [Door(LABEL, 404)],  # the world's pass is no training
    "training_pass": [post(MANAGE, 302)],
    "agreement": [Door(LEADS), post(LEADS, 302)],
    "report": [Door(LEADS)],
    "consensus": [Door(LEADS), post(LEADS, 422)],
    "consensus_report": [Door(LEADS)],
    "consensus_json": [Door(LEADS)],
    "consensus_csv": [Door(LEADS)],
    "consensus_steps": [Door(LEADS, 404)],  # the world's report has no run
    "consensus_adopt": [Door(MANAGE, 422), post(MANAGE, 422)],
    "consensus_take_back": [post(MANAGE, 404)],  # nothing is adopted
    "judge_probes": [Door(LEADS)],
    "judge_probe_limits": [post(MANAGE, 422, {"injection.moved": "7"})],
    "judge_probe": [Door(LEADS), post(MANAGE, 422, {"tasks": "0"})],
    "judge_probe_log": [Door(LEADS, 404)],  # nobody has probed it
    "judge_probe_sign": [post(MANAGE, 422)],
    "judge_probe_unsign": [post(MANAGE, 302)],
    "leaderboard": [Door(LEADS), post(LEADS, 422)],
    "leaderboard_report": [Door(LEADS)],
    "leaderboard_suggest": [post(MANAGE, 302)],
    "leaderboard_json": [Door(LEADS)],
    "leaderboard_csv": [Door(LEADS)],
    "leaderboard_judge": [Door(LEADS)],
    "leaderboard_steps": [Door(LEADS, 404)],  # it names no cell
    "leaderboard_calibration": [Door(LEADS)],
    "insight": [Door(LEADS), post(LEADS, 422)],
    "insight_report": [Door(LEADS, 404)],  # the world's report is one of agreement
    "insight_csv": [Door(LEADS, 404)],
    "exports": [Door(TAKE), post(TAKE, 422, {"format": "none"})],
    "export_push": [post(MANAGE, 302, {"to": "lab/errands"})],
    "export_zip": [Door(TAKE)],
    "export_file": [Door(TAKE)],
}

API: dict[str, list[Door]] = {
    "api-schema": [Door(open=True)],
    "api-docs": [Door(open=True)],
    "api-missing": [Door(open=True, ok=404)],
    "api-traces": [api(ok=400, method="post", person=True)],  # it names no project; see tests/api/test_traces.py
    "api-projects-list": [api(person=True), api(ok=400, method="post", person=True)],
    "api-schemes-list": [api(person=True)],
    "api-schemes-detail": [api()],
    "api-presets-list": [api(person=True)],
    "api-presets-detail": [api(person=True)],
    "api-project-schemes-list": [api(), api(MANAGE, 400, "post")],
    "api-project-schemes-detail": [api()],
    "api-project-schemes-upload": [api(MANAGE, 415, "post")],
    "api-project-schemes-plan": [api(MANAGE)],
    "api-project-schemes-force": [api(MANAGE, 422, "post")],
    "api-rubrics-list": [api(LEADS), api(LEADS, 400, "post")],
    "api-rubrics-detail": [api(LEADS)],
    "api-rubrics-upload": [api(LEADS, 415, "post")],
    "api-rubrics-approve": [api(LEADS, method="post")],
    "api-rubrics-reject": [api(LEADS, method="post")],
    "api-tokens-list": [api(person=True), api(ok=400, method="post", person=True)],
    "api-tokens-detail": [own(204, "delete", json=True)],
    "api-project": [api(), api(MANAGE, method="patch", body={"overlap": 3})],
    "api-next": [api(LABEL, method="post")],
    "api-gold-list": [api(LEADS), api(MANAGE, 400, "post")],
    "api-gold-detail": [api(LEADS, 404), api(MANAGE, 404, "delete")],
    "api-gold-many": [api(MANAGE, 400, "post")],
    "api-gold-plan": [api(LEADS), api(MANAGE, method="patch")],
    "api-training": [api(LABEL, 404)],  # nobody of the world has to train
    "api-training-again": [api(LABEL, 409, "post")],
    "api-training-pass": [api(MANAGE, 400, "post")],
    "api-training-feedback": [api(LABEL, 404)],
    "api-queue": [api(LEADS), api(MANAGE, 409, "post")],
    "api-export-file": [api(TAKE)],
    "api-tasks-list": [api()],
    "api-tasks-detail": [api()],
    "api-trajectories-list": [api()],
    "api-trajectories-detail": [api()],
    "api-steps-list": [api()],
    "api-steps-detail": [api()],
    "api-annotations-list": [api()],
    "api-annotations-detail": [api(LEADS | {Role.ANNOTATOR}, no=404)],
    **{
        f"api-annotations-{verb}": [own(json=True, viewer=403)]
        for verb in ("accept", "undo", "redo", "reopen", "reveal", "lease")
    },
    "api-annotations-submit": [own(422, json=True, viewer=403)],
    "api-annotations-skip": [own(body={"reason": "unclear"}, json=True, viewer=403)],
    "api-annotations-state": [own(200, "get", json=True, viewer=403)],
    "api-annotations-release": [api(MANAGE, method="post")],
    "api-trajectories-assign": [api(MANAGE, method="post", body={"to": "annotator"})],
    "api-labels-list": [api(), own(body={"annotation": "annotation", **ITEM}, json=True, viewer=403)],
    "api-labels-bulk": [api(LABEL, ok=400, method="post")],
    "api-threads-list": [
        api(),
        own(201, body={"annotation": "annotation", "step": 1, "kind": "ask", "text": "Is it?"}, json=True, viewer=403),
    ],
    "api-threads-detail": [api(TALK, no=404)],
    "api-threads-reply": [api(TALK, 201, "post", body={"text": "It is."}, no=404)],
    "api-threads-close": [api(TALK, 200, "post", no=404)],
    "api-raters-list": [api()],
    "api-guidelines-list": [api(), api(MANAGE, ok=400, method="post")],
    "api-guidelines-detail": [api()],
    "api-members-list": [api(MANAGE), api(MANAGE, ok=400, method="post")],
    "api-members-detail": [
        api(MANAGE, method="patch", body={"role": "viewer"}),
        api(MANAGE, ok=204, method="delete"),
    ],
    "api-scores-list": [api()],
    "api-calibrations-list": [api(LEADS)],
    "api-calibrations-detail": [api(LEADS)],
    "api-reports-list": [api(LEADS)],
    "api-reports-detail": [api(LEADS)],
    "api-reports-now": [api(LEADS)],
    "api-runs-list": [api(LEADS)],
    "api-runs-detail": [api(LEADS)],
    "api-judges-list": [api(LEADS), api(MANAGE, 400, "post")],
    "api-judges-detail": [api(LEADS, 404)],  # the world has no judge
    "api-judges-ask": [api(MANAGE, 404, "post")],
    "api-judges-retire": [api(MANAGE, 404, "post")],
    "api-judges-preview": [api(LEADS, 404)],
    "api-judges-gates": [api(LEADS)],
    "api-judge-calls-list": [api(LEADS)],
    "api-judge-calls-detail": [api(LEADS, 404)],
    "api-judge-budget": [api(LEADS, 204), api(MANAGE, 400, "put")],
    "api-runs-start-leaderboard": [api(LEADS, 400, "post")],
    "api-runs-start-agreement": [api(LEADS, 201, "post")],
    "api-runs-start-calibrate": [api(MANAGE, 400, "post")],
    "api-runs-start-export": [api(TAKE, 400, "post")],
    "api-runs-start-import": [api(MANAGE, 415, "post")],
    "api-runs-start-score": [api(MANAGE, 400, "post")],
    "api-runs-score-estimates": [api(LEADS)],
    "api-runs-start-train": [api(MANAGE, 201, "post")],
    "api-runs-cancel": [api(MANAGE, method="post", ok=409)],
    "api-runs-pause": [api(MANAGE, method="post", ok=409)],
    "api-runs-resume": [api(MANAGE, method="post", ok=409)],
    "api-runs-retry": [api(MANAGE, method="post", ok=201)],
    "api-exports-list": [api(TAKE)],
    "api-exports-detail": [api(TAKE)],
}

# allauth's: an account's own affairs, no project's. What they answer is theirs to test.
ACCOUNT = {
    *("account_login", "account_logout", "account_inactive", "account_signup", "account_reauthenticate"),
    *("account_email", "account_email_verification_sent", "account_change_password", "account_set_password"),
    *("account_reset_password", "account_confirm_login_code", "account_confirm_email"),
    *("account_reset_password_from_key_done", "account_reset_password_from_key", "account_reset_password_done"),
}

DOORS = PAGES | API


@dataclass
class World:
    """One project with somebody in every role, a stranger, and one of everything an address can name."""

    project: Project
    people: dict[str, User]
    trajectory: Trajectory
    annotation: Annotation
    import_: Run
    export: Run
    report: Report
    token: ApiToken
    spare: int  # a membership to change or end
    thread: Thread
    rubric: Rubric
    trace: Trace
    calibration: Calibration
    board: Report
    agreed: Report

    @property
    def judge(self) -> int:
        return Rater.objects.get(project=self.project, name="judge").pk

    def arguments(self, name: str, wanted: Iterator[str] | list[str]) -> dict[str, Any]:
        return {one: self._argument(name, one) for one in wanted}

    def filled(self, body: dict[str, Any] | None) -> dict[str, Any]:
        """The body of a door, naming the world's own rows."""
        rows = {"annotation": self.annotation.pk, "thread": self.thread.pk}
        return {name: rows.get(name, value) for name, value in (body or {}).items()}

    def _argument(self, name: str, wanted: str) -> Any:
        fixed = {
            "slug": self.project.slug,
            "annotation": self.annotation.pk,
            "user": self.people["annotator"].pk,
            **dict.fromkeys(("number", "version", "index", "step", "call"), 1),
            **dict.fromkeys(["token_key", "id"], self.token.token_key),
            **dict.fromkeys(["name", "part"], "message"),
            "of": "source",
            "table": "fields" if name == "adjudicate_weighed_csv" else "states",
            "rollout": self.trajectory.rollout,
            "task": self.trajectory.task_id,
            "field": "checks",
            "change": CHANGE["change"],
            "rest": "nowhere",
            "rater": self.judge,
            "report": self.report.pk,
            "key": next(row["key"] for row in self.board.result["rows"]),
        }
        if name in ("export_file", "api-export-file") and wanted == "name":
            return "data.jsonl"
        if name in ("preset", "api-presets-detail") and wanted == "name":
            return "agent-process"
        return self._key(name) if wanted == "pk" else fixed[wanted]

    def _key(self, name: str) -> int:
        keys = {
            "consensus": self.agreed.pk,
            "adjudicate": self.trajectory.pk,
            "similar": self.trajectory.pk,
            "leaderboard": self.board.pk,
            "trajector": self.trajectory.pk,
            "trace": self.trace.pk,
            "run": self.import_.pk,
            "import": self.import_.pk,
            "report": self.report.pk,
            "export": self.export.pk,
            "member": self.spare,
            "annotation": self.annotation.pk,
            "task": self.trajectory.task_id,
            "step": self.trajectory.steps.of_agent()[0].pk,
            "scheme": self.project.scheme_id,
            "thread": self.thread.pk,
            "rubric": self.rubric.pk,
            "calibration": self.calibration.pk,
            "scorer": 1,
        }
        return next((pk for word, pk in keys.items() if word in name), 1)  # of what the world has none


def world(**fields: Any) -> World:
    project = make.project(slug="walked", overlap=3, **{"scheme": scheme()} | fields)
    people = {role.value: make.user(role.value) for role in Role} | {"stranger": make.user("stranger")}
    for role in Role:
        make.member(project, people[role.value], role)
    other = SchemeVersion.objects.create(name="other", version="1", document=project.scheme.document, sha256="f" * 64)
    make.project(people["stranger"], slug="elsewhere", scheme=other)
    trajectory = make.trajectory(project, outcome={"reward": 1}, policy_model="model")
    trajectory.steps.filter(index=1).update(extra={"fields": {"content": [pictures.as_openai()]}})
    make.rating(make.rater(project, "judge"), trajectory, [1, 0, -1], final=1)
    make.rating(make.rater(project, "gold", Rater.Kind.IMPORT), trajectory, [1, 1, 1], final=1)
    annotation = make.lease(trajectory, people["annotator"])
    over = {"state": Run.State.DONE, "created_by": people["owner"]}
    problem = {"file": "a.jsonl", "line": 1, "field": "messages", "reason": "missing"}
    import_ = Run.objects.create(project=project, kind="import", result={"rejected": [problem]}, **over)
    result = {"rows": 1, "files": ["data.jsonl"], "sha256": {"data.jsonl": "0" * 64}}
    export = Run.objects.create(project=project, kind="export", result=result, **over)
    default_storage.save(f"exports/{export.pk}/data.jsonl", ContentFile(b"{}\n"))
    token, _ = ApiToken.objects.create(user=people["annotator"], name="mine")
    result = compute(agreement.table(project, {}), resamples=10)
    report = Report.objects.create(project=project, result=result)
    spare = make.member(project, make.user("spare"), Role.VIEWER)
    thread = make.thread(annotation, "Does step 1 count?")
    listed = rubrics.store(trajectory.task, "checks", ["Is it so?"], source=Rubric.Source.JUDGE, by=None, rater="judge")
    trace = make.trace(project, problem="It says nothing.")
    fitted = Calibration.objects.create(
        project=project,
        scored=import_,
        scorer="embedded",
        method="platt",
        parameters={"method": "platt", "of": "value", "scale": 1.0, "bias": 0.0},
        report={"method": "platt", "bins": {}, "spans": {}},
    )
    world = (project, people, trajectory, annotation, import_, export, report, token, spare.pk, thread, listed, trace)
    judged = leaderboard.gathered(project, {"reference": "import:gold"})
    measured = board.compute(judged, resamples=10)
    inputs = {"counts": measured["counts"], "glance": leaderboard.glance(measured)}
    kept = Report.objects.create(project=project, kind=leaderboard.KIND, inputs=inputs, result=measured)
    return World(*world, fitted, kept, worked_out(project))


def worked_out(project: Project) -> Report:
    """What all its raters say together."""
    config = {"field": "label", "raters": "everybody", "reference": "", "by_hand": False}
    asked = consensus.read(project, config)
    table = consensus_rows.gathered(asked)
    result = consensus_report.compute(table, resamples=10).result
    glance = consensus_words.glance(result)
    inputs = {"counts": result["counts"], "sha256": "0" * 64, "mark": consensus.mark(asked), "glance": glance}
    return Report.objects.create(project=project, kind=consensus.KIND, config=config, inputs=inputs, result=result)


def scheme() -> SchemeVersion:
    """The usual one, a checklist whose items are a task's own, and which rollout is the best."""
    usual = schemes.shipped()["agent-process"]
    checks = RubricField(kind="rubric", name="checks", title="Checks", target="trajectory", items_from="judge")
    best = PreferenceField(kind="preference", name="best", title="Best", target="task", form="best")
    return projects.freeze(usual.model_copy(update={"fields": (*usual.fields, checks, best)}))


def addresses() -> Iterator[tuple[str, URLPattern]]:
    """Every address there is, as its route and pattern."""
    yield from _walk(get_resolver().url_patterns, "")


def _walk(patterns: Any, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for one in patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _walk(one.url_patterns, route)
        else:
            yield route, one
