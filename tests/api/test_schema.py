"""What is served is what the schema says: fuzzed against a live server, as an owner and as an annotator."""

from __future__ import annotations

import io
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from annotations.models import Annotation, ApiToken, Calibration, Project, Report, Role, Run, Score, User
from annotations.services import rubrics
from tests import doors, judges, make

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 10

bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def populated(user: User, role: Role) -> dict[str, Any]:
    """A project with some of everything, and what the schema's path and body parameters may name in it."""
    project = make.project(slug="mine", overlap=3, scheme=doors.scheme())
    member = make.member(project, user, role)
    make.member(project, make.user("lead"), Role.OWNER)
    trajectory = make.trajectory(project, outcome={"reward": 1}, extra={"x": [1]})
    annotation = make.lease(trajectory, user)
    judge = make.rater(project, "judge")
    make.rating(judge, trajectory, [1, 0, -1], final=1)
    run = Run.objects.create(project=project, kind=Run.Kind.SCORE, created_by=user)
    Score.objects.create(run=run, trajectory=trajectory, step=trajectory.steps.of_agent()[0], value=0.5)
    report = Report.objects.create(project=project, result={"alpha": None})
    parameters = {"method": "platt", "of": "value", "scale": 2.0, "bias": 0.5}
    calibration = Calibration.objects.create(
        project=project, scored=run, scorer="slow", method="platt", parameters=parameters, report={}
    )
    thread = make.thread(annotation)
    return {
        "slug": project.slug,
        "annotations": annotation.pk,
        "tasks": trajectory.task_id,
        "trajectories": trajectory.pk,
        "steps": trajectory.steps.first().pk,
        "runs": run.pk,
        "exports": run.pk,
        "reports": report.pk,
        "calibrations": calibration.pk,
        "members": member.pk,
        "judges": judges.judge(project).pk,
        "threads": thread.pk,
        "schemes": project.scheme_id,
        "guidelines": 1,
        "rubrics": rubrics.store(trajectory.task, "checks", ["Is it so?"], source="judge", by=None).pk,
        "numbers": 1,
    }


def made_real(case: Case, known: dict[str, Any]) -> None:
    """Let the case name rows that exist: at random it would meet only 404."""
    place = case.path.replace("/api/v1/", "").replace("projects/{slug}/", "").split("/")[0]
    for name in case.path_parameters or {}:
        if name == "slug":
            case.path_parameters[name] = known["slug"]
        elif name == "number":
            case.path_parameters[name] = known["numbers"]
        elif name == "name" and place == "presets":
            case.path_parameters[name] = "agent-process"
        elif place in known:
            case.path_parameters[name] = known[place]
    if isinstance(case.body, dict) and "annotation" in case.body:
        case.body["annotation"] = known["annotations"]


def fuzz(url: str, known: dict[str, Any], secret: str) -> dict[str, set[int]]:
    """Ask every operation; returns the statuses each answered with."""
    schema = schemathesis.openapi.from_url(f"{url}/api/v1/schema/?format=json")
    operations = [found.ok() for found in schema.get_all_operations()]
    return {operation.label: statuses_of(operation, known, secret) for operation in operations}


def statuses_of(operation: Any, known: dict[str, Any], secret: str) -> set[int]:
    met: set[int] = set()

    @given(case=operation.as_strategy(), real=st.booleans())
    @bounded
    def ask(case: Case, real: bool) -> None:
        if real:
            made_real(case, known)
        answer = case.call(headers={"Authorization": f"Token {secret}"})
        met.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    ask()
    return met


@pytest.mark.parametrize("role", [Role.OWNER, Role.ANNOTATOR])
def test_no_answer_is_outside_the_schema(live_server, role):
    user = make.user("caller")
    known = populated(user, role)
    _, secret = ApiToken.objects.create(user=user, name="fuzz")
    met = fuzz(live_server.url, known, secret)
    assert len(met) >= 50
    reads = {label for label, statuses in met.items() if label.startswith("GET") and 200 in statuses}
    assert len(reads) >= (20 if role == Role.OWNER else 10), "the fuzzing met hardly anything but refusals"
    assert Project.objects.filter(slug="mine").exists()
    assert Annotation.objects.filter(pk=known["annotations"]).exists()


def test_the_schema_is_valid_and_without_warnings():
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    assert "/api/v1/projects/{slug}/labels/bulk/:" in out.getvalue()
