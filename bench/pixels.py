"""From key press to pixel, and from address to first content, on label pages of 10 steps up to 30,000 and 350 MB.

A real Chromium on a real server. A press is timed from the event's own time stamp (when the browser got it) to the
first task after the next frame: that frame has been styled, laid out and painted by then. Entries of the Event Timing
API would also count the compositor, but come in units of 8 ms and only from 16 on: too coarse for what has to fit one
frame.

The limit is one frame at 60 Hz above what a bare page in the same browser takes whose handler toggles one class. All
pages take turns, so that other work of the machine meets them alike.

Run: DATABASE_URL=… python -m bench pixels
"""

from __future__ import annotations

import os
import random
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import common
from bench.web.rollouts import Rollout
from bench.web.server import SETTINGS, serving
from bench.web.walk import walked

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from annotations.models import Annotation

ROLLOUTS = (
    Rollout("10 steps", 10),
    Rollout("1,000 steps", 1_000),
    Rollout("30,000 steps", 30_000),
    Rollout("a message of 10 MB", 10, one=10_000_000),
    Rollout("350 MB", 350, each=500_000),
)
BARE = "bare"
BARE_PAGE = """data:text/html,<!doctype html><title>Bare</title><style>.on { background: silver }</style>
<body><p>Press a key.</p>
<script>document.addEventListener("keydown", () => document.body.classList.toggle("on"))</script>
"""
KEYS = ("1", "-", "x", "j")
ROUNDS, STEPS = 5, 3  # presses of each page: rounds × steps × keys
LOADS = 7
GAP = (80, 160)  # ms between presses: quick fingers, at no fixed place in the frame
FRAME = 1 / 60  # s
LIMIT = "a bare page that toggles a class, and one frame at 60 Hz"
FREEZE = 0.2  # s: a page that is busy for longer than this no longer answers at once (web.dev's limit for a good INP)
PROBE = Path(__file__).parent / "web" / "probe.js"


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    common.django_up()
    from annotations.models import User
    from bench.web.chromium import chromium, signed_in

    person = User.objects.create_user("pixels")
    leased = {rollout.name: rollout.leased(person) for rollout in ROLLOUTS}
    with serving(workers=2, threads=8) as port, chromium() as browser, signed_in(browser, port, person) as context:
        context.add_init_script(path=PROBE)
        addresses = {name: address(annotation) for name, annotation in leased.items()}
        loads = loaded(context, addresses)
        presses = pressed(context, addresses)
        walks = {one.name: walked(context, addresses[one.name], leased[one.name]) for one in ROLLOUTS}
    rows = [*of_keys(presses), *of_loads(loads), *of_walks(walks)]
    notes = {"opening": {name: middles(times) for name, times in loads.items()}, "by_key": by_key(presses)}
    common.write("pixels", rows, presses=ROUNDS * STEPS * len(KEYS), loads=LOADS, walks=walks, **notes)


def address(annotation: Annotation) -> str:
    return f"/p/{annotation.rater.project.slug}/label/{annotation.pk}/"


def loaded(context: BrowserContext, addresses: dict[str, str]) -> dict[str, list[dict[str, float]]]:
    """Seconds to the server's answer, first content and the first key that works, of each opening; style sheets and
    scripts are cached."""
    from bench.web.chromium import open_desk

    times: dict[str, list[dict[str, float]]] = {name: [] for name in addresses}
    for turn in range(LOADS + 1):
        for name, at in addresses.items():
            page = context.new_page()
            open_desk(page, at)
            if turn:  # the first one fills the browser's cache
                times[name].append(page.evaluate(OPENED))
            page.close()
    return times


OPENED = """() => {
  const seconds = (ms) => ms / 1000;
  const [navigation] = performance.getEntriesByType("navigation");
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  return { answer: seconds(navigation.responseStart), first: seconds(paint.startTime), ready: seconds(probe.ready) };
}"""


