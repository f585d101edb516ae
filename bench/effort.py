"""Key presses that gold labels cost: with propagation off, suggested or filled in, and with each pre-fill.

A scripted annotator knows the gold labels and presses the fewest keys that store them (bench/annotator/planner.py), on
the page as its keys work (desk.py); some of the items are then labelled with these very keys in a real Chromium on a
real server, and what PostgreSQL holds afterwards has to be gold (replay.py). The limit is the predecessor's page: one
key for each label and one to move to the next step.

Whoever it is has read the whole item before the first press, which takes a wheel and no key, and takes along what is
suggested when handing in. Counted are presses on steps; what an item costs besides, for the final result and for
handing in, has a row of its own. "advance" is the page with the preference that an answer moves on to the next step;
it is off for who has chosen nothing, so the aims are held against both.

Most of what is saved, the keys save that answer all that is open at once; "no Shift" is somebody who does not use them.

What is offered is what the product offers: a source's word where the project's confidence is reached, and on every page
one's own word on a rollout that begins alike. Every item is pre-filled here; a project leaves a share of them blind.
Sources that offer nothing, because they are never sure enough, are in the notes only.

Run: DATABASE_URL=… python -m bench effort
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench import common
from bench.annotator.desk import Desk
from bench.annotator.offers import NONE, OWN, SCORER, Item, Offers
from bench.annotator.planner import Gold, Plan, plan, wrong
from bench.web.server import SETTINGS

PREDECESSOR = 2.0  # presses a step
LIMIT = "the predecessor: one label key and one move per step"
SUGGEST_AIM, BEST_AIM = 0.6, 0.35  # presses a step
POLICIES = ("off", "suggest", "fill")
CONFIDENCE = 0.8  # what a project asks of a suggestion, unless it says otherwise
FINAL_PRESSES = {1: 1, 0: 2, -1: 2}  # of the key that goes round the final results, or of handing in to get there
HAND_IN = 1
NO_MACHINE = (NONE, OWN)


@dataclass(frozen=True)
class Effort:
    """What some items cost together."""

    steps: int
    presses: int
    corrections: int
    mislabelled: int
    bounds: int = 0  # items of which the plan may not be the shortest

    @property
    def each(self) -> float:
        return self.presses / self.steps


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    common.django_up()
    from annotations.models import User
    from bench.annotator import offers, replay

    person = User.objects.create_user("effort")
    made = offers.project(person)
    items = list(offers.items(made, person, CONFIDENCE))
    best = best_of(items)
    rows = [*of_sequences("hotpotqa"), *of_sequences("bfcl"), *of_offers(items, best)]
    rows += replay.rows(made, items, address(best))
    common.write("effort", rows, besides=besides(items), offered=offered(items), confidence=CONFIDENCE)


def of_sequences(dataset: str) -> Iterator[common.Row]:
    """Gold label files without anything offered: every policy, with and without moving on by itself."""
    items = [(gold, (None,) * len(gold)) for gold in sequences(common.SHARED / "gold" / f"{dataset}_final.jsonl")]
    for policy in POLICIES:
        for advance in (False, True):
            aim = SUGGEST_AIM if dataset == "hotpotqa" and policy == "suggest" else PREDECESSOR
            yield row(named(f"{dataset}, {policy}", advance), effort(policy, items, advance=advance), aim)
    if dataset == "hotpotqa":
        for advance in (False, True):
            cost = effort("suggest", items, advance=advance, settles=False)
            yield row(named(f"{dataset}, suggest, no Shift", advance), cost, PREDECESSOR)


def of_offers(items: Sequence[Item], best: str) -> Iterator[common.Row]:
    """The items for which there are texts, with what is offered on them; the best source is held to the aim."""
    shares = offered(items)
    own = shares[OWN]["offered"]
    sources = [name for name, one in shares.items() if name in (NONE, OWN) or one["offered"] > own]
    for source in sorted(sources, key=lambda name: shares[name]["offered"]):
        for policy in POLICIES if source == best else ("suggest",):
            for advance in (False, True):
                yield of_source(items, source, policy, advance, source == best and policy == "suggest")
    yield from all_in(items, best)


def of_source(items: Sequence[Item], source: str, policy: str, advance: bool, is_held: bool) -> common.Row:
    cost = effort(policy, [(one.gold, one.offers[source]) for one in items], advance=advance)
    aim = BEST_AIM if is_held else PREDECESSOR
    share = offered(items)[source]
    note = f"offered on {share['offered']:.1%}, {share['right']:.0%} of that right" if share["offered"] else ""
    return row(named(f"pre-filled by {source}, {policy}", advance), cost, aim, note)


def all_in(items: Sequence[Item], best: str) -> Iterator[common.Row]:
    """With what each item costs beside its steps. The limit is without that."""
    more = besides(items)["per_step"]
    for source in (NONE, best):
        cost = effort("suggest", [(one.gold, one.offers[source]) for one in items])
        ours, note = cost.each + more, f"{cost.each:.3f} on steps, {more:.3f} for the final result and handing in"
        what = f"pre-filled by {source}, suggest, all in"
        yield common.within(what, cost.steps, ours, PREDECESSOR, LIMIT, unit="presses/step", note=note)


def named(what: str, advance: bool) -> str:
    return f"{what}, advance" if advance else what


def best_of(items: Sequence[Item]) -> str:
    """The source with which the usual page takes the fewest presses."""
    costs = {
        name: effort("suggest", [(one.gold, one.offers[name]) for one in items]).presses
        for name in items[0].offers
        if name not in NO_MACHINE
    }
    return min(costs, key=lambda name: costs[name])


def address(source: str) -> str:
    """The source as a project names what it is pre-filled by."""
    return "scorer:embedded" if source == SCORER else f"judge:{source}"


def effort(policy: str, items: Iterable[tuple[Gold, Offers]], *, advance: bool = False, settles: bool = True) -> Effort:
    steps = presses = corrections = mislabelled = bounds = 0
    for gold, offers in items:
        desk = Desk(policy, offers, advance, settles)
        done = planned(desk, gold)
        *_, end = desk.replay(done.keys)
        steps += len(gold)
        presses += done.presses
        corrections += done.corrections
        mislabelled += wrong(desk, end, gold)
        bounds += not done.exact
    return Effort(steps, presses, corrections, mislabelled, bounds)


@cache
def planned(desk: Desk, gold: Gold) -> Plan:
    return plan(desk, gold)


def row(what: str, cost: Effort, aim: float, more: str = "") -> common.Row:
    ratio, most = cost.each / PREDECESSOR, aim / PREDECESSOR
    notes = [f"{cost.corrections / cost.steps:.3f} corrections a step, {cost.mislabelled} mislabelled", more]
    if cost.bounds:
        notes.append(f"a bound from above in {cost.bounds} items")
    note = ", ".join(filter(None, notes))
    reached = ratio <= most and not cost.mislabelled
    about = f"presses ≤ {most:g} × limit, nothing mislabelled"
    return common.Row(what, cost.steps, cost.each, PREDECESSOR, LIMIT, ratio, about, reached, "presses/step", note)


def sequences(path: Path) -> list[Gold]:
    """The step labels of each record of a label file, in order."""
    said = [json.loads(line)["step_labels"] for line in path.read_text().splitlines()]
    return [tuple(one[index] for index in sorted(one, key=int)) for one in said]


def besides(items: Sequence[Item]) -> dict[str, float]:
    """Presses an item costs beside its steps, and what they add to each step."""
    final = sum(FINAL_PRESSES[one.final] for one in items)
    whole = final + HAND_IN * len(items)
    return {
        "final_result_per_item": final / len(items),
        "hand_in_per_item": HAND_IN,
        "per_step": whole / sum(len(one.gold) for one in items),
    }


def offered(items: Sequence[Item]) -> dict[str, dict[str, float]]:
    """On which share of the steps each source offers something, and which share of that is gold."""
    found = {}
    for source in items[0].offers:
        pairs = [pair for one in items for pair in zip(one.offers[source], one.gold, strict=True)]
        made = [(offer, gold) for offer, gold in pairs if offer is not None]
        right = sum(offer == gold for offer, gold in made)
        found[source] = {"offered": len(made) / len(pairs), "right": right / len(made) if made else 0.0}
    return found
