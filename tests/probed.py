"""Rollouts of which the truth is known, for tests of probes, and judges that are functions of what they are shown."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from annotations.formats.agentprocessbench import AgentProcessBench
from annotations.records import Labelled, TrajectoryRecord
from models_service.judges.probes.base import Pair, Spot
from models_service.judges.probes.measured import Answered, Said
from tests.rollouts import agent, rollout

DATA = Path(__file__).parents[2] / "shared" / "data"
HOTPOT = DATA / "agentprocessbench" / "trajectories" / "hotpotqa_q00-29.jsonl.gz"

Judge = Callable[[TrajectoryRecord], dict[Spot, int]]
FOUND = "The Argand lamp was made by Aimé Argand in 1780 and gave ten candles of light, says the record."
NOTHING = "Quinquet sold lamps of tin in Lyon for many years, as the registers of the town have it in full."


RIGHT = "It was Aimé Argand, in 1780: 2 + 3 = 5.\n<answer>Argand</answer>"
WRONG = "It was Quinquet.\n<answer>Quinquet</answer>"


def known(name: str = "t", task: str = "lamp", last: int = 1, final: int = 1, place: str = "Geneva") -> Labelled:
    """A rollout that searches twice and answers from what it found."""
    return rollout(
        agent(1, "I look for the lamp.", f'{{"query": "lamp of {place}", "top": 3}}', FOUND),
        agent(2, "", f'{{"query": "maker from {place}"}}', NOTHING),
        agent(3, RIGHT if last == 1 else WRONG),
        grades=[1, 1, last],
        asked="Who made the lamp that Goethe praised in Weimar?",
        name=name,
        task={"external_id": task},
        record={"outcome": {"answer": "Argand" if last == 1 else "Quinquet"}, "rollout": 0 if last == 1 else 1},
        final=final,
    )


def hotpot() -> list[Labelled]:
    """The shared rollouts of AgentProcessBench with people's labels."""
    read = AgentProcessBench()
    found = []
    for line in gzip.decompress(HOTPOT.read_bytes()).decode().splitlines():
        record = read.record(json.loads(line))
        place = {step.source_index: at for at, step in enumerate(record.steps)}
        assert record.rating
        grades = {place[index]: value for index, value in record.rating.steps.items()}
        found.append(Labelled(record, grades, record.rating.final, by="people"))
    return found


def put(pairs: Sequence[Pair], judge: Judge) -> list[Answered]:
    """What a judge of single trajectories says of the pairs."""
    return [Answered(one, Said(judge(one.control[0])), Said(judge(one.changed[0]))) for one in pairs]


def prefer(pairs: Sequence[Pair], better: Callable[[TrajectoryRecord, TrajectoryRecord], int]) -> list[Answered]:
    """What a judge of two says of the pairs."""
    return [
        Answered(one, Said({"whole": better(*one.control)}), Said({"whole": better(*one.changed)})) for one in pairs
    ]
