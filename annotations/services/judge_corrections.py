"""Where people say otherwise than a judge, as what its next version can be shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import F, QuerySet

from annotations.formats import step_text
from annotations.formats.judge_sft import JudgeSFT
from annotations.judges.settings import Example
from annotations.models import Annotation, Judge, Label, Rater, Step
from annotations.records import Json, StepRecord
from annotations.services import projects

MOST = 12  # examples that a version is shown
LISTED = 200
LONGEST = 1_500  # characters of a step's text in an example


@dataclass(frozen=True)
class Correction:
    """A step of which somebody says otherwise than the judge. `label` is the person's."""

    label: Label
    said: Json
    reason: str


def of(judge: Judge) -> list[Correction]:
    """The newest first; of people's passes that are handed in, and of what was adjudicated."""
    main = projects.scheme_of(judge.project.scheme).main
    said = Label.objects.current().filter(
        annotation__rater=judge.rater_id, annotation__retired_at=None, field=main, step__isnull=False
    )
    own = {one.step_id: one for one in said}
    people = _of_people(judge, main).filter(step__in=list(own))
    found = [Correction(one, own[one.step_id].value, own[one.step_id].explanation) for one in people]
    found = [one for one in found if one.label.value != one.said]
    return found[:LISTED]


def as_rows(judge: Judge, found: Iterable[Correction]) -> str:
    """What the page of exports is asked for, so that these corrections go out as rows to fine-tune a judge on."""
    raters = sorted({f"{rater.kind}:{rater.name}" for one in found if (rater := one.label.annotation.rater)})
    asked = {"format": JudgeSFT.name, "judge": str(judge), "option-which": "corrected", "raters": raters}
    return urlencode(asked, doseq=True)


def _of_people(judge: Judge, main: str) -> QuerySet[Label]:
    kinds = [Rater.Kind.HUMAN, Rater.Kind.CONSENSUS]
    rows = Label.objects.current().filter(
        field=main,
        annotation__rater__project=judge.project_id,
        annotation__rater__kind__in=kinds,
        annotation__retired_at=None,
        annotation__purpose="",
        annotation__state=Annotation.State.SUBMITTED,
        annotation__trajectory__superseded_at=None,
    )
    said = rows.exclude(origin=Label.Origin.CONSENSUS)  # nobody said that
    return said.select_related("annotation__rater", "annotation__trajectory", "step").order_by(F("pk").desc())


def examples(judge: Judge, labels: list[int]) -> list[Example]:
    """Those of these labels that correct the judge, at most MOST, as its next version is shown them."""
    wanted = set(labels[:MOST])
    return [_example(one.label) for one in of(judge) if one.label.pk in wanted]


def _example(label: Label) -> Example:
    step = label.step
    assert step is not None  # `of` reads labels of steps
    return Example(
        text=_text(step),
        answer=label.value,
        why=label.explanation,
        label=label.pk,
        trajectory=label.annotation.trajectory_id,
    )


def _text(step: Step) -> str:
    record = StepRecord(
        step.source,
        step.source_index,
        step.message,
        step.reasoning,
        tuple(step.tool_calls),
        tuple(step.observations),
    )
    text = step_text.said(record)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
