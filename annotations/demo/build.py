"""Makes the shipped sample: `python -m annotations.demo.build` lets the scripted agent loose and writes what it did.

trajectories.jsonl holds the rollouts in AgentProcessBench's format with the author's labels; labels/<rater>.jsonl what
the sample people and rules say of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from annotations.demo.agent import USUAL, record
from annotations.demo.people import PEOPLE
from annotations.demo.rules import RULES
from annotations.demo.tasks import TASKS

HERE = Path(__file__).parent
WANDERERS = {"first-error", "sensor-mean"}

Row = dict[str, Any]


def rollouts() -> Iterator[tuple[Row, dict[int, str]]]:
    """Every rollout with the word for what happened at each step; habits come in another order for each task."""
    for query, task in enumerate(TASKS):
        habits = USUAL[query % len(USUAL) :] + USUAL[: query % len(USUAL)]
        for sample, habit in enumerate(habits + (("wandering",) if task.name in WANDERERS else ())):
            yield record(task, habit, query, sample)


def files() -> dict[str, list[Row]]:
    """What the sample's files hold, by name."""
    made: dict[str, list[Row]] = {"trajectories.jsonl": []}
    for row, words in rollouts():
        made["trajectories.jsonl"].append(row)
        own = {int(index): label for index, label in row["step_labels"].items()}
        for name, judge in PEOPLE.items():
            turn = row["query_index"] + row["sample_index"]
            labels = {index: judge(words[index], label, turn + index) for index, label in own.items()}
            made.setdefault(f"labels/{name}.jsonl", []).append(_said(name, row, labels, row["final_label"]))
        for name, rule in RULES.items():
            labels = rule(row["messages"])
            made.setdefault(f"labels/{name}.jsonl", []).append(_said(name, row, labels, labels[max(labels)]))
    return made


def _said(name: str, row: Row, labels: dict[int, int], final: int) -> Row:
    return {
        "total_index": row["total_index"],
        "dataset": row["data_source"],
        "record_id": f"{row['data_source']}:{row['query_index']}:{row['sample_index']}",
        "annotator": name,
        "data_source": row["data_source"],
        "query_index": row["query_index"],
        "sample_index": row["sample_index"],
        "step_labels": {str(index): label for index, label in labels.items()},
        "final_label": final,
        "status": "done",
        "comment": "",
    }


def text(rows: list[Row]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)


def write(folder: Path = HERE) -> None:
    for name, rows in files().items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text(rows))


if __name__ == "__main__":
    write()
