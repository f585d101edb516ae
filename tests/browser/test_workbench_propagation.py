"""The rules that fill in labels say the same in the browser as on the server."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Project
from annotations.schemes import rules
from annotations.schemes.schema import Scheme
from tests import make
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

IN_BROWSER = """async (cases) => {
    const { Effects, impliedBy, lineage } = await import("/static/js/rules.js");
    return cases.map(({ scheme, steps, said, revealed, after }) => {
        const before = lineage(steps, after && new Map(after));
        const answers = new Map(said.map(([step, field, value]) => [`${step}:${field}`, value]));
        const answer = (step, field) => answers.get(`${step}:${field}`) ?? null;
        const places = (field) => said.filter((one) => one[1].split("@")[0] === field);
        const found = new Effects(scheme, { steps, before, answer, places, revealed });
        const names = scheme.fields.map(({ name }) => name);
        const all = [null, ...steps].flatMap((step) => scheme.fields
            .filter(({ target }) => (step === null) === (target === "trajectory"))
            .flatMap(({ name, target }) => (target === "tool_call" ? [`${name}@call-0`, `${name}@call-1`] : [name]))
            .map((name) => [step, name]));
        return {
            implied: [...impliedBy(scheme, steps, answer, before)],
            closed: all.filter(([step, name]) => found.closed(step, name)),
            sealed: names.filter((name) => found.sealed(name)),
            problems: found.problems.map(({ step, field, reason }) => [step, field, reason]),
        };
    });
}"""


SCHEME = """
name: every-rule
version: "1"
title: Every rule
main: label
fields:
  - name: label
    title: Label
    kind: choice
    choices: [{value: 1, title: Right}, {value: 0, title: Neutral}, {value: -1, title: Wrong}]
  - {name: mark, title: Mark, kind: flag}
  - {name: other, title: Other, kind: flag}
  - {name: why, title: Why, kind: text, when: {field: label, values: [0, -1]}}
  - name: tags
    title: Tags
    kind: taxonomy
    choices: [{value: a, title: A}, {value: b, title: B}]
    when: {field: mark}
  - {name: deep, title: Deep, kind: text, when: {field: tags, values: [b]}}
  - {name: solved, title: Solved, kind: flag, target: trajectory, when: {field: label, values: [-1]}}
  - {name: how, title: How, kind: text, when: {field: solved}}
  - {name: call, title: Call, kind: flag, target: tool_call}
  - {name: edit, title: Edit, kind: text, target: tool_call, when: {field: call}}
  - {name: odd, title: Odd, kind: text, when: {field: call}}
