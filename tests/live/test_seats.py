"""Eight people at once on a queue that is too small for them, over real HTTP, with leases that run out meanwhile."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.live.people import Annotator
from tests.live.stacks import Stack

pytestmark = pytest.mark.live

RUNS = 50
PEOPLE = 8

PREPARE = f"""
from tests import make
people = [make.user(f"seat-{{number}}") for number in range({PEOPLE})]
for run in range({RUNS}):
    project = make.project(*people, slug=f"seats-{{run}}", overlap=1 + run % 3)
    for _ in range(3):
        make.trajectory(project, steps=1)
answer = [person.username for person in people]
"""

# Leases run out at random while people work, as when somebody goes for lunch.
EXPIRE = """
import pathlib, time
from django.utils import timezone
from annotations.models import Annotation
answer, end = 0, time.monotonic() + 20
while time.monotonic() < end and not pathlib.Path({flag!r}).exists():
    held = Annotation.objects.filter(lease_until__isnull=False, rater__project__slug__startswith="seats-")
    picked = list(held.order_by("?").values_list("pk", flat=True)[:2])
    # No join in the update: a row that was handed in a moment ago must not be given a lease again.
    still = Annotation.objects.filter(pk__in=picked, lease_until__isnull=False)
    answer += still.update(lease_until=timezone.now())
    time.sleep(0.1)
"""

CHECK = """
from django.db.models import Count, F, Max, Q
from annotations.models import Annotation, Trajectory
held = Q(annotations__seat__isnull=False)
trajectories = Trajectory.objects.filter(project__slug__startswith="seats-")
counted = trajectories.annotate(
    held=Count("annotations", held),
    handed_in=Count("annotations", Q(annotations__state="submitted")),
    highest=Max("annotations__seat"),
    people=Count("annotations__rater", held, distinct=True),
)
mine = Annotation.objects.filter(trajectory__in=trajectories)
answer = {
    "trajectories": trajectories.count(),
    "too many held": counted.filter(held__gt=F("project__overlap")).count(),
    "too many handed in": counted.filter(handed_in__gt=F("project__overlap")).count(),
    "a seat that is not there": counted.filter(highest__gte=F("project__overlap")).count(),
    "one person on two seats": counted.exclude(held=F("people")).count(),
    "handed in without a seat": mine.filter(state="submitted", seat__isnull=True).count(),
    "handed in and on a lease": mine.filter(state="submitted", lease_until__isnull=False).count(),
    "skipped on a seat": mine.filter(state="skipped", seat__isnull=False).count(),
    "handed in without its labels": mine.filter(state="submitted").annotate(
        said=Count("labels", Q(labels__superseded_at__isnull=True))).exclude(said=2).count(),
    "handed in": mine.filter(state="submitted").count(),
    "skipped": mine.filter(state="skipped").count(),
}
"""


def let_leases_run_out(stack: Stack, flag: Path) -> int:
    """Until the flag is there; how many ran out."""
    expired = 0
    while not flag.exists():
        expired += stack.shell(EXPIRE.format(flag=str(flag)))
    return expired


def work_through(person: Annotator, slug: str, dice: random.Random) -> None:
    """Take what the queue gives until nothing is left: mostly hand it in, sometimes skip it."""
    for _ in range(12):
        page = person.next(slug)
        if page is None:
            return
        if dice.random() < 0.2:
            skipped = person.post(f"{page}skip", reason="Not for me.")
            assert skipped.status == 200, skipped
            continue
        revision = person.state(page)["revision"]
        saved = person.say(page, revision, (1, "label", dice.choice([1, 0, -1])), (None, "final", 1))
        assert saved.status == 200, saved
        handed_in = person.submit(page, saved.body["revision"])
        assert handed_in.status == 200 or handed_in.body["error"] == "no_seat", handed_in


def test_seats_are_never_exceeded_by_eight_people_at_once_in_fifty_runs(stack: Stack, tmp_path: Path):
    people = [Annotator(stack.url, name) for name in stack.shell(PREPARE)]
    flag = tmp_path / "enough"
    with ThreadPoolExecutor(PEOPLE + 1) as pool:
        expired = pool.submit(let_leases_run_out, stack, flag)
        try:
            for run in range(RUNS):
                dice = [random.Random(run * PEOPLE + number) for number in range(PEOPLE)]
                list(pool.map(work_through, people, [f"seats-{run}"] * PEOPLE, dice))
        finally:
            flag.touch()
        assert expired.result() > 0

    found = stack.shell(CHECK)
    assert found.pop("trajectories") == RUNS * 3
    assert found.pop("handed in") > RUNS * 3
    assert found.pop("skipped") > 0
    assert not any(found.values()), found
