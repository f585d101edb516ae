"""Steps like another one: near in meaning where an encoder has taken the meanings down, else by the words they share.

By meaning, steps are first sorted by in how many signs their vectors differ, which the database counts for all of them
(sign random projections without the projection; Charikar, Similarity estimation techniques from rounding algorithms,
2002), and the nearest of these by the cosine itself. By words, by the Jaccard index of their sets of words, among those
that share at least one of the step's longest words.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef

from annotations import jobs
from annotations.models import Annotation, Membership, Project, Run, Step, StepMeaning, Trajectory, User
from annotations.models.trajectories import StepQuerySet
from annotations.services import gists, projects, visibility, words
from annotations.services.answers import Mark, Voices, of_field
from annotations.services.gists import Gist

SHOWN = 40
CANDIDATES = 500  # of which the cosine is computed
LONGEST_WORDS = 12
SHARING = 5_000  # steps that share one of them, whose sets are compared

_BY_SIGNS = f"""
    SELECT m.step_id, m.vector
      FROM annotations_stepmeaning m
     WHERE m.project_id = %(project)s
     ORDER BY bit_count((m.signs # (SELECT signs FROM annotations_stepmeaning WHERE step_id = %(step)s))::bit varying)
     LIMIT {CANDIDATES}"""
_BY_WORDS = f"""
    WITH asked AS (
        SELECT tsvector_to_array(words) AS set FROM annotations_stepwords WHERE step_id = %(step)s),
    rare AS (
        SELECT string_agg(quote_literal(word), ' | ')::tsquery AS any
          FROM (SELECT word FROM asked, unnest(asked.set) word ORDER BY length(word) DESC, word
                 LIMIT {LONGEST_WORDS}) w),
    sharing AS (
        SELECT w.step_id, tsvector_to_array(w.words) AS set
          FROM annotations_stepwords w, rare WHERE w.project_id = %(project)s AND w.words @@ rare.any
         LIMIT {SHARING})
    SELECT s.step_id, shared.many::float / (cardinality(s.set) + cardinality(asked.set) - shared.many)
      FROM sharing s, asked, LATERAL (
           SELECT count(*) AS many FROM (SELECT unnest(s.set) INTERSECT SELECT unnest(asked.set)) i) shared
     ORDER BY 2 DESC, 1
     LIMIT {CANDIDATES}"""


class Said(NamedTuple):
    """What one rater says of a step in the main field."""

    rater: str
    mark: Mark


@dataclass(frozen=True)
class Like:
    """A step of another rollout, how near it is from 0 to 1, how many more say the same word for word."""

    gist: Gist
    name: str
    model: str
    nearness: float
    more: int
    said: Sequence[Said]


@dataclass(frozen=True)
class Found:
    """`by` is "meaning" or "words"; `missing` steps have no meaning yet; `working` is a run that takes them down."""

    by: str
    likes: Sequence[Like]
    missing: int
    working: Run | None


def missing(project: Project) -> StepQuerySet:
    """Steps of live trajectories whose meaning is not taken down."""
    found: StepQuerySet = Step.objects.filter(trajectory__project=project, trajectory__superseded_at=None, meaning=None)
    return found.order_by("pk")


def store(project: Project, rows: Iterable[tuple[int, str, bytes]]) -> None:
    """Keep (step, signs, vector). What is there already stays: two workers make the same."""
    made = [StepMeaning(step_id=step, project=project, signs=signs, vector=vector) for step, signs, vector in rows]
    StepMeaning.objects.bulk_create(made, ignore_conflicts=True)


def start(project: Project, by: User | None) -> Run:
    """Take down the meanings that are missing; one that is at work already is taken for this one."""
    return working(project) or jobs.start(Run.Kind.MEANINGS, project, by)


def follow(run: Run) -> None:
    """After an import: in a project whose steps' meanings are taken down, those of the new steps are too."""
    if StepMeaning.objects.filter(project=run.project_id).exists() and missing(run.project).exists():
        start(run.project, run.created_by)


def working(project: Project) -> Run | None:
    return Run.objects.open().filter(project=project, kind=Run.Kind.MEANINGS).order_by("-id").first()


def find(membership: Membership, step: Step) -> Found:
    """Steps of other rollouts that are most like this one, with what is said of them."""
    project = membership.project
    by_meaning = StepMeaning.objects.filter(step=step).exists()
    near = _near_in_meaning(project, step) if by_meaning else _near_in_words(project, step)
    return Found(
        "meaning" if by_meaning else "words",
        _told(membership, step, near),
        0 if by_meaning and working(project) is None and not missing(project).exists() else missing(project).count(),
        working(project),
    )


def _near_in_meaning(project: Project, step: Step) -> dict[int, float]:
    rows = dict(_asked(_BY_SIGNS, project, step))
    mine = _floats(bytes(StepMeaning.objects.get(step=step).vector))
    return {pk: sum(a * b for a, b in zip(mine, _floats(vector), strict=True)) for pk, vector in rows.items()}


def _near_in_words(project: Project, step: Step) -> dict[int, float]:
    words.take_down(project, words.PATIENCE)
    return dict(_asked(_BY_WORDS, project, step))


def _asked(query: str, project: Project, step: Step) -> list[tuple[int, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"project": project.pk, "step": step.pk})
        rows: list[tuple[int, Any]] = cursor.fetchall()
    return rows


def _floats(vector: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(vector) // 2}e", vector)


class _Row(NamedTuple):
    pk: int
    trajectory: int
    digest: str
    name: str
    model: str


def _told(membership: Membership, step: Step, near: dict[int, float]) -> list[Like]:
    """The nearest of other rollouts, each text once."""
    mine = Trajectory.objects.filter(pk=step.trajectory_id).values("task", "rollout")[0]
    same = Trajectory.objects.filter(pk=OuterRef("trajectory"), **mine)
    found = Step.objects.filter(
        pk__in=near, source=step.source, trajectory__superseded_at=None, trajectory__project=membership.project
    ).exclude(Exists(same))
    names = ("pk", "trajectory_id", "content_hash", "trajectory__external_id", "trajectory__policy_model")
    rows = [_Row(pk, of, str(digest), name, model) for pk, of, digest, name, model in found.values_list(*names)]
    rows.sort(key=lambda one: (-near[one.pk], one.pk))
    by_text: dict[str, list[_Row]] = {}
    for row in rows:
        by_text.setdefault(row.digest, []).append(row)
    first = [some[0] for some in by_text.values()][:SHOWN]
    told = {one.pk: one for one in gists.read(Step.objects.filter(pk__in=[one.pk for one in first]))}
    said = _said(membership, [one.pk for one in first])
    return [
        Like(told[one.pk], one.name, one.model, near[one.pk], len(by_text[one.digest]) - 1, said.get(one.pk, ()))
        for one in first
    ]


def _said(membership: Membership, steps: Sequence[int]) -> dict[int, list[Said]]:
    scheme = projects.scheme_of(membership.project.scheme)
    main, voices = scheme.main_field, Voices(scheme)
    if not main.of_step:
        return {}
    rows = (
        visibility.labels_visible_to(membership)
        .current()
        .filter(of_field(main), step__in=steps, annotation__retired_at=None, annotation__state="submitted")
        .exclude(annotation__purpose=Annotation.Purpose.REPEAT)
        .order_by("annotation__rater__kind", "annotation__rater__name")
        .values_list("step", "annotation__rater__name", "field", "value")
    )
    found: dict[int, list[Said]] = {}
    for step, rater, name, value in rows:
        found.setdefault(step, []).append(Said(rater, voices.mark(name, value)))
    return found