"""
RULES: list[dict[str, Any]] = [
    {"rule": "carry-forward", "field": "label", "value": -1, "until": "mark"},
    {"rule": "carry-forward", "field": "label", "value": 0},
    {"rule": "first-error", "field": "label", "value": -1, "before": 1},
    {"rule": "stop-after-first-error", "field": "label", "value": -1},
    {"rule": "hindsight-lock", "first": "label", "then": "mark"},
    {"rule": "exclusive", "fields": ["mark", "other"]},
    {"rule": "must-explain", "field": "label", "values": [-1, 0], "by": "why"},
    {"rule": "must-explain", "field": "call", "values": [True], "by": "edit"},
]
ANSWERS: dict[str, list[Any]] = {
    "label": [1, 0, -1],
    "mark": [True],
    "other": [True],
    "why": ["so"],
    "tags": [["a"], ["b"], ["a", "b"]],
    "deep": ["x"],
    "how": ["y"],
    "call@call-0": [True],
    "call@call-1": [True],
    "edit@call-1": ["z"],
}


def cases(count: int) -> Iterator[tuple[Scheme, rules.View]]:
    """Schemes with some of the rules (one that fills at most), and passes that say something here and there, of rows of
    steps and of trees."""
    chance = random.Random(20)
    plain = yaml.safe_load(SCHEME)
    for _ in range(count):
        chosen = chance.sample(RULES, chance.randrange(len(RULES)))
        filling = [one for one in chosen if one["rule"] in rules.FILL]
        scheme = Scheme.model_validate(plain | {"rules": [one for one in chosen if one not in filling[1:]]})
        steps = sorted(chance.sample(range(100), chance.choice([0, 1, 2, 3, 5, 8, 13, 40])))
        silence = chance.random()
        said = {
            (step, field): chance.choice(values)
            for step in steps
            for field, values in ANSWERS.items()
            if chance.random() > silence
        }
        if chance.random() < 0.5:
            said[None, "solved"] = True
        tree = {step: chance.choice([None, *steps[:place]]) for place, step in enumerate(steps)}
        yield scheme, rules.View(steps, said, chance.choice([None, False, True]), chance.choice([None, tree]))


def told(scheme: Scheme, view: rules.View) -> dict[str, Any]:
    said = [[step, field, value] for (step, field), value in view.answers.items()]
    after = None if view.after is None else list(view.after.items())
    told = {"scheme": scheme.model_dump(mode="json"), "steps": view.steps, "said": said, "revealed": view.revealed}
    return told | {"after": after}


def expected(scheme: Scheme, view: rules.View) -> dict[str, Any]:
    found = rules.effects(scheme, view)
    names = [spec.name for spec in scheme.fields]
    parts = {"tool_call": ["@call-0", "@call-1"]}
    of_steps = [
        (step, spec.name + part)
        for step in view.steps
        for spec in scheme.step_fields
        for part in parts.get(spec.target, [""])
    ]
    places = [*of_steps, *((None, spec.name) for spec in scheme.trajectory_fields)]
    return {
        "implied": rules.implied_by(scheme, view.steps, view.answers, view.after),
        "closed": {place for place in places if rules.is_closed(found, *place)},
        "sealed": {name for name in names if any(name in one.sealed for one in found)},
        "problems": {(*place, reason) for one in found for place, reason in one.problems.items()},
    }


@pytest.fixture
def desk(page: Page, live_server: LiveServer, log_in: Callable[..., None], request: pytest.FixtureRequest) -> Desk:
    annotator = make.user()
    project = make.project(annotator, propagation=getattr(request, "param", Project.Propagation.SUGGEST))
    log_in(annotator)
    return Desk(page, live_server.url, make.lease(make.trajectory(project, steps=6), annotator)).open()


def test_every_rule_makes_the_same_of_hundreds_of_random_trajectories(desk: Desk) -> None:
    tried = list(cases(500))
    found = desk.page.evaluate(IN_BROWSER, [told(*one) for one in tried])
    for case, one in zip(tried, found, strict=True):
        here = {
            "implied": dict(one["implied"]),
            "closed": set(map(tuple, one["closed"])),
            "sealed": set(one["sealed"]),
            "problems": set(map(tuple, one["problems"])),
        }
        assert here == expected(*case), case


def test_the_browser_knows_every_rule(desk: Desk) -> None:
    known = desk.page.evaluate("import('/static/js/rules.js').then((module) => Object.keys(module.RULES))")
    assert set(known) == set(rules.RULES)


@pytest.mark.parametrize("seed", range(3))
def test_after_any_row_of_keys_the_server_has_what_the_page_shows(desk: Desk, seed: int) -> None:
    """What is predicted here and what the server made of it are one."""
    chance = random.Random(seed)
    keys = ["1", "0", "-", "-", "x", "c", "p", "u", "Control+Shift+z", "j", "j", "k", "G", "f"]
    desk.press(*chance.choices(keys, k=40))
    predicted = shown(desk)
    desk.saved()
    assert shown(desk) == predicted
    desk.page.reload()
    assert shown(desk.ready()) == predicted
    desk.press(*chance.choices(keys, k=40)).saved()  # undo goes back to before the reload, which only the server knows
    settled = shown(desk)
    desk.page.reload()
    assert shown(desk.ready()) == settled


def shown(desk: Desk) -> list[Any]:
    return list(
        desk.page.evaluate(
            """() => [...document.querySelectorAll("[data-field]")].map((field) => [
                field.closest("[data-step]").dataset.step,
                field.dataset.field,
                field.querySelector("[data-choice].ghost") !== null,
                [...field.querySelectorAll("[aria-pressed=true]")].map((button) => button.textContent.trim()),
            ])"""
        )
    )


@pytest.mark.parametrize("desk", [Project.Propagation.FILL], indirect=True)
def test_where_the_project_fills_labels_come_by_themselves_and_go_with_their_cause(desk: Desk) -> None:
    desk.press("j", "-")
    desk.ghosts()
    desk.shows(6, "Wrong")
    assert desk.saved().origins() == {2: "human"} | dict.fromkeys([3, 4, 5, 6], "propagated")
    desk.press("j", "j", "c", "1")
    desk.shows(5, None)
    assert desk.saved().stored() == {2: -1, 3: -1, 4: 1}
    desk.press("k", "k", "x")
    desk.shows(3, None)
    assert desk.saved().stored() == {4: 1}


@pytest.mark.parametrize("desk", [Project.Propagation.OFF], indirect=True)
def test_where_propagation_is_off_nothing_is_suggested(desk: Desk) -> None:
    desk.press("-")
    desk.ghosts()
    desk.press("p")
    assert desk.saved().stored() == {1: -1}


@pytest.mark.parametrize(
    ("desk", "offered"),
    [(Project.Propagation.SUGGEST, 1), (Project.Propagation.FILL, 0), (Project.Propagation.OFF, 0)],
    indirect=["desk"],
)
def test_the_key_that_accepts_is_offered_only_where_something_can_be_suggested(desk: Desk, offered: int) -> None:
    desk.press("?")
    expect(desk.page.get_by_role("dialog").get_by_text("next step")).to_be_visible()
    expect(desk.page.get_by_role("dialog").get_by_text("accept what was carried on")).to_have_count(offered)
