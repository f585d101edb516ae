"""How likely the model finds each verdict: verdicts as single letters, with the log-probabilities of the tokens that
could have stood there.

Read step by step, the answer is one letter. Read whole, it is JSON with one letter at each place after its reason, and
the token is found by where that letter stands. Asked are the required fields with one of a few choices; others are not.
Where the server tells no log-probabilities the labels stand as they are said, without chances. Labels are what the
model says, chances what it might have said: at temperature 0 the likeliest one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from string import ascii_uppercase
from typing import Any

from annotations.judges import ways
from annotations.records import Json
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.judging import Problem, Reading, path
from annotations.schemes.rules import Place, base_of, part_of
from models_service.judges import closing, contracts, forms, prompting, replies, tokens
from models_service.judges.asked import Answer, Asking, Case, Judging, Question, Verdict, together
from models_service.judges.methods import single
from models_service.judges.prompting import Extra
from models_service.judges.reading import Notes, read
from models_service.judges.replies import Ask, Told

LETTERED = """Each answer is one letter:

{letters}"""
ALONE = """## The form of your answer

One letter and nothing else:

{letters}"""
NO_TOKENS = "the server tells no log-probabilities"
NOT_FOUND = "the token of the verdict was not found"
LONGEST = 4_000  # characters of a thought that are kept as the reason


def asking(judging: Judging, case: Case, *, number: int = 0, extra: Extra | None = None) -> Asking[Verdict]:
    """A verdict with the chances of each answer."""
    names = {spec.name for spec in ways.lettered(case.scheme)}
    asked = {place: here for place, here in case.arounds.items() if base_of(place[1]) in names}
    if not asked:
        return Verdict(failed=f"log_probs asks for one of a few choices, and {case.scheme.title} asks for none here")
    case = replace(case, arounds=asked)
    going = _by_letter if judging.settings.reading == "prefix" else _in_json
    return (yield from going(judging, case, number, extra or Extra()))


def letters(spec: FieldSpec) -> dict[str, Json]:
    """The letters of a field's answers, in its order."""
    return dict(zip(ascii_uppercase, spec.values, strict=False))


def _spec(case: Case, place: Place) -> FieldSpec:
    spec = case.scheme.field(place[1])
    assert spec
    return spec


def _listed(spec: FieldSpec) -> str:
    return "\n".join(
        f"- {letter}: {tokens.named(value)} ({spec.words(value)})" for letter, value in letters(spec).items()
    )


def _logprobs(judging: Judging) -> dict[str, Any]:
    return {"logprobs": judging.settings.top_logprobs}


# Read whole: letters in JSON.


def _in_json(judging: Judging, case: Case, number: int, extra: Extra) -> Asking[Verdict]:
    form = _lettered_form(case)
    specs = {spec.name: spec for spec in (_spec(case, place) for place in case.arounds)}
    listed = "\n\n".join(f"{name}:\n{_listed(spec)}" for name, spec in specs.items())
    contract = f"{contracts.contract(case.scheme, case.arounds, form)}\n\n{LETTERED.format(letters=listed)}"
    asked = prompting.prompted(judging, case, case.arounds, extra=replace(extra, contract=contract))
    messages = asked.messages
    if judging.settings.thinks_first:
        thought = yield from single.thinking(judging, messages, number)
        if isinstance(thought, Told):
            return single.verdict(thought, asked)
        messages = thought
    ask = Ask(case, case.arounds, messages, form, "verdict", number)
    told = yield from replies.heard(judging, ask, lambda found: _valued(case, found), **_logprobs(judging))
    made = single.verdict(told, asked)
    if not made.failed and told.answer:
        _chance(case, told.answer, made)
    return made


def _lettered_form(case: Case) -> dict[str, Json]:
    """The scheme's form with letters for answers."""
    form = forms.schema(case.scheme, case.arounds)
    for node in [*form.get("$defs", {}).values(), form["properties"].get("trajectory", {"properties": {}})]:
        for name, entry in node["properties"].items():
            spec = case.scheme.field(name)
            assert spec
            for one in [entry] if "answer" in entry["properties"] else entry["properties"].values():
                one["properties"]["answer"] = forms.one_of(letters(spec))
    return form


def _valued(case: Case, found: Json) -> tuple[Reading, Notes]:
    """The answer with the values that its letters stand for. What is no letter stays, for the field to refuse."""
    return read(case.scheme, case.arounds, case.record.steps, _replaced(case, found, ()))


def _replaced(case: Case, found: Json, at: tuple[str, ...]) -> Json:
    if not isinstance(found, dict):
        return found
    return {
        key: _of_letter(case, at, one) if key == "answer" and _is_entry(at) else _replaced(case, one, (*at, key))
        for key, one in found.items()
    }