def middles(times: list[dict[str, float]]) -> dict[str, float]:
    return {what: statistics.median(one[what] for one in times) for what in times[0]}


def of_loads(loads: dict[str, list[dict[str, float]]]) -> Iterator[common.Row]:
    for what, words in (("first", "first content"), ("ready", "ready for keys")):
        middle = {name: middles(times)[what] for name, times in loads.items()}
        for rollout in ROLLOUTS[1:]:
            ours, limit = middle[rollout.name], middle[ROLLOUTS[0].name]
            of = f"{words}, {rollout.name}"
            yield common.at_most(of, rollout.steps, ours, limit, "the same with 10 steps", 2.0)


Press = dict[str, Any]


def pressed(context: BrowserContext, addresses: dict[str, str]) -> dict[str, list[Press]]:
    """Every press of every page, in turns."""
    from bench.web.chromium import open_desk

    found: dict[str, list[Press]] = {}
    with ExitStack() as stack:
        pages = {BARE: stack.enter_context(context.new_page())}
        pages[BARE].goto(BARE_PAGE)
        for name, at in addresses.items():
            pages[name] = stack.enter_context(context.new_page())
            open_desk(pages[name], at)
        for _ in range(ROUNDS):
            for name, page in pages.items():
                found.setdefault(name, []).extend(round_of(page))
    return found


def round_of(page: Page) -> list[Press]:
    """The first steps labelled, relabelled and cleared, beginning at the first: there a −1 carries on the furthest."""
    page.bring_to_front()
    page.keyboard.press("g")
    page.keyboard.press("g")
    page.wait_for_timeout(500)
    page.evaluate("probe.presses = []")
    rng = random.Random(0)
    for number, key in enumerate(KEYS * STEPS, start=1):
        page.wait_for_timeout(rng.uniform(*GAP))
        page.keyboard.press(key)
        page.wait_for_function("(count) => probe.presses.length === count", arg=number, polling=20)
    presses: list[Press] = page.evaluate("probe.presses")
    return presses


def of_keys(presses: dict[str, list[Press]]) -> Iterator[common.Row]:
    seconds = {name: [press["ms"] / 1000 for press in found] for name, found in presses.items()}
    for rollout in ROLLOUTS:
        for label, share in (("p50", 0.5), ("p95", 0.95)):
            ours, bare = (common.quantile(seconds[name], share) for name in (rollout.name, BARE))
            of, note = f"key to pixel {label}, {rollout.name}", f"bare page: {bare:.4f} s"
            yield common.within(of, rollout.steps, ours, bare + FRAME, LIMIT, note=note)
    for rollout in ROLLOUTS:
        late = sum(not press["inFrame"] for press in presses[rollout.name])
        of = f"presses not in the next frame, {rollout.name}"
        yield common.within(of, rollout.steps, late, 0, "none: a key answers in the same frame", unit="presses")


def by_key(presses: dict[str, list[Press]]) -> dict[str, dict[str, float]]:
    """Median milliseconds of each key on each page."""
    return {
        name: {key: statistics.median(press["ms"] for press in found if press["key"] == key) for key in KEYS}
        for name, found in presses.items()
    }


def of_walks(walks: dict[str, dict[str, float]]) -> Iterator[common.Row]:
    for rollout in ROLLOUTS:
        walk = walks[rollout.name]
        ours = max(walk["opening"], walk["busy"])
        note = ", ".join(f"{what} {walk[what]:.2f} s" for what in ("jump", "find", "label"))
        of = f"longest task, {rollout.name}"
        yield common.within(of, rollout.steps, ours, FREEZE, "a good INP", note=note)
    strayed = [rollout.name for rollout in ROLLOUTS if walks[rollout.name]["strayed"]]
    limit_is = "none: the step one jumps to stays in sight"
    note = "; ".join(strayed)
    yield common.within("jumps that missed", len(walks), len(strayed), 0, limit_is, unit="jumps", note=note)
