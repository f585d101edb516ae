"""A format that somebody made by pointing: where the turns or steps of a record are, who speaks, where labels are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from annotations.formats import chat, mapped_rows, naming
from annotations.formats.agentprocessbench import value as number
from annotations.formats.base import Item, Refused, ValueFormat, found
from annotations.formats.loose import loaded
from annotations.formats.opening import values
from annotations.formats.opening.sources import Source
from annotations.formats.opening.values import Shape
from annotations.formats.pointers import OF_TURN, OUTCOME, ROLES, USUAL, Meaning, Pointers, several
from annotations.formats.pointing import at, without
from annotations.records import Json, RatingRecord, StepRecord, TaskRecord, TrajectoryRecord


class Mapped(ValueFormat):
    """What the pointers do not name is kept beside the record."""

    keeps = "What the pointers name, and the rest beside it."
    loses = "Nothing."

    def __init__(self, name: str, title: str, config: Pointers) -> None:
        self.name, self.title = name, title  # type: ignore[misc]
        self.at = config

    def recognises(self, value: Json) -> bool:
        if self.at.group:
            named, said = (at(value, path) for path in (self.at.group, self.at.content))
            spoken = not self.at.role or isinstance(at(value, self.at.role), str)
            return isinstance(named, str | int) and isinstance(said, str) and spoken
        rows = self._rows(value)
        if rows and len(columns := several(self.at.turns)) > 1:
            found = [at(rows[0], path) for path in columns]
            return isinstance(found[0], str) and all(one is None or isinstance(one, str) for one in found)
        turns = loaded(at(rows[0], self.at.turns)) if rows else None
        if isinstance(turns, list) and turns:
            return not self.at.role or isinstance(at(turns[0], self.at.role), str)
        return isinstance(turns, str) and not self.at.role

    def read(self, source: Source, shape: Shape | None = None) -> Iterator[Item]:
        if not self.at.group:
            yield from super().read(source, shape)
            return
        shape = shape or values.shape_of(source)
        rows = values.read(source, "lines" if shape in ("text", "nothing") else shape)
        for line in mapped_rows.gathered(rows, self.at.group):
            yield from self._items(line, source.name)

    def records(self, value: Any) -> Iterable[TrajectoryRecord | Refused]:
        if self.at.group and isinstance(value, list):
            yield self._record(value[0], value)
            return
        rows = self._rows(value)
        if not rows:
            raise Refused(self.at.records, f"found {found(at(value, self.at.records))}; accepted is a list of records")
        for place, row in enumerate(rows):
            where = f"{self.at.records}[{place}]" if self.at.records else ""
            try:
                if not isinstance(row, dict):
                    raise Refused("", f"found {found(row)}; accepted is an object")
                yield self._record(row)
            except Refused as no:
                yield Refused(".".join(filter(None, (where, no.field))), no.reason)

    def _rows(self, value: Json) -> list[Json]:
        if not self.at.records:
            return [value] if isinstance(value, dict) else []
        rows = loaded(at(value, self.at.records))
        if isinstance(rows, dict):  # keyed by their names
            return list(rows.values())
        return rows if isinstance(rows, list) else []

    def _record(self, row: dict[str, Json], together: list[Json] | None = None) -> TrajectoryRecord:
        """`together`: the rows that are its turns, of which `row` is the first."""
        turns = self._turns(row) if together is None else together
        opening = [{"role": name, "content": said} for name, said in self._opening(row)]
        steps = chat.steps_of([*opening, *(self._message(turn, place) for place, turn in enumerate(turns))])
        text = {name: self._text(row, name) for name in ("id", "task", "model", "source")}
        tools, reference = (
            loaded(at(row, getattr(self.at, name))) if getattr(self.at, name) else None for name in TOOLS
        )
        outcome = {name: at(row, getattr(self.at, name)) for name in OUTCOME if getattr(self.at, name)}
        outcome |= {"reward": number(outcome["reward"])} if isinstance(outcome.get("reward"), str) else {}
        return TrajectoryRecord(
            task=TaskRecord(
                text["task"] or naming.prompt_id(steps, tools),
                text["source"][:200],
                naming.instruction(steps),
                reference,
                tools,
            ),
            steps=steps,
            external_id=text["id"] or ("" if together is None else str(at(row, self.at.group))[:400]),
            rollout=self._rollout(row),
            policy_model=text["model"][:200],
            outcome=outcome or None,
            extra={"fields": without(row, self.at.mapped)} if together is None else {},
            rating=self._rating(row, turns, steps, len(opening)),
        )

    def _turns(self, row: dict[str, Json]) -> list[Json]:
        if len(columns := several(self.at.turns)) > 1:
            said = [str(one) for path in columns if (one := at(row, path)) not in (None, "")]
            if not said:
                raise Refused(self.at.turns, "found nothing in any of these columns; accepted is a text in one of them")
            return list(said)
        turns = loaded(at(row, self.at.turns))
        turns = [turns] if isinstance(turns, str) and turns else turns
        if not isinstance(turns, list) or not turns:
            raise Refused(self.at.turns, f"found {found(turns)}; accepted is a list of turns, or a text")
        return turns

    def _opening(self, row: dict[str, Json]) -> list[tuple[str, str]]:
        said = [("system", self._text(row, "system")), ("user", self._text(row, "prompt"))]
        return [(name, text) for name, text in said if text]

    def _text(self, row: dict[str, Json], name: str) -> str:
        path = getattr(self.at, name)
        value = at(row, path) if path else None
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Refused(path, f"found {found(value)}; accepted is a text or a number")
        return str(value)[:400] if name in ("id", "task") else str(value)

    def _rollout(self, row: dict[str, Json]) -> int | None:
        said = number(at(row, self.at.rollout)) if self.at.rollout else None
        if said is not None and (not isinstance(said, int) or not 0 <= said < 2**31):
            raise Refused(self.at.rollout, f"found {found(said)}; accepted is a whole number from 0")
        return said

    def _message(self, turn: Json, place: int) -> Json:
        """The turn as a chat message. What it says besides is kept."""
        where = f"{self.at.turns or 'rows'}[{place}]"
        if isinstance(turn, str):
            return {"role": "assistant", "content": turn}
        if not isinstance(turn, dict):
            raise Refused(where, f"found {found(turn)}; accepted is an object or a text")
        content = at(turn, self.at.content) if self.at.content else ""
        if not isinstance(content, str | list | None):
            raise Refused(
                f"{where}.{self.at.content}", f"found {found(content)}; accepted is a text or a list of parts"
            )
        made = {"role": ROLES[self._meaning(turn, where)], "content": content if content is not None else ""}
        if self.at.reasoning and isinstance(why := at(turn, self.at.reasoning), str):
            made["reasoning_content"] = why
        calls = loaded(at(turn, self.at.tool_calls)) if self.at.tool_calls else None
        if calls:
            made["tool_calls"] = calls if isinstance(calls, list) else [calls]
        named = {path for name in OF_TURN if (path := getattr(self.at, name))}
        named |= self.at.mapped if self.at.group else set()
        return made | {key: one for key, one in without(turn, named).items() if key not in made}

    def _meaning(self, turn: dict[str, Json], where: str) -> Meaning:
        if not self.at.role:
            return "agent"
        said = at(turn, self.at.role)
        known: Mapping[str, Meaning] = USUAL | self.at.roles
        meaning = known.get(said, known.get(said.lower())) if isinstance(said, str) else None
        if meaning is None or meaning == "skip":
            accepted = ", ".join(sorted(known))
            raise Refused(f"{where}.{self.at.role}", f"found {found(said)}; accepted are {accepted}")
        return meaning

    def _rating(
        self, row: dict[str, Json], turns: list[Json], steps: tuple[StepRecord, ...], before: int
    ) -> RatingRecord | None:
        agents = [step.source_index for step in steps if step.source == "agent"]
        said = dict(self._said(row, turns, agents, before))
        given = at(row, self.at.final) if self.at.final else None
        final = None if given in (None, "") else self._meant(given)
        if not said and final is None:
            return None
        return RatingRecord(steps=said, final=final, scheme="processbench" if self.at.first_error else self.at.scheme)

    def _said(
        self, row: dict[str, Json], turns: list[Json], agents: list[int], before: int
    ) -> Iterable[tuple[int, Json]]:
        """Place in the conversation → label."""
        if self.at.first_error:
            yield from self._until(at(row, self.at.first_error), agents, before)
        if self.at.turn_label:
            labels = ((before + place, at(turn, self.at.turn_label)) for place, turn in enumerate(turns))
            yield from ((place, self._meant(one)) for place, one in labels if one not in (None, "") and place in agents)
        if len(columns := several(self.at.labels)) > 1:
            of_step = [
                one
                for path, one in zip(several(self.at.turns), columns, strict=True)
                if at(row, path) not in (None, "")
            ]
            given = zip(agents, (at(row, path) for path in of_step), strict=True)
            yield from ((place, self._meant(one)) for place, one in given if one not in (None, ""))
        elif self.at.labels:
            for key, one in self._numbered(loaded(at(row, self.at.labels))):
                if one is not None:
                    yield self._place(key, agents, before, self.at.labels), self._meant(one)

    def _numbered(self, labels: Json) -> Iterable[tuple[Json, Json]]:
        if isinstance(labels, list):
            return ((self.at.base + place, one) for place, one in enumerate(labels))
        if isinstance(labels, dict):
            return labels.items()
        if labels is None:
            return ()
        raise Refused(self.at.labels, f"found {found(labels)}; accepted is a list, or an object of number to label")

    def _place(self, key: Json, agents: list[int], before: int, path: str) -> int:
        """The place in the conversation of the step that the number names."""
        said = number(key)
        if not isinstance(said, int):
            raise Refused(path, f"found {found(key)}; accepted is the number of a step")
        place = said - self.at.base
        if self.at.numbers == "turns":
            return before + place
        if not 0 <= place < len(agents):
            raise Refused(path, f"found step {said}; accepted are {self.at.base} to {len(agents) - 1 + self.at.base}")
        return agents[place]

    def _until(self, said: Json, agents: list[int], before: int) -> Iterable[tuple[int, Json]]:
        """First error: the steps before it are right; all are where there is none."""
        said = number(said)
        wrong = (
            None if said in (None, -1, "", "N/A", "none") else self._place(said, agents, before, self.at.first_error)
        )
        for place in agents:
            if wrong is not None and place >= wrong:
                yield wrong, -1
                return
            yield place, 1

    def _meant(self, value: Json) -> Json:
        """The label in the project's words."""
        spelled = value if isinstance(value, str) else str(value).lower()
        return self.at.values.get(spelled, number(value))


TOOLS = ("tools", "reference")
