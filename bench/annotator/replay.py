"""The planned keys pressed in a real Chromium, on the product's own page; what PostgreSQL holds then has to be gold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bench import common
from bench.annotator.desk import Desk
from bench.annotator.offers import Item
from bench.annotator.planner import plan
from bench.web.chromium import chromium, open_desk, signed_in
from bench.web.server import serving

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from annotations.models import Annotation, Project

ITEMS = 8  # of each policy and source
FINAL = {1: 1, 0: 2, -1: 3}  # presses of the key that goes round the final results
SCROLL = """async () => {
    for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 2) {
        scrollTo(0, y);
        await new Promise((resolve) => setTimeout(resolve, 40));
    }
    scrollTo(0, 0);
}"""
LIMIT = "labels that gold has, and origins that the model of the page has"


def rows(made: Project, items: Sequence[Item], source: str) -> Iterator[common.Row]:
    """The first items of the queue once more, each by somebody new, without and with what the source offers."""
    golden = {one.trajectory: one for one in items}
    with serving() as port, chromium() as browser:
        for policy in ("off", "suggest", "fill"):
            for prefill in ("", source):
                person = _somebody(made, policy, prefill)
                with signed_in(browser, port, person) as context:
                    differ, steps, presses = _label(context, made, person, golden)
                note = f"{presses / steps:.3f} presses a step"
                what = f"replayed, {policy}{', pre-filled' if prefill else ''}: other than gold"
                yield common.Row(what, steps, differ, 0, LIMIT, differ, "= 0", differ == 0, "steps", note)


def _somebody(made: Project, policy: str, prefill: str) -> object:
    from annotations.models import Membership, Role, User

    made.overlap += 1
    made.propagation, made.prefill = policy, prefill
    made.save()
    person = User.objects.create_user(f"{policy}-{'with' if prefill else 'without'}")
    Membership.objects.create(project=made, user=person, role=Role.ANNOTATOR)
    return person


def _label(context: BrowserContext, made: Project, person: object, golden: dict[int, Item]) -> tuple[int, int, int]:
    """On how many steps the database differs from gold or from the model, of how many; and the presses that took."""
    page = context.new_page()
    open_desk(page, f"/p/{made.slug}/label/")
    differ = steps = presses = 0
    for _ in range(ITEMS):
        mine = _open(page, person)
        item = golden[mine.trajectory_id]
        desk = Desk(mine.propagation, _offers(mine, item))
        done = plan(desk, item.gold)
        page.evaluate(SCROLL)
        for key in [*done.keys, *"f" * FINAL[item.final], "Control+Shift+Enter"]:
            for part in key.split(" "):
                page.keyboard.press(part)
        here = page.url
        page.wait_for_url(lambda url, here=here: url != here)
        page.wait_for_selector("html[data-ready]", state="attached")
        *_, end = desk.replay(done.keys)
        differ += _differs(mine, item, [cell and tuple(cell) for cell in desk.filled(end)])
        steps += len(item.gold)
        presses += done.presses
    page.close()
    return differ, steps, presses


def _open(page: Page, person: object) -> Annotation:
    from annotations.models import Annotation

    found = re.search(r"/label/(\d+)/", page.url)
    assert found, page.url
    return Annotation.objects.select_related("rater__project").get(pk=found[1], rater__user=person)


def _offers(mine: Annotation, item: Item) -> tuple[int | None, ...]:
    from annotations.services import desk

    facts = desk.desk(mine)
    offered = {step: value for step, value, *_ in [*facts["suggestions"], *facts["prefix"]]}
    return tuple(offered.get(step) for step in item.steps)


def _differs(mine: Annotation, item: Item, modelled: list[object]) -> int:
    """Steps on which the database says something else than gold, or of another origin than the model. A label that
    takes up an offer is the person's own word where they pressed the answer."""
    from annotations.models import Label

    mine.refresh_from_db()
    assert mine.state == "submitted", mine.state
    current = Label.objects.current().filter(annotation=mine, field="label")
    stored = {step: (value, origin) for step, value, origin in current.values_list("step__index", "value", "origin")}
    found = [stored.get(step) for step in item.steps]
    return sum(
        one is None or one[0] != gold or one != said for one, gold, said in zip(found, item.gold, modelled, strict=True)
    )
