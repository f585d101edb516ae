"""Eight people and a hundred who label at once, and what becomes of their labels when the server is killed meanwhile.

Each has a connection of their own to the gunicorn that `up` starts, takes items from one queue, labels them step by
step at the pace of quick people, hands them in and takes the next. After each label they ask for a bare write, so that
both are measured under the same load. The last hundred are in a hurry and on bad lines, which break now and then before
the answer is there; meanwhile workers are killed one by one, and then, twice, the whole server. What was not answered
they send again as it was, as the label page does. At the end all that was confirmed must be in the database, once and
in order.
Run: DATABASE_URL=… python -m bench crowd
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from bench import common
from bench.labels import LIMIT
from bench.web.annotator import Annotator
from bench.web.ledger import Ledger, audit
from bench.web.server import SETTINGS, Browser, Server

if TYPE_CHECKING:
    from annotations.models import Project

TRAJECTORIES = 1_000
CROWDS = {8: (0.5, 45.0), 100: (1.0, 45.0)}  # people → seconds of thought before each request, and of all of it
HURRY = 0.5  # s of thought while the server is killed: it is always at work then, so that each kill interrupts some
HANG_UP = 0.1  # of their changes: the line breaks before the answer is there
SETTLED = 8.0  # s after which all have come in, and have an item before them
KILLED_WORKERS, KILLED_SERVERS = 4, 2
BETWEEN = 2.0  # s from one kill to the next


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    common.django_up()
    from app.stack.supervisor import WEB_THREADS, WEB_WORKERS

    project = common.project("crowd", TRAJECTORIES)
    server = Server(workers=WEB_WORKERS, threads=WEB_THREADS, keep_alive=2)
    server.start()
    rows: list[common.Row] = []
    ledgers: dict[str, Ledger] = {}
    try:
        for people, (pause, seconds) in CROWDS.items():
            crowd = gathered(project, server.port, people, pause, f"/bare/write/{project.pk}/")
            began = time.time()
            at_work(crowd, partial(time.sleep, seconds))
            ledgers[f"{people:,} annotators"] = audit(crowd)
            rows += times(crowd, began + SETTLED)
        hurried = gathered(project, server.port, max(CROWDS), HURRY, hang_up=HANG_UP)
        at_work(hurried, lambda: havoc(server))
        ledgers[f"{len(hurried)} annotators, server killed"] = audit(hurried)
    finally:
        server.stop()
    rows += kept(ledgers)
    common.write("crowd", rows, ledgers={name: asdict(one) for name, one in ledgers.items()})


def gathered(
    project: Project, port: int, people: int, pause: float, bare: str = "", hang_up: float = 0.0
) -> list[Annotator]:
    """New annotators of that project, each signed in."""
    from annotations.models import Membership, Role, User

    found = []
    over = threading.Event()
    for number in range(people):
        user = User.objects.create_user(f"crowd-{people}-{pause}-{number}")
        Membership.objects.create(project=project, user=user, role=Role.ANNOTATOR)
        browser = Browser(port, user.username)
        found.append(Annotator(browser, project.slug, pause, over, bare, seed=number, hang_up=hang_up))
    return found


def at_work(crowd: list[Annotator], meanwhile: Callable[[], None]) -> None:
    """All of them at once until that is over, and until each has the answer to what they said last."""
    with ThreadPoolExecutor(len(crowd)) as threads:
        working = [threads.submit(one.work) for one in crowd]
        meanwhile()
        crowd[0].until.set()
    for one in working:
        one.result()


def havoc(server: Server) -> None:
    time.sleep(SETTLED)
    for _ in range(KILLED_WORKERS):
        time.sleep(BETWEEN)
        server.kill_worker()
    for _ in range(KILLED_SERVERS):
        time.sleep(BETWEEN)
        server.kill()
        server.start()
    time.sleep(BETWEEN)


def times(crowd: list[Annotator], since: float) -> Iterator[common.Row]:
    """How long labels and bare writes took, of those that were sent once all had come in."""
    labels = [said.took for one in crowd for said in one.said if said.sent > since]
    bare = [took for one in crowd for sent, took in one.others if sent > since]
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        ours, limit = common.quantile(labels, share), common.quantile(bare, share)
        note = f"{len(labels):,} labels"
        yield common.at_most(f"label save {name}, annotators", len(crowd), ours, limit, LIMIT, 2.0, note=note)


def kept(ledgers: dict[str, Ledger]) -> Iterator[common.Row]:
    for name, one in ledgers.items():
        note = f"{one.said:,} said, {one.sent_again} sent again, {one.cut_off} of them had been stored"
        for what, count in (("lost", one.lost), ("doubled", one.doubled), ("revisions left out", one.gaps)):
            yield common.within(f"{what}, {name}", one.said, count, 0, "none", unit="changes", note=note)