def _is_entry(at: tuple[str, ...]) -> bool:
    return len(at) >= 2


def _of_letter(case: Case, at: tuple[str, ...], answer: Json) -> Json:
    name = at[2] if at[0] == "steps" and len(at) > 2 else at[1]
    spec = case.scheme.field(name)
    known = letters(spec) if spec and "@" not in name else {}
    if isinstance(answer, str) and answer in known:
        return known[answer]
    return f"not a letter: {tokens.named(answer)}"


def _chance(case: Case, answer: Answer, made: Verdict) -> None:
    """Put the chances of each answer to the verdict, by where its letter stands."""
    if not answer.tokens:
        made.detail["no_chances"] = NO_TOKENS
        return
    document, shift = replies.document(answer.text)
    spots = dict(tokens.values(document))
    for place in made.labels:
        step, name = place
        part = part_of(name)[1:]
        where = ("trajectory",) if step is None else ("steps", str(step))
        spot = spots.get((*where, base_of(name), *([part] if part else []), "answer"))
        token = None if spot is None else tokens.at(spot + shift, answer.text, answer.tokens)
        _put(made, case, place, token)


def _put(made: Verdict, case: Case, place: Place, token: Any) -> None:
    names = {letter: tokens.named(value) for letter, value in letters(_spec(case, place)).items()}
    if token is not None and (found := tokens.chances(token, names)):
        made.chances[place] = found
    else:
        made.detail.setdefault("no_chance", {})[path(place)] = NOT_FOUND


# Read step by step: one letter.


def _by_letter(judging: Judging, case: Case, number: int, extra: Extra) -> Asking[Verdict]:
    several = yield from together([_letter(judging, case, place, number, extra) for place in case.arounds])
    made, unanswered = Verdict(), dict[str, Json]()
    for place, each in zip(case.arounds, several, strict=True):
        single.put_together(made.detail, each.detail, path(place))
        made.labels |= each.labels
        made.explanations |= each.explanations
        made.chances |= each.chances
        unanswered |= {path(place): each.failed} if each.failed else {}
    for place in closing.closed(case.scheme, case.record.steps, case.steps, made.labels, made.labels):
        del made.labels[place]
        made.explanations.pop(place, None)
        made.chances.pop(place, None)
    if unanswered:
        made.detail["unanswered"] = unanswered
    if len(unanswered) == len(case.arounds):
        made.failed = f"no step was answered; the first: {next(iter(unanswered.values()))}"
    return made


def _letter(judging: Judging, case: Case, place: Place, number: int, extra: Extra) -> Asking[Verdict]:
    """The letter at one place."""
    spec, arounds = _spec(case, place), {place: case.arounds[place]}
    contract = ALONE.format(letters=_listed(spec))
    question = {**prompting.asked(case, arounds), "field": spec.name}
    more = replace(extra, contract=contract, question=question)
    asked = prompting.prompted(judging, case, arounds, upto=place[0], extra=more)
    messages, thought = asked.messages, ""
    if judging.settings.thinks_first:
        found = yield from single.thinking(judging, messages, number, now=NOW)
        if isinstance(found, Told):
            return single.verdict(found, asked)
        messages, thought = found, found[-2]["content"]
    wanted = replies.question(judging, messages, purpose="letter", number=number, **_logprobs(judging))
    told, answer = yield from _one_letter(case, place, wanted)
    made = single.verdict(told, asked)
    if made.failed or answer is None:
        return made
    made.explanations |= {place: thought[-LONGEST:].strip()} if thought else {}
    if not answer.tokens:
        made.detail["no_chance"] = {path(place): NO_TOKENS}
        return made
    _put(made, case, place, next((token for token in answer.tokens if tokens.spelled(token.text)), None))
    return made


NOW = "Now give your verdict: one letter and nothing else."


def _one_letter(case: Case, place: Place, wanted: Question) -> Asking[tuple[Told, Answer | None]]:
    """Ask for the letter, and once more where what comes is none."""
    known: Mapping[str, Json] = letters(_spec(case, place))
    told = Told()
    for turn in range(2):
        (said,) = yield [wanted]
        if reason := replies.silence(said):
            return replace(told, failed=reason, answer=said if isinstance(said, Answer) else None), None
        assert isinstance(said, Answer)
        letter = tokens.spelled(replies.without_thought(said.text))
        if letter in known:
            labels: dict[Place, Json] = {place: known[letter]}
            return Told(Reading(labels), answer=said, repaired=bool(turn)), said
        reason = f"the answer is no letter; accepted are {', '.join(known)}"
        told = Told(failed=reason, answer=said, repaired=bool(turn))
        again = replies.put_right(said.text, [Problem("", reason)], NOW)
        wanted = replace(wanted, messages=(*wanted.messages, *again), purpose="repair")
    return told, None
