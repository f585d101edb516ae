"""What a judge would be asked about one trajectory, word for word, before anything is sent.

The questions are put together by the workers' own code, which the setting JUDGE_PREVIEW names: what is looked at and
what a run sends are of one make. Nothing of it needs a server, a key or a worker.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string

from annotations.models import Judge, Project, Trajectory
from annotations.records import Json
from annotations.services import judge_budget, judges
from annotations.services.judges import CHARACTERS_A_TOKEN, Estimate

HEAD, END = 3_000, 1_000  # characters of a text that are shown at first: its beginning, and where the question stands
LONG = 200_000  # characters of a text that a page holds at most
FORM = 50_000  # and of the form of the answer


@dataclass(frozen=True)
class Sent:
    """One question. `messages` are (role, text), `schema` the form that the answer is asked for in, None where any text
    will do, `request` all else that goes with it. `steps` are the places it asks about, `seeds` one for each time that
    it is asked (None: a time without one)."""

    purpose: str
    messages: Sequence[tuple[str, str]]
    schema: Json
    request: Mapping[str, Any]
    steps: Sequence[int]
    seeds: Sequence[int | None]

    @property
    def characters(self) -> int:
        return sum(len(text) for _, text in self.messages)

    @property
    def tokens(self) -> int:
        """About: a token for every four characters."""
        return -(-self.characters // CHARACTERS_A_TOKEN)

    @property
    def texts(self) -> list[Text]:
        return [Text(role, text) for role, text in self.messages]

    @property
    def form(self) -> str:
        return json.dumps(self.schema, ensure_ascii=False, indent=1)

    @property
    def form_shown(self) -> str:
        """As much of the form as a page holds."""
        return self.form[:FORM]

    @property
    def rest(self) -> str:
        """What goes with the messages, without the form once more."""
        told = dict(self.request)
        form = told.get("response_format", {})
        if "json_schema" in form:
            told["response_format"] = {**form, "json_schema": {**form["json_schema"], "schema": "…"}}
        return json.dumps(told, ensure_ascii=False, indent=1)

    @property
    def body(self) -> dict[str, Any]:
        """The request as it would go out."""
        messages = [{"role": role, "content": text} for role, text in self.messages]
        return {"model": self.request.get("model"), "messages": messages, **self.request}


@dataclass(frozen=True)
class Text:
    """A message as a page shows it: its beginning and its end, with what is between where it is long."""

    role: str
    text: str

    @property
    def head(self) -> str:
        return self.text[:HEAD]

    @property
    def end(self) -> str:
        return self.text[max(HEAD, len(self.text) - END) :]

    @property
    def between(self) -> str:
        return self.text[HEAD : len(self.text) - END]

    @property
    def held(self) -> str:
        """As much of what is between as a page holds."""
        return self.between[:LONG]


@dataclass(frozen=True)
class Preview:
    """What can be known before the first answer. `later`: more is asked, which depends on what is answered. `is_whole`:
    False where only the first of the questions are here, all being too much to look at. `cut` says how many texts lose
    how many characters by the judge's limit. `nothing` is why nothing would be asked; empty where something is."""

    questions: Sequence[Sent] = ()
    later: bool = False
    is_whole: bool = True
    cut: tuple[int, int] = (0, 0)
    nothing: str = ""

    @property
    def different(self) -> int:
        return len(self.questions)

    @property
    def times(self) -> int:
        """How many questions that are, each as often as it is asked."""
        return sum(len(one.seeds) for one in self.questions)


Door = Callable[[Judge, int, int], Preview]


@dataclass(frozen=True)
class Looked:
    """A preview of one trajectory, with the question that is looked at and what asking about it would take. `most` is
    the most that this question may cost, in millionths; None where no price is known."""

    trajectory: Trajectory
    preview: Preview
    number: int
    estimate: Estimate | None
    most: int | None = None
    currency: str = ""
    before: int | None = None
    after: int | None = None

    @property
    def question(self) -> Sent | None:
        return self.preview.questions[self.number - 1] if self.preview.questions else None


class NoSuchTrajectory(ValueError):
    """There is none like that in the project. The message says what was asked for, and what is accepted."""


def chosen(judge: Judge, asked: str = "") -> Trajectory:
    """The trajectory that is asked for, by id or by its name; else the first that the judge would be asked about, else
    the first there is. NoSuchTrajectory where there is none."""
    found = Trajectory.objects.filter(project=judge.project).select_related("task").defer("task__reference", "outcome")
    if asked := asked.strip():
        named = found.filter(external_id=asked, superseded_at=None).order_by("pk").first()
        by_key = (
            found.filter(pk=int(asked)).first() if asked.isascii() and asked.isdigit() and len(asked) < 18 else None
        )
        if one := by_key or named:
            return one
        raise NoSuchTrajectory(f"Found {asked[:80]!r}; accepted is the number or the name of a trajectory of here.")
    first = judges.waiting(judge, {}) if judge.pk else judges.waiting(judge, {"again": True})
    foremost = first.order_by("task_id", "rollout").values("pk")[:1]
    one = (
        found.filter(pk__in=foremost).first() or found.filter(superseded_at=None).order_by("task_id", "rollout").first()
    )
    if one is None:
        raise NoSuchTrajectory("The project has no trajectory yet; import some first.")
    return one


def of(judge: Judge, trajectory: Trajectory, number: int = 1) -> Looked:
    """What the judge, which need not be stored, would be asked about the trajectory. `number`: the question to look at,
    from 1; one that is not there is the nearest."""
    if trajectory.superseded_at:
        preview = Preview(nothing="This is an older version of a trajectory; judges are asked about the newest.")
    else:
        door: Door = import_string(settings.JUDGE_PREVIEW)
        preview = door(judge, trajectory.task_id, trajectory.pk)
    number = max(1, min(number, len(preview.questions)))
    has_server = judge.server_id is not None
    found = judge_budget.price(judge.server, judge.model) if has_server else None
    question = preview.questions[number - 1] if preview.questions else None
    return Looked(
        trajectory=trajectory,
        preview=preview,
        number=number,
        estimate=judges.estimate(judge, {"among": [trajectory.pk], "again": True}) if has_server and question else None,
        most=judge_budget.most(found[0], question.characters, _longest(judge)) if found and question else None,
        currency=found[1] if found else "",
        before=_beside(judge.project, trajectory, forward=False),
        after=_beside(judge.project, trajectory, forward=True),
    )


def _longest(judge: Judge) -> int:
    return int(judge.settings["max_tokens"])


def _beside(project: Project, trajectory: Trajectory, *, forward: bool) -> int | None:
    """The trajectory after this one, or before it, in the order in which judges are asked."""
    here = (trajectory.task_id, trajectory.rollout)
    way = "gt" if forward else "lt"
    beyond = Q(**{f"task_id__{way}": here[0]}) | Q(**{"task_id": here[0], f"rollout__{way}": here[1]})
    found: QuerySet[Trajectory] = Trajectory.objects.live().filter(beyond, project=project)
    order = ("task_id", "rollout") if forward else ("-task_id", "-rollout")
    return found.order_by(*order).values_list("pk", flat=True).first()
