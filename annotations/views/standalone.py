"""Trajectories as pages that stand alone: an index, a page each, one style sheet, images as files. Read-only.

They open from a folder without a server, ask nobody for anything, and need no JavaScript. The same trajectories with
the same labels make the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import re
import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from django.contrib.staticfiles import finders
from django.template.loader import get_template, render_to_string

from annotations.formats.agentprocessbench import safe
from annotations.models import Membership, Project, Rater, Role, Trajectory, User
from annotations.services import findings, gists, pictures, sight
from annotations.services.dossier import Dossier
from annotations.views import paper, turns

PAGE, INDEX = "standalone/page.html", "standalone/index.html"
SHEETS = ("base", "pages", "reading", "inspect", "paper", "standalone")
LINES = 2_000  # of an outline
STRIPS = 6  # in a row of the index


@dataclass
class Site:
    """The files of a bundle, made as they are taken. `cut` names pages with what they left out, once they are made.

    `raters` are those whose labels are in it, None for everybody and the scores.
    """

    project: Project
    trajectories: Sequence[Trajectory]
    raters: Collection[int] | None = None
    cut: dict[str, paper.Cut] = field(default_factory=dict)
    _written: set[str] = field(default_factory=set)

    def files(self) -> Iterator[tuple[str, IO[bytes]]]:
        """(name, content) of each file; the index comes last, when it is known what was cut."""
        yield "style.css", io.BytesIO(style())
        rows = []
        for trajectory in self.trajectories:
            name = page_name(trajectory)
            file = self.dossier(trajectory)
            images = _Images(file)
            page = "".join(images.outward(piece) for piece in self._page(file, name, images.door))
            yield name, io.BytesIO(page.encode())
            for image, content in images.found.items():
                if image not in self._written:
                    self._written.add(image)
                    yield image, io.BytesIO(content)
            strips = [one.strip for one in file.passes][:STRIPS]
            row = {"name": name, "trajectory": trajectory, "steps": len(file.axis), "cut": self.cut[name]}
            rows.append(row | {"strips": strips})
        names = sorted(Rater.objects.filter(pk__in=self.raters or ()).values_list("name", flat=True))
        said = {"project": self.project, "rows": rows, "raters": names, "all_labels": self.raters is None}
        yield "index.html", io.BytesIO(render_to_string(INDEX, said).encode())

    def dossier(self, trajectory: Trajectory) -> Dossier:
        """What an owner sees of it, narrowed to the chosen raters."""
        nobody = Membership(project=self.project, user=User(pk=0), role=Role.OWNER)
        return Dossier(nobody, trajectory, self.raters)

    def _page(self, file: Dossier, name: str, door: str) -> Iterator[str]:
        trajectory, cut = file.trajectory, self.cut.setdefault(name, paper.Cut())
        told = findings.of(file)
        yield render_to_string(f"{PAGE}#head", head(file, told) | {"project": self.project, "back": True})
        step = get_template("trajectories/_paper_step.html")
        for card in paper.steps(file, cut):
            yield step.render({"card": card, "alone": True, "text_door": door})
        yield render_to_string(f"{PAGE}#foot", {"cut": cut, "trajectory": trajectory})


def head(file: Dossier, told: findings.Findings) -> dict[str, Any]:
    """What a page says before the steps."""
    agent = sight.steps_of(file.membership, file.trajectory).of_agent()
    tally = file.tally(0, file.axis.last + 1)
    lines = [
        {"number": number, "gist": gist, "tally": tally.get(gist.index, [])}
        for number, gist in enumerate(gists.read(agent[:LINES]), start=1)
    ]
    task, outcome = file.trajectory.task, file.trajectory.outcome
    return {
        "alone": True,
        "trajectory": file.trajectory,
        "file": file,
        "findings": told,
        "telling": [one for one in file.passes if one.tells],
        "lines": lines,
        "reference": None if task.reference is None else turns.shown_json(task.reference),
        "outcome": None if outcome is None else turns.shown_json(outcome),
        "text_limit": paper.TEXT,
    }


def page_name(trajectory: Trajectory) -> str:
    return f"{safe(trajectory.external_id) or 'trajectory'}-{trajectory.pk}.html"


def style() -> bytes:
    """The one style sheet: ours, one after another."""
    found = (finders.find(f"css/{name}.css") for name in SHEETS)
    return b"\n".join(Path(str(path)).read_bytes() for path in found)


class _Images:
    """The pictures of a page as files beside it. The page is written with a door that no text in it can name."""

    def __init__(self, file: Dossier) -> None:
        self.file = file
        self.door = f"{secrets.token_hex(8)}/"
        self.found: dict[str, bytes] = {}
        self._address = re.compile(rf'"{self.door}(\d+)/([\w-]+)/image/(\d+)/"')

    def outward(self, html: str) -> str:
        return self._address.sub(self._kept, html)

    def _kept(self, address: re.Match[str]) -> str:
        steps = sight.steps_of(self.file.membership, self.file.trajectory)
        media, data = pictures.bytes_of(steps, int(address[1]), address[2], int(address[3]))
        name = f"images/{hashlib.sha256(data).hexdigest()[:24]}.{media.partition('/')[2] or 'missing'}"
        self.found[name] = data
        return f'"{name}"'
