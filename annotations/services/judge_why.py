"""How a judge came to what it says: its version, every question behind the verdict, word for word, and the votes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from annotations.models import JudgeCall, JudgeVerdict, Project
from annotations.records import Json

LONG = 20_000  # characters of a text that the page shows
LAYERS = {
    "critique": "The critique",
    "first": "The verification before it",
    "personas": "What each role said",
    "rounds": "What the roles said, round by round",
    "branch": "Where two sides parted",
    "again": "What was thought about again",
}


@dataclass(frozen=True)
class Told:
    """One question with its answer. `messages` are (role, text), cut where they are long."""

    call: JudgeCall
    messages: list[tuple[str, str]]
    schema: str
    answer: str
    cut: bool

    @property
    def cost(self) -> float | None:
        return None if self.call.cost_micro is None else self.call.cost_micro / 1_000_000


@dataclass(frozen=True)
class Vote:
    """What the samples said at one place."""

    place: str
    shares: list[tuple[str, float]]


def verdict(project: Project, annotation: int) -> JudgeVerdict | None:
    """The verdict behind a pass of the project's; None where it has none."""
    rows = JudgeVerdict.objects.filter(annotation=annotation, judge__project=project)
    return rows.select_related(
        "judge__server", "judge__guideline", "judge__rater", "annotation__trajectory__task", "run"
    ).first()


def calls(found: JudgeVerdict) -> Iterator[Told]:
    """Every question behind it, in the order in which it was first asked."""
    for call in found.calls.order_by("pk"):
        asked = call.question if isinstance(call.question, dict) else {}
        messages = [(str(one.get("role", "")), str(one.get("content", ""))) for one in asked.get("messages", ())]
        schema = json.dumps(asked["schema"], ensure_ascii=False, indent=1) if asked.get("schema") else ""
        cut = any(len(text) > LONG for text in (*(text for _, text in messages), call.answer))
        yield Told(call, [(role, text[:LONG]) for role, text in messages], schema[:LONG], call.answer[:LONG], cut)


def votes(found: JudgeVerdict, step: int | None = None) -> list[Vote]:
    """The chances that are kept, of one step or of all places."""
    chances: Mapping[str, Mapping[str, float]] = found.detail.get("chances", {})
    wanted = None if step is None else f"steps.{step}."
    return [
        Vote(place, sorted(shares.items(), key=lambda item: -item[1]))
        for place, shares in chances.items()
        if wanted is None or place.startswith(wanted)
    ]


def layers(found: JudgeVerdict) -> list[tuple[str, str]]:
    """What was said on the way to the verdict, by what it is called."""
    return [(title, _text(found.detail[name])) for name, title in LAYERS.items() if found.detail.get(name)]


def rest(found: JudgeVerdict) -> str:
    """Everything else that is kept, as JSON."""
    beside = {name: value for name, value in found.detail.items() if name not in (*LAYERS, "chances")}
    return json.dumps(beside, ensure_ascii=False, indent=1)[:LONG] if beside else ""


def _text(said: Json) -> str:
    return (said if isinstance(said, str) else json.dumps(said, ensure_ascii=False, indent=1))[:LONG]
