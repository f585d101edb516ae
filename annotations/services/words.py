"""Searching the texts of a project's steps. Their words are taken down after an import, and by whoever searches before
that is done; of each text its beginning, so that no step is too long for it."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from annotations.models import Project, Step, StepWords

PAGE = 30
BEGINNING = 20_000  # characters of each text whose words are taken down
AT_ONCE = 500
PATIENCE = 1.0  # seconds that a search spends on taking down what is not yet
OPEN, CLOSE = "\ue000", "\ue001"  # around a word that was found; texts cannot make them into markup
TEXTS = ("message", "reasoning", "tool_calls", "observations")
_TEXT = " || ' ' || ".join(f"left(s.{name}, {BEGINNING})" for name in TEXTS)
_FILL = f"""
    INSERT INTO annotations_stepwords (step_id, project_id, words)
    SELECT s.id, t.project_id, to_tsvector('simple', {_TEXT})
      FROM annotations_step s JOIN annotations_trajectory t ON t.id = s.trajectory_id
     WHERE s.id = ANY(%s)
        ON CONFLICT (step_id) DO NOTHING"""
_FIND = f"""
    SELECT s.id, t.id, t.external_id, s.index, s.source, t.policy_model,
           ts_headline('simple', regexp_replace({_TEXT}, '[{OPEN}{CLOSE}]', '', 'g'), q,
                       'StartSel={OPEN}, StopSel={CLOSE}, MaxFragments=2, MinWords=8, MaxWords=24, '
                       'FragmentDelimiter=" … "')
      FROM (SELECT w.step_id FROM annotations_stepwords w, websearch_to_tsquery('simple', %(words)s) q
             WHERE w.project_id = %(project)s AND w.words @@ q AND w.step_id > %(after)s
               AND EXISTS (SELECT FROM annotations_step a JOIN annotations_trajectory l ON l.id = a.trajectory_id
                            WHERE a.id = w.step_id AND l.superseded_at IS NULL
                              AND (%(source)s = '' OR a.source = %(source)s))
             ORDER BY w.step_id LIMIT {PAGE + 1}) found
      JOIN annotations_step s ON s.id = found.step_id
      JOIN annotations_trajectory t ON t.id = s.trajectory_id,
           websearch_to_tsquery('simple', %(words)s) q
     ORDER BY s.id"""


@dataclass(frozen=True)
class Hit:
    """A step in which the words stand: where, and some of its text in pieces, each with whether it is one of them."""

    trajectory: int
    name: str
    index: int
    source: str
    model: str
    pieces: Sequence[tuple[str, bool]]


@dataclass(frozen=True)
class Hits:
    """`after` is where the next page begins; None where there is none. `missing` steps cannot be searched yet."""

    hits: Sequence[Hit]
    after: int | None
    missing: int


def search(project: Project, words: str, *, source: str = "", after: int = 0) -> Hits:
    """Steps of live trajectories that hold these words, as web searches are written: "a phrase", or, -not."""
    missing = take_down(project, PATIENCE, after=_newest(project))
    asked: dict[str, Any] = {
        "project": project.pk,
        "words": words.replace("\x00", ""),
        "source": source,
        "after": after,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIND, asked)
        rows = cursor.fetchall()
    hits = [
        Hit(trajectory, name, index, whose, model, _pieces(headline))
        for _, trajectory, name, index, whose, model, headline in rows[:PAGE]
    ]
    return Hits(hits, rows[PAGE - 1][0] if len(rows) > PAGE else None, missing)


def _newest(project: Project) -> int:
    """The newest step whose words are taken down. What came later is looked for by every search; what an import that
    ran beside another left behind it, by the next import."""
    return StepWords.objects.filter(project=project).order_by("-pk").values_list("pk", flat=True).first() or 0


def take_down(project: Project, seconds: float | None = None, after: int = 0) -> int:
    """Take the words of steps down that are not yet, for at most so many seconds, of those that came after that one;
    how many are left."""
    until = None if seconds is None else time.monotonic() + seconds
    left = Step.objects.filter(trajectory__project=project, words=None, pk__gt=after).order_by("pk")
    while some := list(left.values_list("pk", flat=True)[:AT_ONCE]):
        with connection.cursor() as cursor:
            cursor.execute(_FILL, [some])
        if until is not None and time.monotonic() > until:
            return left.count()
    return 0


def _pieces(headline: str) -> list[tuple[str, bool]]:
    parts = re.split(f"[{OPEN}{CLOSE}]", headline)
    return [(part, place % 2 == 1) for place, part in enumerate(parts) if part]
