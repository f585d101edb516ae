"""What a request to label comes to: an Outcome, or a Refusal that says what to do instead. Pages and API share them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, NotRequired, TypedDict

from annotations.records import Json


class Accepted(TypedDict):
    """Whose suggestion an answer takes up, as scorer:<name>, judge:<name>, judges:<raters> or own:<annotation>, and how
    long the person had it before them, in ms."""

    source: str
    looked_ms: int


class Suggestion(NamedTuple):
    """An answer that is offered. `confidence` is P(the reference says the same), in 0..1; of several judges the share
    that says so; None of one's own word."""

    value: Json
    confidence: float | None
    source: str


class Item(TypedDict):
    """One answer to store: `step` None is the whole trajectory, `value` None takes the answer back. Without an
    explanation the one that is there stays."""

    step: int | None
    field: str
    value: Json
    explanation: NotRequired[str]
    accepted: NotRequired[Accepted]


@dataclass(frozen=True)
class Outcome:
    """An annotation after a request. `labels` are the places that differ from what the caller's revision showed, each
    {"step", "field", "value", "origin", "cause"}; value None is unlabelled, cause the index of the implying step.
    `frontier` is the last step that a first progressive pass shows, None where all are shown."""

    revision: int
    state: str
    labels: list[Json]
    undo: bool
    redo: bool
    lease_until: datetime | None
    frontier: int | None = None

    def as_json(self) -> dict[str, Json]:
        until = self.lease_until.isoformat() if self.lease_until else None
        return {**vars(self), "lease_until": until}


class Refusal(Exception):
    """Nothing was changed. `status` and `answer` are what a door of HTTP says."""

    status = 409

    def __init__(self, error: str, **more: Json) -> None:
        super().__init__(error)
        self.answer: dict[str, Json] = {"error": error, **more}


class NotAccepted(Refusal):
    """The scheme has no such place, or the field takes no such value."""

    status = 422

    def __init__(self, error: str, field: str, accepted: Iterable[Json]) -> None:
        super().__init__(error, field=field, accepted=list(accepted))


class Conflict(Refusal):
    """Another request changed the same place since the caller last looked."""

    def __init__(self, items: list[Json], revision: int) -> None:
        super().__init__("conflict", items=items, revision=revision)


class Closed(Refusal):
    """The annotation is submitted, skipped or failed: reopen it first."""

    def __init__(self, state: str) -> None:
        super().__init__("closed", state=state)


class Missing(Refusal):
    """Required answers are missing; `ghosts` of them would come by accepting what is suggested."""

    status = 422

    def __init__(self, missing: list[Json], ghosts: int) -> None:
        super().__init__("missing", missing=missing, ghosts=ghosts)


class NoSeat(Refusal):
    """Enough others hold the trajectory. The labels stay."""

    def __init__(self) -> None:
        super().__init__("no_seat")


class NotRevealed(Refusal):
    """A first progressive pass: what comes later has to be shown before it is handed in."""

    def __init__(self) -> None:
        super().__init__("not_revealed")


class SawOthers(Refusal):
    """The person has looked at what others said: only a lead can give the pass back to them."""

    def __init__(self) -> None:
        super().__init__("saw_others")
