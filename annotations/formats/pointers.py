"""Where the turns or steps of a record are, who speaks, where labels are: what somebody points at in a file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from annotations.formats.base import Refused, found
from annotations.records import Json

Meaning = Literal["system", "user", "agent", "tool", "skip"]
USUAL: dict[str, Meaning] = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human", "prompter", "question"), "user"),
    **dict.fromkeys(("assistant", "gpt", "agent", "ai", "bot", "model", "chatbot", "function_call"), "agent"),
    **dict.fromkeys(("tool", "function", "observation", "environment", "ipython", "tool_response"), "tool"),
}
ROLES = {"system": "system", "user": "user", "agent": "assistant", "tool": "tool"}
Path = Annotated[str, Field(max_length=200)]


class Pointers(BaseModel):
    """Paths as pointing.at takes them. `records`: where a file's one object has its list of records. `turns`: a list of
    objects, of which `role`, `content`, `reasoning`, `tool_calls` and `turn_label` are paths, or of texts, each a step
    of the agent's; or one text, the only step; several paths with commas between them are a step each, where something
    stands there. `group`: a table has one row a step, and this column names the rollout; the rows are the turns, and
    what is said of the rollout is read from the first. `roles` and `values` say what the file's own words mean.
    `labels` are a list, one a step of the agent's, an object keyed by numbers, or a path for each of `turns`; these
    and `first_error` number the agent's steps, or all turns (`numbers`), from `base`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    records: Path = ""
    group: Path = ""
    turns: Annotated[str, Field(max_length=2_000)] = ""
    role: Path = ""
    content: Path = ""
    reasoning: Path = ""
    tool_calls: Path = ""
    roles: dict[str, Meaning] = {}
    system: Path = ""
    prompt: Path = ""
    id: Path = ""
    task: Path = ""
    rollout: Path = ""
    model: Path = ""
    source: Path = ""
    tools: Path = ""
    reference: Path = ""
    answer: Path = ""
    reward: Path = ""
    labels: Annotated[str, Field(max_length=2_000)] = ""
    turn_label: Path = ""
    first_error: Path = ""
    final: Path = ""
    numbers: Literal["steps", "turns"] = "steps"
    base: Literal[0, 1] = 0
    values: dict[str, Json] = {}
    scheme: Annotated[str, Field(max_length=60)] = ""

    @property
    def mapped(self) -> set[str]:
        """The places of a record that have a place of their own here."""
        of_record = (*CONTEXT, *OUTCOME, "group", "first_error", "final")
        return {path for name in of_record if (path := getattr(self, name))} | {
            *several(self.turns),
            *several(self.labels),
        }


CONTEXT = ("system", "prompt", "id", "task", "rollout", "model", "source", "tools", "reference")
OUTCOME = ("answer", "reward")
OF_TURN = ("role", "content", "reasoning", "tool_calls", "turn_label")


def several(paths: str) -> list[str]:
    return [path for one in paths.split(",") if (path := one.strip())]


def pointers(config: Json) -> Pointers:
    """Raises Refused, naming the pointer that is wrong."""
    try:
        made = Pointers.model_validate(config)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Refused(".".join(map(str, first["loc"])), f"found {found(first['input'])}; {first['msg']}") from None
    steps, labels = several(made.turns), several(made.labels)
    if not steps and not made.group:
        raise Refused(
            "turns", "found nothing; accepted is where the turns are, or the column that names a row's rollout"
        )
    if len(labels) > 1 and len(labels) != len(steps):
        raise Refused("labels", f"found {len(labels)} columns for {len(steps)} of steps; accepted is one for each")
    return made
