"""Answers of judges, made by hypothesis: whole ones under a scheme, and ones with something wrong in them."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from annotations.records import Json
from annotations.schemes import Scheme, judging, rules
from annotations.schemes.fields import (
    ChoiceField,
    PreferenceField,
    RubricField,
    ScaleField,
    SpansField,
    TaxonomyField,
)
from annotations.schemes.fields.base import Around, FieldSpec
from annotations.schemes.rules import Place, View, base_of, part_of
from annotations.services import rubrics
from annotations.services.grounds import Ground
from tests import sampled

WORDS = st.text(alphabet=st.sampled_from("ab é\n𝔽"), min_size=1, max_size=8).filter(lambda text: bool(text.strip()))


def ground(scheme: Scheme) -> Ground:
    """The scheme's sample, with the items that its reference brings."""
    assert scheme.sample
    reference = scheme.sample.reference if isinstance(scheme.sample.reference, dict) else {}
    specs = [spec for spec in scheme.fields if isinstance(spec, RubricField) and spec.items_from != "scheme"]
    listed = {spec.name: rubrics.checked(reference[spec.name]) for spec in specs if spec.name in reference}
    items = {name: {one.name: one.model_dump(mode="json") for one in several} for name, several in listed.items()}
    return Ground(sampled.steps_of(scheme), sampled.rollouts_of(scheme), items)


def value(spec: FieldSpec, here: Around) -> st.SearchStrategy[Any]:
    """Whole answers of the field at that place."""
    if isinstance(spec, ChoiceField):
        return st.sampled_from(spec.values)
    if isinstance(spec, TaxonomyField):
        alone = [[one.value] for one in spec.options if one.alone]
        together = [one.value for one in spec.options if not one.alone]
        several = st.lists(st.sampled_from(together), min_size=1, max_size=spec.most or None, unique=True)
        return st.one_of(*([st.sampled_from(alone)] if alone else []), *([several] if together else []))
    if isinstance(spec, ScaleField):
        number = st.sampled_from(spec.numbers) if spec.numbers else st.just(spec.sample())
        if not spec.step:
            number = st.floats(spec.min, spec.max, allow_nan=False)
        return st.fixed_dictionaries({one.name: number for one in spec.dimensions}) if spec.dimensions else number
    if isinstance(spec, RubricField):
        names = list(spec.asked(here)) or ["made-up"]
        return st.fixed_dictionaries({name: st.sampled_from(spec.answers) for name in names})
    if isinstance(spec, PreferenceField) and spec.form != "rank":
        return st.sampled_from([*(here.candidates or [0, 1]), *(["tie"] if spec.ties else [])])
    if isinstance(spec, PreferenceField):
        return st.permutations(list(here.candidates or [0, 1])).map(lambda order: [[one] for one in order])
    if spec.kind == "first_error":
        return st.sampled_from(["none", *(here.steps or [0])])
    if spec.kind == "intervention":
        return st.fixed_dictionaries({"step": st.sampled_from(list(here.steps or [0])), "text": WORDS})
    if spec.kind in ("text", "correction"):
        return WORDS
    return st.just(spec.sample(here))


def can_be_said(spec: FieldSpec, here: Around) -> bool:
    """Whether the place has something to mark: a step without a text has no spans."""
    return not spec.refusal(spec.sample(here), here) if isinstance(spec, SpansField) else True


@st.composite
def answers(draw: st.DrawFn, scheme: Scheme, arounds: judging.Arounds) -> dict[Place, Any]:
    """Whole answers at every place that is asked, and at some that need not be answered."""
    specs = {place: spec for place in arounds if (spec := scheme.field(place[1])) and can_be_said(spec, arounds[place])}
    left_out = {place for place, spec in specs.items() if not spec.required and draw(st.booleans())}
    said: dict[Place, Any] = {}
    for place, spec in specs.items():
        if place not in left_out:
            said[place] = draw(value(spec, arounds[place]))
    for _ in range(20):
        effects = rules.effects(scheme, View(judging.steps_of(arounds), said))
        closed = [place for place in said if rules.is_closed(effects, *place)]
        wanted = [place for place, spec in specs.items() if spec.required and place not in said]
        wanted = [place for place in wanted if not rules.is_closed(effects, *place)]
        faults = [place for one in effects for place in one.problems]
        if not closed and not wanted and not faults:
            return said
        for place in closed:
            del said[place]
        for place in wanted:
            said[place] = draw(value(specs[place], arounds[place]))
        for place in faults:
            if place in said:
                del said[place]
            elif place not in closed:
                said[place] = draw(value(specs[place], arounds[place]))
    raise AssertionError("the rules never come to rest")


def told(scheme: Scheme, said: dict[Place, Any], why: str = "Because.") -> dict[str, Any]:
    """The answers as a judge writes them."""
    whole: dict[str, Any] = {}
    for (step, name), one in said.items():
        spec = scheme.field(name)
        assert spec
        entry = {"why": why, "answer": one} if judging.is_explained(spec) else {"answer": one}
        here = (
            whole.setdefault("trajectory", {})
            if step is None
            else whole.setdefault("steps", {}).setdefault(str(step), {})
        )
        if part := part_of(name)[1:]:
            here.setdefault(base_of(name), {})[part] = entry
        else:
            here[name] = entry
    return whole


def is_whole(scheme: Scheme, arounds: judging.Arounds, said: dict[Place, Any]) -> bool:
    """What `read` must find, worked out from the fields and the rules alone."""
    if any(place not in arounds for place in said):
        return False
    for place, one in said.items():
        spec = scheme.field(place[1])
        assert spec
        if spec.refusal(one, arounds[place]) or spec.lacking(one, arounds[place]):
            return False
    effects = rules.effects(scheme, View(judging.steps_of(arounds), said))
    if any(one.problems for one in effects) or any(rules.is_closed(effects, *place) for place in said):
        return False
    needed = [place for place in arounds if (spec := scheme.field(place[1])) and spec.required]
    return all(place in said or rules.is_closed(effects, *place) for place in needed)


JUNK: list[Json] = [
    *(None, True, False, "", " ", "no such thing", -99, 0.1234567, 10**30, [], {}, [[]], [None], {"made-up": "maybe"}),
    *([[99]], {"step": 99, "text": "x"}, {"step": 1, "text": ""}),
    [{"part": "message", "start": 0, "end": 10**6, "type": "no such type"}],
]


@st.composite
def spoilt(draw: st.DrawFn, scheme: Scheme, said: dict[Place, Any], arounds: judging.Arounds) -> dict[Place, Any]:
    """The answers with one left out, one of junk, or one at a place that may not be asked."""
    made = copy.deepcopy(said)
    how = draw(st.sampled_from(["leave out", "junk", "one more"] if said else ["one more"]))
    open_places = [place for place in arounds if place not in said]
    if how == "leave out":
        del made[draw(st.sampled_from(list(said)))]
    elif how == "junk":
        made[draw(st.sampled_from(list(said)))] = draw(st.sampled_from(JUNK))
    elif open_places:
        place = draw(st.sampled_from(open_places))
        spec = scheme.field(place[1])
        assert spec
        made[place] = draw(value(spec, arounds[place]))
    return made
