"""The planned keys pressed in a real Chromium, on the product's own page; what PostgreSQL holds then has to be gold.
And keys pressed at random, after each of which the page has to show what the model of its keys says."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bench import common
from bench.annotator import desk as desks
from bench.annotator.desk import Desk, State
from bench.annotator.offers import Item, Offers
from bench.annotator.planner import plan
from bench.web.chromium import chromium, open_desk, signed_in
from bench.web.server import serving

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from annotations.models import Annotation, Project, User

ITEMS = 6  # of each policy and source: from the one that takes most presses to one that takes one
ROUNDS, RANDOM_KEYS = 5, 12  # each round begins without labels
WHOLE = 10  # steps of an item that is in the page as a whole, with what stands between them
PAGES = tuple(
    (policy, filled, advance)
    for policy in ("off", "suggest", "fill")
    for filled, advance in ((False, False), (True, policy == "suggest"))
)
HAND_IN = "Control+Shift+Enter"
FINAL = {1: ("f",), 0: ("f", "f"), -1: (HAND_IN, "-")}  # handing in goes to a final result that is missing
KEYS = (*desks.MOVES, *desks.ANSWERS, *desks.SETTLES, desks.ACCEPT, desks.ACCEPT_GHOSTS)
SCROLL = """async () => {
    for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 2) {
        scrollTo(0, y);
        await new Promise((resolve) => setTimeout(resolve, 40));
    }
    scrollTo(0, 0);
}"""
SHOWN = """() => [...document.querySelectorAll(".turns [data-step]")].map((card) => {
    const place = (selector) => card.querySelector(`[data-field=label] ${selector}`)?.dataset.choice ?? null;
    return [place("[aria-pressed=true]"), place(".ghost"), place(".offered"), card.hasAttribute("aria-current")];
})"""
STORED_LIMIT = "labels that gold has, and origins that the model of the page has"
SHOWN_LIMIT = "what the model of the page says"


def rows(made: Project, items: Sequence[Item], source: str) -> Iterator[common.Row]:
    """Some items once more, each policy by somebody new, without and with what the source offers."""
    sample = _sample(items)
    with serving() as port, chromium() as browser:
        for policy, filled, advance in PAGES:
            person = _somebody(made, policy, source if filled else "", advance)
            _give(made, sample, person)
            name = f"{policy}{', pre-filled' if filled else ''}{', advance' if advance else ''}"
            with signed_in(browser, port, person) as context:
                yield _at_random(context, made, person, name, {one.trajectory: one for one in sample}, advance)
                yield _replayed(context, made, person, name, {one.trajectory: one for one in sample}, advance)


def _sample(items: Sequence[Item]) -> list[Item]:
    """From the item that takes most presses to one that takes the fewest; first the longest that is not too long."""
    by_cost = sorted(items, key=lambda one: -plan(Desk("suggest", (None,) * len(one.gold)), one.gold).presses)
    sample = by_cost[:: len(by_cost) // ITEMS][:ITEMS]
    sample[1] = max(items, key=lambda one: len(one.steps) if len(one.steps) <= WHOLE else 0)
    return sorted(sample, key=lambda one: one is not sample[1])


def _somebody(made: Project, policy: str, prefill: str, advance: bool) -> User:
    """Somebody who comes when the project has these rules, with that preference."""
    from annotations.models import Membership, Role, User

    made.overlap += 1
    made.propagation, made.prefill = policy, prefill
    made.save()
    count = User.objects.count()
    person = User.objects.create_user(f"annotator-{count}", preferences={"advance": advance})
    Membership.objects.create(project=made, user=person, role=Role.ANNOTATOR)
    return person


def _give(made: Project, sample: Sequence[Item], person: User) -> None:
    from annotations.models import Membership, Role, User
    from annotations.services import assigning

    lead, is_new = User.objects.get_or_create(username="lead")
    if is_new:
        Membership.objects.create(project=made, user=lead, role=Role.MANAGER)
    for one in sample:
        assigning.give(one.trajectory, person, lead, slug=made.slug)


def _at_random(
    context: BrowserContext, made: Project, person: User, name: str, sample: dict[int, Item], advance: bool
) -> common.Row:
    """On the first of the items; all of it is undone afterwards."""
    page = context.new_page()
    mine, item = _next(page, made, person, sample)
    desk = Desk(mine.propagation, _offers(mine, item), advance)
    page.evaluate(SCROLL)
    rng, differ, changes = random.Random(name), 0, 0
    for _ in range(ROUNDS):
        state = desk.start()
        for key in rng.choices(KEYS, k=RANDOM_KEYS):
            before, state = state, desk.press(state, key)
            changes += before.cells != state.cells
            _press(page, key)
            differ += page.evaluate(SHOWN) != _as_shown(desk, state)
        _undo(page)
    page.close()
    what = f"random keys, {name}: shown otherwise"
    note = f"{changes} of them changed labels, {len(item.gold)} steps"
    return common.within(what, ROUNDS * RANDOM_KEYS, differ, 0, SHOWN_LIMIT, unit="keys", note=note)


def _undo(page: Page) -> None:
    """All that was said, also on the server; the first step is in focus again."""
    while page.is_enabled("[data-do=undo]"):
        page.keyboard.press("u")
    page.wait_for_selector("[data-status=saved]", state="attached")
    _press(page, desks.FIRST)


def _as_shown(desk: Desk, state: State) -> list[list[Any]]:
    """For each step the place of the answer that is given, carried on, offered; and whether it is in focus."""
    ghosts = desk.ghosts(state)
    found = []
    for place, cell in enumerate(state.cells):
        offer = None if cell else desk.offers[place]
        carried = desks.CARRIED if place in ghosts else None
        values = (cell.value if cell else None, carried, offer)
        shown = [None if value is None else str(desks.VALUES.index(value)) for value in values]
        found.append([*shown, place == state.focus])
    return found


def _replayed(
    context: BrowserContext, made: Project, person: User, name: str, sample: dict[int, Item], advance: bool
) -> common.Row:
    """On how many steps the database differs from gold or from the model."""
    page = context.new_page()
    differ = steps = presses = 0
    for _ in sample:
        mine, item = _next(page, made, person, sample)
        desk = Desk(mine.propagation, _offers(mine, item), advance)
        done = plan(desk, item.gold)
        elsewhere = re.compile(rf"^(?!{re.escape(page.url)}$)")
        page.evaluate(SCROLL)
        for key in [*done.keys, *FINAL[item.final], HAND_IN]:
            _press(page, key)
        page.wait_for_url(elsewhere)
        *_, end = desk.replay(done.keys)
        differ += _differs(mine, item, [cell and tuple(cell) for cell in desk.filled(end)])
        steps += len(item.gold)
        presses += done.presses
    page.close()
    what, note = f"replayed, {name}: stored otherwise", f"{presses / steps:.3f} presses a step, {len(sample)} items"
    return common.within(what, steps, differ, 0, STORED_LIMIT, unit="steps", note=note)


def _press(page: Page, key: str) -> None:
    for part in key.split(" "):
        page.keyboard.press(part)


def _next(page: Page, made: Project, person: User, sample: dict[int, Item]) -> tuple[Annotation, Item]:
    from annotations.models import Annotation

    open_desk(page, f"/p/{made.slug}/label/")
    found = re.search(r"/label/(\d+)/", page.url)
    assert found, page.url
    mine = Annotation.objects.select_related("rater__project").get(pk=found[1], rater__user=person)
    return mine, sample[mine.trajectory_id]


def _offers(mine: Annotation, item: Item) -> Offers:
    """What the page is given to offer."""
    from annotations.services import desk

    facts = desk.desk(mine)
    offered = {step: value for step, value, *_ in [*facts["suggestions"], *facts["prefix"]]}
    return tuple(offered.get(step) for step in item.steps)


def _differs(mine: Annotation, item: Item, modelled: list[Any]) -> int:
    """Steps on which the database says something else than gold, or of another origin than the model."""
    from annotations.models import Label

    mine.refresh_from_db()
    assert mine.state == "submitted", mine.state
    current = Label.objects.current().filter(annotation=mine, field="label")
    stored = {step: (value, origin) for step, value, origin in current.values_list("step__index", "value", "origin")}
    final = Label.objects.current().get(annotation=mine, field="final").value
    assert final == item.final, (mine.pk, final)
    found = [stored.get(step) for step in item.steps]
    return sum(
        one is None or one[0] != gold or one != said for one, gold, said in zip(found, item.gold, modelled, strict=True)
    )
