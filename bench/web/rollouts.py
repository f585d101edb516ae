"""Rollouts of any size, in the OpenAI chat format, imported and leased to somebody."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import common

if TYPE_CHECKING:
    from annotations.models import Annotation, User

NEEDLE = "zymurgy"  # stands in the last observation and nowhere else
WORDS = tuple(f"w{number}" for number in range(500))
LINE = "line {}: lorem ipsum dolor sit amet, consectetur <b>adipiscing</b> elit\n"


@dataclass(frozen=True)
class Rollout:
    """`steps` of the agent with texts of some hundred words; `each` characters in the message and in the observation
    of every step instead, or `one` in those of the third."""

    name: str
    steps: int
    each: int = 0
    one: int = 0

    def messages(self) -> Iterator[dict[str, Any]]:
        rng = random.Random(self.name)
        yield {"role": "system", "content": "You are an agent."}
        yield {"role": "user", "content": "Do the long thing."}
        for place in range(self.steps):
            last = place == self.steps - 1
            length = self.one if self.one and place == 2 else self.each
            said, seen = (_long(length), _long(length)) if length else (_words(rng, 100), _words(rng, 150))
            call = {"name": "search", "arguments": json.dumps({"query": f"thing {place % 50}"})}
            calls = [{"id": f"call-{place}", "type": "function", "function": call}]
            yield {"role": "assistant", "content": f"Step {place}: {said}", "tool_calls": calls}
            yield {"role": "tool", "tool_call_id": f"call-{place}", "content": f"{seen} {NEEDLE if last else ''}"}

    def write(self, path: Path) -> None:
        with path.open("w") as out:
            out.write('{"messages":[')
            for place, message in enumerate(self.messages()):
                out.write("," * bool(place) + json.dumps(message))
            out.write("]}\n")

    def leased(self, person: User) -> Annotation:
        """Imported into a project of its own, and begun by that person."""
        from annotations.models import Membership, Role
        from annotations.services import imports, queue

        project = common.project(self.slug)
        Membership.objects.create(project=project, user=person, role=Role.ANNOTATOR)
        path = Path(os.environ.get("TMPDIR", "/tmp")) / f"stepmark-bench-{os.getpid()}-{self.slug}.jsonl"
        try:
            self.write(path)
            result = imports.import_trajectories(project, [path])
        finally:
            path.unlink(missing_ok=True)
        assert result["created"] == 1 and result["steps"] == self.steps, result
        annotation = queue.lease_next(project, person)
        assert annotation
        return annotation

    @property
    def slug(self) -> str:
        return self.name.replace(" ", "-").replace(",", "").lower()


def _words(rng: random.Random, count: int) -> str:
    return " ".join(rng.choices(WORDS, k=count))


def _long(length: int) -> str:
    return "".join(map(LINE.format, range(length // len(LINE) + 1)))[:length]
