"""A reward model that learnt a rule says so of steps it has not seen: through the real loader, the worker's own work,
and the database."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from annotations import jobs
from annotations.models import Run, Score
from annotations.services import imports
from models_service import scorers
from models_service.scorers.families.trl import TRL
from models_service.scorers.measures import auroc
from models_service.scorers.rendering import Text
from tests import make, tiny

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.django_db

PER_ROLLOUT = 4


class Sum(NamedTuple):
    """A step that is right where what it comes to is even, whatever it added."""

    text: str
    right: bool


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    scorers.load.cache_clear()
    yield
    scorers.load.cache_clear()
    torch.set_num_threads(before)


def sums() -> list[Sum]:
    made = [
        Sum(f"{begun}{one} + {other} = {result}", result % 2 == 0)
        for begun in ("", "then ")
        for one in range(10)
        for other in range(10)
        for result in range(10)
    ]
    random.Random(1).shuffle(made)
    return made


def train(folder: Path, rollouts: list[list[Sum]]) -> None:
    """As TRL trains: the loss at the end of the separator after each step."""
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    family = TRL(AutoTokenizer.from_pretrained(folder))
    model = AutoModelForTokenClassification.from_pretrained(folder).train()
    found = [family.render(Text("Add.", said(steps), tuple(range(len(steps))))) for steps in rollouts]
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(one.ids) for one in found], batch_first=True)
    marks = torch.tensor([one.marks for one in found])
    truth = torch.tensor([[int(one.right) for one in steps] for steps in rollouts])
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    torch.manual_seed(1)
    for _ in range(200):
        batch = torch.randint(len(ids), (32,))
        logits = model(input_ids=ids[batch]).logits[torch.arange(32)[:, None], marks[batch]]
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), truth[batch].flatten()).backward()
        optimiser.step()
    model.save_pretrained(folder)


def said(steps: list[Sum]) -> tuple[str, ...]:
    """As the rollouts read once they are imported: what the user says between steps opens the next one."""
    return tuple(f"And?\n\n{one.text}" if place else one.text for place, one in enumerate(steps))


def rollouts(steps: list[Sum]) -> list[list[Sum]]:
    return [steps[at : at + PER_ROLLOUT] for at in range(0, len(steps), PER_ROLLOUT)]


def line(steps: list[Sum], name: str) -> str:
    turns = [{"role": "user", "content": "Add."}]
    for one in steps:
        turns += [{"role": "assistant", "content": one.text}, {"role": "user", "content": "And?"}]
    return json.dumps({"id": name, "messages": turns[:-1]}) + "\n"


def test_it_tells_right_from_wrong_steps_it_has_not_seen(tmp_path: Path, settings: Any) -> None:
    unseen, seen = sums()[:200], sums()[200:1200]
    folder = tiny.classifier(tmp_path / "prm", classifier_dropout=0.0)
    train(folder, rollouts(seen))
    settings.SCORERS = {
        "sums": {
            "title": "Sums",
            "class": "models_service.scorers.engine.Engine",
            "options": {"model": str(folder), "family": "trl", "device": "cpu"},
        }
    }
    project, path = make.project(), tmp_path / "sums.jsonl"
    path.write_text("".join(line(steps, f"sums {number}") for number, steps in enumerate(rollouts(unseen))))
    assert imports.import_trajectories(project, [path])["created"] == len(rollouts(unseen))

    run = jobs.run_here(Run.objects.create(project=project, kind=Run.Kind.SCORE, config={"scorer": "sums"}))

    assert run.state == Run.State.DONE, run.error
    found = list(Score.objects.filter(run=run).values_list("step__message", "value"))
    truth = {one.text: one.right for one in unseen}
    assert len(found) == len(unseen)
    assert auroc(np.array([value for _, value in found]), np.array([truth[text] for text, _ in found])) > 0.9
    assert run.result["provenance"]["models"][0]["sha256"]
