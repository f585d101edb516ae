"""`judges write`: a judge writes the lists of tasks, which wait for a person in the browser or at the API."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotations import jobs
from annotations.models import Judge, Project, Run, Task
from annotations.services import rubric_writing
from annotations.services.rubric_writing import ITEMS, MOST_ITEMS, MOST_ROLLOUTS, Estimate


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("project")
    parser.add_argument("judge", help="Its name, for the newest version, or name@version.")
    parser.add_argument("field", help="The checklist whose items are a task's own.")
    parser.add_argument("--task", action="append", help="Of this task, by its external id; may be said several times.")
    parser.add_argument("--limit", type=int, help="Only so many tasks.")
    parser.add_argument("--items", type=int, default=ITEMS, help=f"Of a list at most so many, up to {MOST_ITEMS}.")
    parser.add_argument("--attempts", type=int, default=0, help=f"Rollouts that it is shown, up to {MOST_ROLLOUTS}.")
    parser.add_argument("--reference", action="store_true", help="Show it the task's reference, and outcomes.")
    parser.add_argument("--prompt", type=Path, help="A file with what it is told, in place of ours.")
    parser.add_argument("--yes", action="store_true", help="Do not ask.")
    parser.add_argument("--wait", action="store_true", help="Return once it is over.")


def write(
    command: BaseCommand,
    judge: Judge,
    *,
    field: str,
    task: Sequence[str] | None,
    limit: int | None,
    items: int,
    attempts: int,
    reference: bool,
    prompt: Path | None,
    yes: bool,
    wait: bool,
    **_: Any,
) -> None:
    """JudgeRefused where it cannot be begun."""
    config = rubric_writing.configured(
        judge,
        field,
        tasks=None if task is None else _tasks(judge.project, task),
        limit=limit,
        most=items,
        rollouts=attempts,
        reference=reference,
        prompt=_text(prompt),
    )
    command.stdout.write("\n".join(_words(rubric_writing.estimate(judge, config))))
    if not yes and input("Let it write? [y/N] ").strip().lower() not in ("y", "yes"):
        return
    run = rubric_writing.start(judge, None, config)
    command.stdout.write(f"Run {run.pk}.")
    if wait:
        _told(command, jobs.wait(run))


def _told(command: BaseCommand, run: Run) -> None:
    counts = rubric_writing.counted(run)
    command.stdout.write(
        f"{run.get_state_display()}: {counts['written']} written, {counts['waiting']} wait for a word, "
        f"{counts['failed']} not written."
    )
    for row in rubric_writing.of_run(run).filter(rubric=None)[:20]:
        command.stdout.write(f"  {row.task.external_id}: {row.failed}")
    if run.state != Run.State.DONE:
        raise CommandError(run.error or f"The run is {run.state}.")


def _tasks(project: Project, named: Sequence[str]) -> list[int]:
    found = dict(Task.objects.filter(project=project, external_id__in=named).values_list("external_id", "pk"))
    if missing := [name for name in named if name not in found]:
        raise CommandError(f"The project has no task {', '.join(missing)}.")
    return list(found.values())


def _text(prompt: Path | None) -> str:
    try:
        return prompt.read_text(encoding="utf-8") if prompt else ""
    except (OSError, UnicodeDecodeError) as no:
        raise CommandError(f"prompt: {prompt} cannot be read: {no}.") from no


def _words(estimate: Estimate) -> list[str]:
    cost = f"about {estimate.cost.amount:.2f} {estimate.cost.currency}" if estimate.cost else "not known"
    return [
        f"{estimate.tasks} tasks, a question each: {estimate.prompt_tokens} tokens in, "
        f"{estimate.completion_tokens} out at most.",
        f"Cost: {cost}." + ("" if estimate.is_held else " The project's budget does not hold it."),
    ]
