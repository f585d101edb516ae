"""What an assisted pass is offered: a scorer's, a judge's or several judges' word where it is sure enough, one's own of
the same steps.

A suggestion is nobody's label until somebody takes it. What was taken is stored with its source and confidence.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from django.core.cache import cache
from django.db import connection
from django.db.models import QuerySet

from annotations.formats.lines import load
from annotations.models import Annotation, Label, Project, Rater, Score
from annotations.records import Json
from annotations.schemes.schema import Scheme
from annotations.services import calibrated, scorer_entries, scores, twins
from annotations.services.board import scheme
from annotations.services.outcomes import Suggestion

COMPARED_AT_LEAST = 20  # steps of the reference on which a judge's word has to be known before it counts as sure
REMEMBERED = 600  # seconds for which a judge's record is not counted again
TOGETHER = "judges"


Suggestions = Mapping[int, Suggestion]  # by the index of the step


def sources(project: Project) -> list[tuple[str, str]]:
    """What a project can name as its `prefill`, with a title: nothing, the deployment's scorers (where its scheme has
    answers that say right and wrong), its judges, several of them together if it names these now, and what it names now
    though that is gone."""
    judging = Rater.objects.filter(project=project, kind=Rater.Kind.JUDGE).exclude(pk=project.reference_id or 0)
    scorers = scorer_entries.all_of_them() if _poles(scheme(project.scheme_id)) else {}
    found = {"": "Nobody"} | {f"scorer:{name}": f"{one['title']} (scorer)" for name, one in scorers.items()}
    found |= {f"judge:{name}": f"{name} (judge)" for name in judging.order_by("name").values_list("name", flat=True)}
    now = _together_title(project) or f"{project.prefill} (not there any more)"
    return list(({project.prefill: now} | found).items())


def together(raters: Iterable[int]) -> str:
    """How a project names several judges who vote as its `prefill`: judges:3+7+9, by their primary keys."""
    return f"{TOGETHER}:{'+'.join(map(str, sorted(raters)))}"


def _together_title(project: Project) -> str:
    """Who votes, where the project names such; "" where one of them is gone."""
    kind, _, keys = project.prefill.partition(":")
    asked = _keys(keys) if kind == TOGETHER else set()
    names = list(_voices(project, asked).order_by("name").values_list("name", flat=True))
    return f"{', '.join(names)} together (judges)" if names and len(names) == len(asked) else ""


def _keys(text: str) -> set[int]:
    return {int(one) for one in text.split("+") if one.isdecimal()}


def _voices(project: Project, keys: Iterable[int]) -> QuerySet[Rater]:
    """No people, and not whom others are held against."""
    people = [Rater.Kind.HUMAN, Rater.Kind.CONSENSUS]
    return (
        Rater.objects.filter(project=project, pk__in=keys)
        .exclude(kind__in=people)
        .exclude(pk=project.reference_id or 0)
    )


def of(annotation: Annotation) -> Suggestions:
    """What the project's scorer or judge suggests for the steps of the pass, where its mode lets it."""
    project = annotation.rater.project
    if annotation.mode != Project.Mode.ASSISTED or not project.prefill:
        return {}
    kind, _, name = project.prefill.partition(":")
    if kind == "scorer":
        found = _of_scorer(annotation, name)
    else:
        found = _of_several(annotation, name) if kind == TOGETHER else _of_judge(annotation, kind, name)
    least = project.prefill_confidence
    return {step: one for step, one in found.items() if (one.confidence or 0.0) >= least}


def taken(annotation: Annotation, step: int, value: Json, source: str, looked_ms: int) -> Json:
    """What is stored beside a label that took up a suggestion, of several judges with who they are; None where nothing
    of that source suggests it (any more): then it is simply what the person said."""
    own = source.startswith("own:")
    offered = twins.prefix(annotation, twins.siblings_of(annotation)) if own else of(annotation)
    one = offered.get(step)
    if one is None or one.source != source or one.value != value:
        return None
    kept: dict[str, Json] = {"source": source, "value": value, "confidence": one.confidence}
    kind, _, keys = source.partition(":")
    if kind == TOGETHER:
        asked = _voices(annotation.rater.project, _keys(keys))
        kept["raters"] = list(asked.order_by("name").values_list("name", flat=True))
    return kept | {"looked_ms": max(0, looked_ms)}


