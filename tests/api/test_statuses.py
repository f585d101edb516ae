"""Every status the schema documents is one that is served."""

from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from annotations import schemes
from annotations.models import Annotation, ApiToken, Role, Run
from annotations.services import gold, projects, scheme_texts
from tests import doors, judges, make
from tests.api.conftest import client_of, client_with_token

pytestmark = pytest.mark.django_db

Operation = tuple[str, str]


@pytest.fixture(scope="module")
def operations() -> dict[Operation, set[int]]:
    """(method, path) → the refusals it documents."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return {
        (method, path): {int(code) for code in one["responses"] if code.startswith("4")}
        for path, methods in schema["paths"].items()
        for method, one in methods.items()
    }


class Caller:
    """Provokes a refusal in the way that belongs to its status, whatever the operation is."""

    def __init__(self, walked: doors.World) -> None:
        self.walked = walked
        self.owner = client_of(walked.people[Role.OWNER])
        self.judge = judges.judge(walked.project).pk
        passes = walked.project.raters.get(name="gold").annotations
        self.gold = gold.mark(walked.project, walked.trajectory.pk, None, reference=passes.get().pk).pk

    def answer(self, operation: Operation, code: int) -> int:
        deed = {400: self._unreadable, 401: self._anonymous, 403: self._forbidden, 404: self._absent, 415: self._alien}
        status: int = deed[code](*operation).status_code
        return status

    def _url(self, path: str, **fixed: Any) -> str:
        names = {"slug": "walked", "name": "data.jsonl", "version": 1, "number": 1, "id": self._key(path), **fixed}
        if "/presets/" in path and "name" not in fixed:
            names["name"] = "agent-process"
        return path.format(**names)

    def _key(self, path: str) -> Any:
        place = path.removeprefix("/api/v1/").removeprefix("projects/{slug}/").split("/")[0]
        walked = self.walked
        keys: dict[str, Any] = {
            "tokens": walked.token.token_key,
            "schemes": walked.project.scheme_id,
            "tasks": walked.trajectory.task_id,
            "trajectories": walked.trajectory.pk,
            "steps": walked.trajectory.steps.of_agent()[0].pk,
            "annotations": walked.annotation.pk,
            "members": walked.spare,
            "threads": walked.thread.pk,
            "reports": walked.report.pk,
            "calibrations": walked.calibration.pk,
            "runs": walked.import_.pk,
            "exports": walked.export.pk,
            "rubrics": walked.rubric.pk,
            "judges": self.judge,
            "judge-calls": 1,
            "gold": self.gold,
            "training": walked.annotation.pk,
        }
        return keys.get(place)

    def _send(self, client: APIClient, method: str, url: str, body: Any = None) -> Any:
        return getattr(client, method)(url) if method == "get" else getattr(client, method)(url, body, format="json")

    def _who(self, path: str) -> APIClient:
        """Who may do it: what is done with a pass is its annotator's, but for taking its seat away."""
        own = "/annotations/" in path and not path.endswith("/release/")
        return client_of(self.walked.people[Role.ANNOTATOR]) if own else self.owner

    def _unreadable(self, method: str, path: str) -> Any:
        own = self._who(path)
        if method == "get":
            return own.get(self._url(path) + ("?steps=maybe&question=0" if "{id}" in path else "?page_size=0"))
        if path.endswith(("/import/", "/file/")):
            return own.post(self._url(path), {}, format="multipart")
        return self._send(own, method, self._url(path), ["no object"])

    def _anonymous(self, method: str, path: str) -> Any:
        return self._send(APIClient(), method, self._url(path), {})

    def _forbidden(self, method: str, path: str) -> Any:
        if method == "get":
            return client_of(self.walked.people[Role.VIEWER]).get(self._url(path))
        reading = client_with_token(self.walked.people[Role.OWNER], scope=ApiToken.Scope.READ)
        return self._send(reading, method, self._url(path), {})

    def _absent(self, method: str, path: str) -> Any:
        return self._send(
            self.owner, method, self._url(path, slug="nowhere", id="999999999", version=99, number=99, name="none")
        )

    def _alien(self, method: str, path: str) -> Any:
        return getattr(self._who(path), method)(self._url(path), "text", content_type="text/plain")


