"""Pairs of answers to one prompt, of which one is preferred, and single answers that are wanted or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.formats import naming, preference_verdicts
from annotations.formats.base import Refused, ValueFormat, found
from annotations.formats.lines import dump
from annotations.formats.loose import listed, loaded, mapping, objects
from annotations.formats.preference_verdicts import judged, model_of, rest_of
from annotations.formats.sharegpt import asked_of, opened
from annotations.formats.sharegpt_turns import message_of, messages_of, named
from annotations.formats.turns import steps_at
from annotations.records import Json, TaskRecord, TrajectoryRecord

CHOSEN = (("chosen", "rejected"), ("chosen_messages", "rejected_messages"))
COMPARED = (
    ("response1", "response2"),
    ("response_1", "response_2"),
    ("response_a", "response_b"),
    ("conversation_a", "conversation_b"),
    ("output_1", "output_2"),
)
PROMPTS = ("prompt", "conversations", "messages", "question", "instruction")
ANSWERS = ("completion", "response", "output")
WANTED = ("label", "kto_tag")


@dataclass(frozen=True)
class _Side:
    """One answer: what was said before it, and it."""

    key: str
    prompt: list[Json]
    answer: list[Json]
    outcome: dict[str, Json]
    model: str = ""


class PreferencePairs(ValueFormat):
    """A pair is two rollouts of one task. `outcome` says of each whether it is preferred ("tie": neither is), and who
    said so where the row has verdicts; `meta` names the pair and the side."""

    name = "preference-pairs"
    title = "Preference pairs (DPO, KTO, compared answers)"
    keeps = "Both answers with the prompt they share, which is preferred and who said so, scores, models, own fields."
    loses = "How roles were spelled."

    def recognises(self, value: Json) -> bool:
        if not isinstance(value, dict) or "initial_reason_steps" in value:
            return False
        return bool(_pair(value) or preference_verdicts.is_result(value)) or _is_wanted(value)

    def records(self, value: Any) -> Iterable[TrajectoryRecord | Refused]:
        if not isinstance(value, dict):
            raise Refused("", f"found {found(value)}; accepted is a JSON object with a pair of answers")
        if (judge := preference_verdicts.is_result(value)) and not _pair(value):
            return (_verdict(value, judge),)
        sides = list(_sides(value))
        pair = naming.name(value, "idx") or naming.name(value, "id")
        return [_record(value, sides, place, pair) for place in range(len(sides))]


def _record(row: dict[str, Any], sides: Sequence[_Side], place: int, pair: str) -> TrajectoryRecord:
    side, tools = sides[place], loaded(row.get("tools"))
    before = side.prompt if len(sides) == 1 else _shared(sides)
    asked = [one for one in before if mapping(one).get("role") == "user"]
    steps = steps_at(opened(row, [*side.prompt, *side.answer]), side.key)
    taken = [one.key for one in sides if not isinstance(row.get(one.key), (int, float))]
    name = pair or naming.hashed([sides[0].answer, sides[-1].answer, before]).replace("prompt", "pair")
    return TrajectoryRecord(
        task=TaskRecord(
            external_id=pair or naming.hashed([opened(row, before), tools]),
            instruction=_text(asked[-1].get("content")) if asked else "",
            tools=tools,
        ),
        steps=steps,
        external_id=f"{pair}:{place + 1}" if pair else "",
        rollout=place if pair else None,
        policy_model=side.model,
        outcome=side.outcome,
        meta={"pair": name, "side": place} if len(sides) > 1 else {},
        extra={"fields": _fields(row, *taken)},
    )


def _text(content: Json) -> str:
    return (
        content
        if isinstance(content, str)
        else "\n".join(part["text"] for part in listed(content) if isinstance(mapping(part).get("text"), str))
    )


def _shared(sides: Sequence[_Side]) -> list[Json]:
    """What both conversations begin with; the last message of each is its own."""
    first, second = ([*side.prompt, *side.answer] for side in sides)
    most = min(len(first), len(second)) - 1
    return first[: next((place for place in range(most) if first[place] != second[place]), most)]


def _fields(row: dict[str, Any], *taken: str) -> dict[str, Json]:
    """What is said beside the pair, its prompt and its name."""
    named = "idx" if row.get("idx") is not None else "id"
    system = ["system"] if isinstance(row.get("system"), str) else []
    labels = [key for key in WANTED if isinstance(row.get(key), bool)]
    return rest_of(row, named, "tools", _asked(row), *system, *labels, *taken)


def _asked(row: dict[str, Any]) -> str:
    """Under which key the prompt is; "" where there is none."""
    return next((key for key in PROMPTS if isinstance(said := loaded(row.get(key)), (str, list)) and said), "")


def _pair(row: dict[str, Any]) -> tuple[str, str] | None:
    """Under which keys two answers are."""
    for first, second in (*CHOSEN, *COMPARED):
        if _is_answer(row.get(first)) and _is_answer(row.get(second)):
            return first, second
    return ("output", "") if _two_outputs(row) else None


def _two_outputs(row: dict[str, Any]) -> bool:
    """An instruction whose output is a list of the better and the worse one."""
    both = loaded(row.get("output"))
    return (
        isinstance(row.get("instruction"), str) and len(listed(both)) == 2 and all(isinstance(one, str) for one in both)
    )


def _is_answer(value: Json) -> bool:
    value = loaded(value)
    return isinstance(value, (str, int, float)) or bool(named(value)[0]) or objects(value) and bool(named(value[0])[0])


def _is_wanted(row: dict[str, Any]) -> bool:
    """One answer, and whether it is wanted."""
    if not any(isinstance(row.get(key), bool) for key in WANTED):
        return False
    talk = any(objects(loaded(row.get(key))) and named(loaded(row[key])[0])[0] for key in ("messages", "conversations"))
    return talk or any(key in row for key in PROMPTS) and any(_is_answer(row.get(key)) for key in ANSWERS)


def _sides(row: dict[str, Any]) -> Iterator[_Side]:
    keys = _pair(row)
    if keys is None:
        yield _wanted(row)
        return
    for place in (0, 1):
        key = keys[place] or keys[0]
        said = loaded(row.get(key))
        prompt, answer = _whole(row, said[place] if keys == ("output", "") else said, key)
        compared = keys in COMPARED
        outcome = (judged if compared else preference_verdicts.chosen)(row, place)
        yield _Side(key, prompt, answer, outcome, model_of(row, place, (keys[0], keys[1] or keys[0])))


def _wanted(row: dict[str, Any]) -> _Side:
    if not _is_wanted(row):
        raise Refused(
            "chosen", "found no pair; accepted are chosen with rejected, two responses, or an answer with a label"
        )
    label = next(row[key] for key in WANTED if isinstance(row.get(key), bool))
    key = next((key for key in ANSWERS if _is_answer(row.get(key))), "")
    prompt, answer = _whole(row, loaded(row[key]), key) if key else ([], _prompt(row))
    return _Side(key or "messages", prompt, answer, {"preferred": label})


def _whole(row: dict[str, Any], said: Json, key: str) -> tuple[list[Json], list[Json]]:
    """The prompt, and the answer to it. An answer that begins the conversation itself has no prompt before it."""
    if isinstance(said, (int, float)):  # an answer that was taken for a number or a truth on its way
        said = dump(said)
    if isinstance(said, str):
        spoken = _dialogue(said) if not any(row.get(one) for one in PROMPTS) else []
        return ([], spoken) if spoken else (_prompt(row), [{"role": "assistant", "content": said}])
    answer = messages_of(said, key) if isinstance(said, list) else [message_of(said, key)]
    starts = answer[0]["role"] in ("user", "system") and not isinstance(loaded(row.get("prompt")), list)
    return ([] if starts and "conversations" not in row else _prompt(row)), answer


def _prompt(row: dict[str, Any]) -> list[Json]:
    key = _asked(row)
    said = loaded(row.get(key))
    if isinstance(said, list):
        return messages_of(said, key)
    if not key:
        return []
    text = asked_of(row) if key == "instruction" else said
    return _dialogue(text) or [{"role": "user", "content": text}]


def _dialogue(text: str) -> list[Json]:
    """The turns of a text that marks them as Human: and Assistant:, as the first such sets did."""
    pieces = text.split("\n\nHuman: ")
    if len(pieces) < 2 or pieces[0].strip():
        return []
    made: list[Json] = []
    for piece in pieces[1:]:
        asked, *said = piece.split("\n\nAssistant:")
        made.append({"role": "user", "content": asked})
        made += [{"role": "assistant", "content": one.removeprefix(" ")} for one in said if one.strip()]
    return made


def _verdict(row: dict[str, Any], judge: str) -> TrajectoryRecord:
    """What a judge said of a pair that is in another file: its reason, and the answer it would have given itself."""
    pair = naming.name(row, "idx")
    said = [one for key in ("reason", "reference") if isinstance(one := row.get(f"{judge}_{key}"), str) and one]
    said = said or [str(row.get(f"{judge}_result"))]
    steps = steps_at([{"role": "assistant", "content": one} for one in said], judge)
    return TrajectoryRecord(
        task=TaskRecord(external_id=f"verdict:{pair}"),
        steps=steps,
        external_id=f"verdict:{pair}:{judge}"[: naming.NAME],
        policy_model=judge[:200],
        outcome={"verdicts": preference_verdicts.verdicts(row)},
        meta={"pair": pair},
        extra={"fields": rest_of(row, "idx", f"{judge}_reason", f"{judge}_reference")},
    )