def _of_scorer(annotation: Annotation, name: str) -> Suggestions:
    """Right or wrong by P(not wrong), calibrated where it is; what a scorer says is never neutral."""
    if (poles := _poles(scheme(annotation.scheme_id))) is None:
        return {}
    right, wrong = poles
    run = scores.latest(annotation.rater.project_id).get(name)
    held = calibrated.in_force(annotation.rater.project_id, [run or 0])
    rows = Score.objects.filter(run=run, trajectory=annotation.trajectory_id)
    rows = rows.annotate(sure=calibrated.probability(held)).filter(sure__isnull=False)
    found = {}
    for step, probability in rows.values_list("step__index", "sure"):
        sure = float(probability or 0)
        value, confidence = (right, sure) if sure >= 0.5 else (wrong, 1 - sure)
        found[step] = Suggestion(value, confidence, f"scorer:{name}")
    return found


def _poles(declared: Scheme) -> tuple[Json, Json] | None:
    """The answers that say right and wrong of a step; None where the main field has no two that do."""
    main = declared.main_field
    if main.kind != "choice" or main.target != "step":
        return None
    by_tone = {main.tone(value): value for value in reversed(main.values)}
    wrong = by_tone.get("wrong") if declared.wrong is None else declared.wrong
    right = by_tone.get("right")
    return None if right is None or wrong is None else (right, wrong)


def _of_judge(annotation: Annotation, kind: str, name: str) -> Suggestions:
    project = annotation.rater.project
    judge = Rater.objects.filter(project=project, kind=kind, name=name).first()
    if judge is None or judge.pk == project.reference_id:
        return {}
    sure = _record(judge, project, scheme(annotation.scheme_id).main)
    said = _said(annotation, [judge.pk])
    return {step: Suggestion(value, sure.get(_spelled(value)), f"{kind}:{name}") for step, value in said}


def _of_several(annotation: Annotation, keys: str) -> Suggestions:
    """The value that most of them give each step, as sure as the share of them that gives it; none where two values
    have as many. Who said nothing of a step gives it no value."""
    asked = _keys(keys)
    votes: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for step, value in _said(annotation, _voices(annotation.rater.project, asked).values_list("pk", flat=True)):
        votes[step][_spelled(value)] += 1
    found = {}
    for step, counted in votes.items():
        (value, most), *others = counted.most_common(2)
        if not others or others[0][1] < most:
            found[step] = Suggestion(json.loads(value), most / len(asked), f"{TOGETHER}:{keys}")
    return found


def _said(annotation: Annotation, raters: Iterable[int]) -> Iterable[tuple[int, Json]]:
    """(index of the step, value) of all that these raters handed in of the pass's trajectory in its main field."""
    said = Label.objects.current().filter(
        annotation__rater__in=raters,
        annotation__trajectory=annotation.trajectory_id,
        annotation__retired_at__isnull=True,
        annotation__state=Annotation.State.SUBMITTED,
        field=scheme(annotation.scheme_id).main,
        step__isnull=False,
    )
    return said.values_list("step__index", "value")


def _spelled(value: Json) -> str:
    """A value as a key, the same however the database writes it."""
    return json.dumps(value, sort_keys=True)


_COMPARED = """
    SELECT j.value::text, count(*), count(*) FILTER (WHERE r.value = j.value)
      FROM annotations_label j
      JOIN annotations_annotation ja ON ja.id = j.annotation_id AND ja.rater_id = %(judge)s AND ja.retired_at IS NULL
                                    AND ja.state = %(given)s
      JOIN annotations_label r ON r.step_id = j.step_id AND r.field = j.field AND r.superseded_at IS NULL
      JOIN annotations_annotation ra ON ra.id = r.annotation_id AND ra.rater_id = %(reference)s
                                    AND ra.retired_at IS NULL AND ra.state = %(given)s
     WHERE j.field = %(field)s AND j.superseded_at IS NULL
     GROUP BY 1"""


def _record(judge: Rater, project: Project, field: str) -> Mapping[str, float]:
    """For each value the judge gives, on which share of the reference's steps the reference said the same (smoothed by
    one hit and one miss). Nothing where there is no reference, or too little to tell."""
    if project.reference_id is None:
        return {}
    key = f"record-{judge.pk}-{project.reference_id}-{field}"
    about = {"field": field, "given": Annotation.State.SUBMITTED}
    known: dict[str, float] | None = cache.get(key)
    if known is None:
        with connection.cursor() as cursor:
            cursor.execute(_COMPARED, {"judge": judge.pk, "reference": project.reference_id, **about})
            rows = cursor.fetchall()
        enough = [row for row in rows if row[1] >= COMPARED_AT_LEAST]
        known = {_spelled(load(text)): (hits + 1) / (count + 2) for text, count, hits in enough}
        cache.set(key, known, REMEMBERED)
    return known