def test_what_any_operation_may_refuse_it_does_refuse(operations, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    caller = Caller(doors.world())
    wrong = []
    for operation, codes in operations.items():
        for code in codes - {409, 422}:
            if (got := caller.answer(operation, code)) != code:
                wrong.append(f"{' '.join(operation)} documents {code} and answered {got}")
    assert not wrong, "\n".join(wrong)


VALID = schemes.preset_text("prm800k")


def _sealed(walked: doors.World) -> str:
    """A project that has to be progressive."""
    text = schemes.preset_text("foresight-hindsight")
    return projects.create(slug="sealed", text=text, owner=walked.people[Role.OWNER]).slug


def _training(walked: doors.World) -> Annotation:
    """A training pass that is not handed in, of a newcomer for whom no other training item is there."""
    gold.change(walked.project, walked.people[Role.OWNER], training=3)
    walked.people["newcomer"] = make.user("newcomer")
    make.member(walked.project, walked.people["newcomer"])
    trained = make.lease(make.trajectory(walked.project), walked.people["newcomer"])
    Annotation.objects.filter(pk=trained.pk).update(purpose=Annotation.Purpose.TRAINING, state=Annotation.State.SKIPPED)
    return trained


def clashes(walked: doors.World) -> dict[tuple[str, str, int], tuple[str, str, Any]]:
    """What provokes a 409 or 422, by operation: who asks, the address, the body."""
    base = "/api/v1/projects/walked"
    own = walked.project.memberships.get(user=walked.people[Role.OWNER])
    scheme_texts.save(walked.project, schemes.preset_text("binary"), None)
    sealing = scheme_texts.save(walked.project, schemes.preset_text("foresight-hindsight"), None)
    listed = {"task": walked.trajectory.task.external_id, "field": "checks", "items": []}
    queued = Run.objects.create(project=walked.project, kind=Run.Kind.EXPORT)
    label = {"annotation": walked.annotation.pk, "step": 1, "field": "label"}
    bad = make.lease(make.trajectory(walked.project), walked.people[Role.ANNOTATOR])
    trained = _training(walked)
    closed = f"{base}/annotations/{walked.annotation.pk}"
    project = "/api/v1/projects/{slug}"
    return {
        ("post", f"{project}/labels/", 409): (Role.ANNOTATOR, f"{base}/labels/", {**label, "value": 1}),
        ("post", f"{project}/labels/", 422): (
            Role.ANNOTATOR,
            f"{base}/labels/",
            {**label, "annotation": bad.pk, "value": 7},
        ),
        **{
            ("post", f"{project}/annotations/{{id}}/{verb}/", 409): (Role.ANNOTATOR, f"{closed}/{verb}/", body)
            for verb, body in (
                ("accept", {}),
                ("undo", {}),
                ("redo", {}),
                ("submit", {}),
                ("skip", {"reason": "x"}),
                ("reopen", {}),
            )
        },
        ("post", f"{project}/schemes/", 409): (Role.OWNER, f"{base}/schemes/", {"text": VALID, "base": 1}),
        ("post", f"{project}/schemes/{{number}}/force/", 422): (
            Role.OWNER,
            f"{base}/schemes/{sealing.number}/force/",
            {},
        ),
        ("patch", f"{project}/", 422): (Role.OWNER, f"/api/v1/projects/{_sealed(walked)}/", {"mode": "blind"}),
        ("post", f"{project}/rubrics/", 422): (Role.OWNER, f"{base}/rubrics/", listed),
        ("post", f"{project}/rubrics/{{id}}/approve/", 422): (
            Role.OWNER,
            f"{base}/rubrics/{walked.rubric.pk}/approve/",
            {"items": []},
        ),
        ("post", f"{project}/annotations/{{id}}/release/", 409): (Role.OWNER, f"{closed}/release/", {}),
        ("post", f"{project}/trajectories/{{id}}/assign/", 409): (
            Role.OWNER,
            f"{base}/trajectories/{walked.trajectory.pk}/assign/",
            {"to": "viewer"},
        ),
        ("post", f"{project}/annotations/{{id}}/submit/", 422): (
            Role.ANNOTATOR,
            f"{base}/annotations/{bad.pk}/submit/",
            {},
        ),
        ("post", f"{project}/threads/", 422): (
            Role.ANNOTATOR,
            f"{base}/threads/",
            {"annotation": walked.annotation.pk, "step": 99, "kind": "ask", "text": "Is there such a step?"},
        ),
        ("post", f"{project}/threads/{{id}}/reply/", 422): (
            Role.OWNER,
            f"{base}/threads/{walked.thread.pk}/reply/",
            {"text": "It is.", "key": str(walked.thread.messages.get().key)},
        ),
        ("post", f"{project}/members/", 409): (Role.OWNER, f"{base}/members/", {"user": "spare", "role": "viewer"}),
        ("patch", f"{project}/members/{{id}}/", 409): (Role.OWNER, f"{base}/members/{own.pk}/", {"role": "viewer"}),
        ("delete", f"{project}/members/{{id}}/", 409): (Role.OWNER, f"{base}/members/{own.pk}/", {}),
        ("post", f"{project}/runs/{{id}}/cancel/", 409): (
            Role.OWNER,
            f"{base}/runs/{walked.import_.pk}/cancel/",
            {},
        ),
        ("post", f"{project}/runs/{{id}}/retry/", 409): (Role.OWNER, f"{base}/runs/{queued.pk}/retry/", {}),
        ("post", f"{project}/runs/{{id}}/pause/", 409): (Role.OWNER, f"{base}/runs/{walked.import_.pk}/pause/", {}),
        ("post", f"{project}/runs/{{id}}/resume/", 409): (Role.OWNER, f"{base}/runs/{queued.pk}/resume/", {}),
        ("post", f"{project}/judges/{{id}}/run/", 409): (
            Role.OWNER,
            f"{base}/judges/{judges.judge(walked.project).pk}/run/",
            {"what": "all"},
        ),
        ("post", f"{project}/queue/", 409): (Role.OWNER, f"{base}/queue/", {}),
        ("post", f"{project}/gold/", 422): (Role.OWNER, f"{base}/gold/", {"trajectory": bad.trajectory_id}),
        ("post", f"{project}/gold/many/", 422): (Role.OWNER, f"{base}/gold/many/", {"rater": 1, "view": "gone"}),
        ("post", f"{project}/training/again/", 409): ("newcomer", f"{base}/training/again/", {}),
        ("post", f"{project}/next/", 409): ("newcomer", f"{base}/next/", {}),
        ("get", f"{project}/training/{{id}}/", 409): ("newcomer", f"{base}/training/{trained.pk}/", {}),
    }


def test_every_clash_that_is_documented_happens(operations, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    walked = doors.world()
    provoked = clashes(walked)
    documented = {(*operation, code) for operation, codes in operations.items() for code in codes & {409, 422}}
    assert documented == set(provoked)
    for (method, path, code), (who, url, body) in provoked.items():
        state = Annotation.State.LEASED if code == 422 else Annotation.State.FAILED
        Annotation.objects.filter(pk=walked.annotation.pk).update(state=state)
        answer = getattr(client_of(walked.people[who]), method)(url, body, format="json")
        assert answer.status_code == code, f"{method} {path}: {answer.status_code}, not {code}"
