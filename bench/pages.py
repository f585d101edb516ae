"""What each page weighs on a first visit: all it loads, as it comes over the wire, style sheets and scripts included.

Chromium with an empty cache, on a server with collected static files as the image in the Dockerfile runs it. The pages
are those of the sample project with its labels, scores and agreement, so the texts of its short trajectories are
counted too; a page that keeps the limit with them keeps it without. KaTeX comes when somebody first asks for formulas
to be drawn: that page is weighed apart.
Run: DATABASE_URL=… python -m bench pages
"""

from __future__ import annotations

import json
import os
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import common
from bench.web.server import SETTINGS, serving

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

    from annotations.models import Annotation, Project, User

LIMIT, LIMIT_IS = 150_000, "a page is under 150 kB compressed without trajectory text"
LABEL, DRAWN = "label", "label, formulas drawn"
FORMULA = r"It is $\int_0^1 x^2\,\mathrm{d}x = \frac{1}{3}$, so $$\mathbf{A} \in \mathbb{R}^{n \times n}.$$"

Weight = dict[str, int]  # address of what was loaded → bytes, its headers included


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        where = {"STATIC_ROOT": f"{folder}/static", "MEDIA_ROOT": f"{folder}/files", "STATIC_COLLECTED": "1"}
        os.environ |= {**where, "DJANGO_SETTINGS_MODULE": SETTINGS}
        common.django_up()
        from django.core.management import call_command

        call_command("collectstatic", interactive=False, verbosity=0)
        project, lead, annotator = filled()
        with serving(workers=2, threads=8) as port:
            weights = weighed(port, annotator, of_annotator(project, annotator)) | weighed(port, lead, of_lead(project))
            weights |= weighed(port, None, {"sign in": "/accounts/login/"})
    totals = {name: sum(weight.values()) for name, weight in weights.items()}
    heaviest = max(totals.keys() - {DRAWN}, key=lambda name: totals[name])
    rows = [row(LABEL, totals[LABEL]), row(DRAWN, totals[DRAWN], note=katex(weights[DRAWN]))]
    rows.append(row(f"the heaviest: {heaviest}", totals[heaviest], note=f"of {len(totals) - 1} pages as they open"))
    common.write("pages", rows, bytes=dict(sorted(totals.items(), key=lambda one: -one[1])), label=weights[LABEL])


def katex(weight: Weight) -> str:
    return f"{sum(size for name, size in weight.items() if 'katex' in name):,} of it KaTeX, which is then cached"


def row(what: str, size: int, **more: Any) -> common.Row:
    return common.within(f"page {what}", 0, size, LIMIT, LIMIT_IS, unit="bytes", **more)


def weighed(port: int, user: User | None, addresses: dict[str, str]) -> dict[str, Weight]:
    from bench.web.chromium import chromium, signed_in

    found = {}
    with chromium() as browser:
        for name, at in addresses.items():
            with signed_in(browser, port, user) as context:
                found[name] = weight(context, at, drawn=name == DRAWN)
    return found


def weight(context: BrowserContext, at: str, drawn: bool = False) -> Weight:
    """What the browser fetches for that page until it has nothing more to fetch, formulas drawn or as they are."""
    page = context.new_page()
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    urls: dict[str, str] = {}
    found: Weight = {}
    network.on("Network.responseReceived", lambda event: urls.update({event["requestId"]: event["response"]["url"]}))
    network.on("Network.loadingFinished", lambda event: _add(found, urls, event))
    answer = page.goto(at, wait_until="networkidle")
    assert answer and answer.ok and answer.request.redirected_from is None, (at, answer and answer.status)
    if drawn:
        page.keyboard.press("m")  # everything as it can be drawn
        page.wait_for_selector(".maths .katex")
        page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    return found


def _add(found: Weight, urls: dict[str, str], event: dict[str, Any]) -> None:
    name = urls[event["requestId"]].partition("//")[2].partition("/")[2].partition("?")[0]
    found[name] = found.get(name, 0) + round(event["encodedDataLength"])


def filled() -> tuple[Project, User, User]:
    """The sample project with its runs done and a question asked; who leads it, and who labels."""
    from annotations import jobs
    from annotations.demo import load
    from annotations.demo.people import PEOPLE
    from annotations.models import Run, Thread, User
    from annotations.services import asking

    project = load.load()
    lead, annotator = User.objects.get(username=load.LEAD), User.objects.get(username=next(iter(PEOPLE)))
    jobs.start(Run.Kind.EXPORT, project, lead, format="apb")
    for run in Run.objects.filter(project=project, state=Run.State.QUEUED):
        done = jobs.run_here(run)
        assert done.state == Run.State.DONE, (done.kind, done.error)
    where = begun(project, annotator)
    for text in ("Is it?", "Does it count?", "Look at this."):
        asking.begin(where.pk, annotator, kind=Thread.Kind.ASK, step=None, text=text, key=uuid.uuid4())
    return project, lead, annotator


def begun(project: Project, annotator: User) -> Annotation:
    from annotations.services import queue

    found = queue.lease_next(project, annotator)
    assert found
    return found


def with_maths(annotator: User) -> Annotation:
    """A trajectory with a formula, begun."""
    from annotations.models import Membership, Role
    from annotations.services import imports

    project = common.project("maths")
    Membership.objects.create(project=project, user=annotator, role=Role.ANNOTATOR)
    said = [{"role": "user", "content": "Solve it."}, {"role": "assistant", "content": FORMULA}]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "maths.jsonl")
        path.write_text(json.dumps({"messages": said}) + "\n")
        imports.import_trajectories(project, [path])
    return begun(project, annotator)


def of_annotator(project: Project, annotator: User) -> dict[str, str]:
    maths = with_maths(annotator)
    return {
        LABEL: f"/p/{project.slug}/label/{begun(project, annotator).pk}/",
        DRAWN: f"/p/maths/label/{maths.pk}/",
        "home": "/",
        "help": "/help/",
        "preferences": "/preferences/",
        "tokens": "/tokens/",
        "project, for an annotator": f"/p/{project.slug}/",
        "thread": f"/p/{project.slug}/questions/{project.threads.order_by('pk')[0].pk}/",
    }


def of_lead(project: Project) -> dict[str, str]:
    from annotations.models import Run

    home = f"/p/{project.slug}/"
    one = project.trajectories.order_by("pk")[0]
    siblings = project.trajectories.filter(task=one.task).values_list("pk", flat=True)[:4]
    plain = ("settings", "guidelines", "members", "trajectories", "questions", "import", "runs", "scores", "pace")
    pages = {name: f"{home}{name}/" for name in (*plain, "agreement", "exports")}
    runs = Run.objects.filter(project=project).order_by("kind", "-pk").distinct("kind")
    return pages | {
        "project": home,
        "new project": "/projects/new/",
        "guidelines, one version": f"{home}guidelines/1/",
        "trajectory": f"{home}trajectories/{one.pk}/",
        "trajectory, history": f"{home}trajectories/{one.pk}/history/",
        "trajectory, on paper": f"{home}trajectories/{one.pk}/print/",
        "compare": f"{home}compare/?ids={','.join(map(str, siblings))}",
        "report": f"{home}agreement/{project.reports.order_by('-pk')[0].pk}/",
        **{f"run, {run.kind}": f"{home}runs/{run.pk}/" for run in runs},
    }
