"""Take trajectories away as pages that open without Stepmark, from the command line."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations import http
from annotations.management import asking
from annotations.models import Project, Rater, Trajectory
from annotations.views.standalone import Site

SHOWN = 10
LABELS = "none, all, or mine:<rater> for those of one"


class Command(BaseCommand):
    help = "Write trajectories as a read-only site that opens from a folder: an index, and a page each."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="PROJECT")
        parser.add_argument("names", nargs="*", metavar="TRAJECTORY", help="its id; without any, all of the project")
        parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="a folder that is new or empty")
        parser.add_argument("--labels", default="all", metavar="WHOSE", help=f"{LABELS}; all is the default")
        parser.add_argument("--zip", action="store_true", help="write DIR.zip instead of a folder")
        asking.json_option(parser)

    def handle(self, *, slug: str, names: list[str], out: Path, labels: str, **options: Any) -> None:
        project = asking.project(slug)
        site = Site(project, _trajectories(project, names), _raters(project, labels))
        target = _target(out, zipped=options["zip"])
        try:
            _zip(site, target) if options["zip"] else _write(site, target)
        except OSError as exc:
            raise CommandError(f"{target} cannot be written: {exc}") from exc
        cut = {name: {"texts": one.texts, "from": one.stopped_at} for name, one in site.cut.items() if one}
        result = {"out": str(target), "trajectories": len(site.trajectories), "cut": cut}
        asking.answer(self, result, _lines(result), as_json=options["json"])


def _trajectories(project: Project, names: Sequence[str]) -> list[Trajectory]:
    """Those of these ids, in the order they came in; the newest version of each."""
    live = Trajectory.objects.live().filter(project=project).select_related("task").order_by("pk")
    found = list(live.filter(external_id__in=names) if names else live)
    missing = sorted(set(names) - {one.external_id for one in found})
    if missing or not found:
        there = list(live.values_list("external_id", flat=True)[: SHOWN + 1])
        more = " …" if len(there) > SHOWN else ""
        said = f"There is no trajectory {missing[0]!r} in {project.slug}." if missing else f"{project.slug} is empty."
        raise CommandError(f"{said} There are: {', '.join(there[:SHOWN]) or 'none'}{more}")
    return found


def _raters(project: Project, labels: str) -> Collection[int] | None:
    """The raters whose labels come along; None for all of them, and scores."""
    if labels in ("none", "all"):
        return None if labels == "all" else ()
    whose, _, name = labels.partition(":")
    if whose != "mine" or not name:
        raise CommandError(f"--labels is {labels!r}; accepted are {LABELS}.")
    found = list(Rater.objects.filter(project=project, name=name).values_list("pk", flat=True))
    if not found:
        there = ", ".join(Rater.objects.filter(project=project).order_by("name").values_list("name", flat=True)[:SHOWN])
        raise CommandError(f"There is no rater {name!r} in {project.slug}. There are: {there or 'none yet'}.")
    return found


def _target(out: Path, *, zipped: bool) -> Path:
    if zipped:
        target = out if out.suffix == ".zip" else out.with_name(f"{out.name}.zip")
        if target.exists():
            raise CommandError(f"{target} is there already; name a file that is new.")
        return target
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CommandError(f"{out} is {'not empty' if out.is_dir() else 'a file'}; name a folder that is new or empty.")
    return out


def _write(site: Site, folder: Path) -> None:
    for name, content in site.files():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with content, path.open("wb") as file:
            shutil.copyfileobj(content, file)


def _zip(site: Site, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.writelines(http.zipped(site.files()))


def _lines(result: dict[str, Any]) -> list[str]:
    start = "" if result["out"].endswith(".zip") else f"; open {Path(result['out']) / 'index.html'}"
    count = result["trajectories"]
    lines = [f"{count} {'trajectory' if count == 1 else 'trajectories'} in {result['out']}{start}"]
    for name, cut in list(result["cut"].items())[:SHOWN]:
        left = [f"all from #{cut['from']} on"] if cut["from"] is not None else []
        left += [f"the end of {cut['texts']} texts"] if cut["texts"] else []
        lines.append(f"  {name} leaves out {' and '.join(left)}")
    more = len(result["cut"]) - SHOWN
    return (
        [*lines, f"  … and {more} more pages that leave something out (--json lists them all)"] if more > 0 else lines
    )
