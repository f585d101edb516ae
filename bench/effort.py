"""Key presses that gold labels cost: with propagation off, suggested or filled in, and with each pre-fill.

A scripted annotator knows the gold labels and presses the fewest keys that store them (bench/annotator/planner.py), on
the page as its keys work (desk.py); some of the items are then labelled with these very keys in a real Chromium on a
real server, and what PostgreSQL holds afterwards has to be gold. The limit is the predecessor's page: one key for each
label and one to move to the next step.

Counted are presses on steps. What an item costs besides, for the final result and for handing in, is the same for all,
and stands in the notes. "advance" is the page with the preference that an answer moves on to the next step; it is off
for who has chosen nothing. Sources that offer nothing, because they are not sure enough, are in the notes only.

Run: DATABASE_URL=… python -m bench effort
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench import common
from bench.annotator.desk import Desk
from bench.annotator.offers import NONE, OWN, SCORER, Item, Offers
from bench.annotator.planner import Gold, Plan, plan
from bench.web.server import SETTINGS

PREDECESSOR = 2.0  # presses a step
LIMIT = "the predecessor: one label key and one move per step"
SUGGEST_AIM, BEST_AIM = 0.6, 0.35  # presses a step
POLICIES = ("off", "suggest", "fill")
CONFIDENCE = 0.8  # what a project asks of a suggestion, unless it says otherwise
FINAL_PRESSES = {1: 1, 0: 2, -1: 3}  # of the key that goes round the final results
HAND_IN = 1
NO_JUDGES = (NONE, OWN, SCORER)


@dataclass(frozen=True)
class Effort:
    """What some items cost together."""

    steps: int
    presses: int
    corrections: int
    mislabelled: int
    exact: bool

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
    rows = [*of_sequences("hotpotqa"), *of_sequences("bfcl"), *of_offers(items)]
    rows += replay.rows(made, items, f"judge:{surest(items)}")
    common.write("effort", rows, besides=besides(items), offered=offered(items), confidence=CONFIDENCE)


def of_sequences(dataset: str) -> list[common.Row]:
    """Gold label files without anything offered: every policy, with and without moving on by itself."""
    items = [(gold, (None,) * len(gold)) for gold in sequences(common.SHARED / "gold" / f"{dataset}_final.jsonl")]
    rows = []
    for policy in POLICIES:
        for advance in (False, True):
            aim = SUGGEST_AIM if dataset == "hotpotqa" and policy == "suggest" and advance else PREDECESSOR
            what = f"{dataset}, {policy}{', advance' if advance else ''}"
            rows.append(row(what, effort(policy, items, advance=advance), aim))
    return rows


def of_offers(items: Sequence[Item]) -> list[common.Row]:
    """The items for which there are texts, with what is offered on them; the best source is held to the aim."""
    found = {}
    sources = [name for name, one in offered(items).items() if one["offered"] or name == NONE]
    for source in sources:
        for advance in (False, True):
            cost = effort("suggest", [(one.gold, one.offers[source]) for one in items], advance=advance)
            found[f"hotpotqa, suggest, {source}{', advance' if advance else ''}"] = cost
    for source in set(sources) - {NONE, OWN}:
        both = [(one.gold, laid_over(one.offers[source], one.offers[OWN])) for one in items]
        found[f"hotpotqa, suggest, {source} + own"] = effort("suggest", both)
    best = min(found, key=lambda name: found[name].each)
    rows = [row(name, cost, BEST_AIM if name == best else PREDECESSOR) for name, cost in found.items()]
    return sorted(rows, key=lambda one: one.ours)


def surest(items: Sequence[Item]) -> str:
    """The judge that is right on most steps."""
    right = {name: one["offered"] * one["right"] for name, one in offered(items).items() if name not in NO_JUDGES}
    return max(right, key=lambda name: right[name])


def laid_over(offers: Offers, own: Offers) -> Offers:
    """One's own word counts before a machine's, as on the page."""
    return tuple(other if mine is None else mine for other, mine in zip(offers, own, strict=True))


def effort(policy: str, items: Iterable[tuple[Gold, Offers]], *, advance: bool = False) -> Effort:
    steps = presses = corrections = mislabelled = 0
    exact = True
    for gold, offers in items:
        desk = Desk(policy, offers, advance)
        done = planned(desk, gold)
        *_, end = desk.replay(done.keys)
        steps += len(gold)
        presses += done.presses
        corrections += done.corrections
        mislabelled += sum(
            cell is None or cell.value != value for cell, value in zip(desk.filled(end), gold, strict=True)
        )
        exact &= done.exact
    return Effort(steps, presses, corrections, mislabelled, exact)


@cache
def planned(desk: Desk, gold: Gold) -> Plan:
    return plan(desk, gold)


def row(what: str, cost: Effort, aim: float) -> common.Row:
    ratio, most = cost.each / PREDECESSOR, aim / PREDECESSOR
    note = f"{cost.corrections / cost.steps:.3f} corrections a step, {cost.mislabelled} mislabelled"
    if not cost.exact:
        note += ", a bound from above"
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
