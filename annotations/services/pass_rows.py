"""What every rater says in a file of Stepmark's own, put into the tables: what fits the project's scheme, and why the
rest does not.

Raters keep their kind and name. A person who labels here with a login speaks for themselves: what a file says in their
name, and they do not, comes in as an imported rater of that name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from annotations.models import Annotation, Label, Project, Rater, Step, Task
from annotations.records import Problem
from annotations.schemes.fields import RubricField
from annotations.schemes.schema import Scheme
from annotations.services import pass_writing, rubrics
from annotations.services.drafts import Draft
from annotations.services.grounds import Ground, Items
from annotations.services.outcomes import NotAccepted
from annotations.services.pass_fit import Saying, fit
from annotations.services.pass_writing import Held, Pass, Slot, Speaker
from annotations.services.rating_rows import Tally


@dataclass(frozen=True)
class Came:
    """A record that came in with what raters say of it, and the trajectory and task it became."""

    draft: Draft
    trajectory: int
    task: int


def store(project: Project, scheme: Scheme, came: Sequence[Came]) -> Tally:
    """Make each rater's pass say what the file says, where it fits. What the file does not speak of is left. Needs a
    transaction and the import lock."""
    tally = Tally()
    trajectories = [one.trajectory for one in came]
    arriving = _Arriving(
        scheme, _held(trajectories), {(one.kind, one.name): one for one in project.raters.all()}, tally
    )
    items, steps = _Rubrics(scheme, came, tally), _steps(trajectories)
    wanted = [said for one in came for said in arriving.passes(one, items.of(one.task), steps[one.trajectory])]
    pass_writing.write(project, wanted, arriving.held, arriving.raters, tally)
    return tally


class _Arriving:
    """What there is when passes arrive: what is said of the trajectories now, and by whom."""

    def __init__(self, scheme: Scheme, held: dict[Slot, Held], raters: dict[Speaker, Rater], tally: Tally) -> None:
        self.scheme, self.held, self.raters, self.tally = scheme, held, raters, tally

    def passes(self, one: Came, items: Mapping[str, Items], steps: Sequence[int]) -> Iterator[Pass]:
        """The passes of one record that are to be written."""
        assert one.draft.whole  # it is what came
        ground = Ground(one.draft.whole.steps, items=items)
        spoken: set[Slot] = set()
        for number, said in enumerate(one.draft.whole.passes):
            found = fit(self.scheme, ground, said, one.draft.whole.numbers)
            for field, reason in found.problems:
                self.tally.problems.append(_problem(one, f"annotations[{number}].{field}", reason))
            if not found.sayings and said.state != Annotation.State.FAILED:
                continue
            made = self._in_a_name(Pass(one.trajectory, (said.kind, said.rater), said, found.sayings, steps))
            if made.slot in spoken:
                kind, name = made.speaker
                reason = f"found a second pass of {kind}:{name}; accepted is one a rater and trajectory"
                self.tally.problems.append(_problem(one, f"annotations[{number}].rater", reason))
                continue
            spoken.add(made.slot)
            yield made

    def _in_a_name(self, made: Pass) -> Pass:
        """The pass as its rater's, or as an imported rater's where a person with a login says otherwise."""
        rater, mine = self.raters.get(made.speaker), self.held.get(made.slot)
        if rater is None or rater.user_id is None or (mine and pass_writing.agrees(mine, made)):
            return made
        return replace(made, speaker=(Rater.Kind.IMPORT.value, rater.name))


def _problem(one: Came, field: str, reason: str) -> Problem:
    return Problem(one.draft.file, one.draft.line, field, reason)


def _steps(trajectories: Sequence[int]) -> dict[int, list[int]]:
    """The ids of each trajectory's steps, in order."""
    found: dict[int, list[int]] = defaultdict(list)
    rows = Step.objects.filter(trajectory__in=trajectories).order_by("trajectory", "index")
    for trajectory, pk in rows.values_list("trajectory_id", "pk"):
        found[trajectory].append(pk)
    return found


def _held(trajectories: Sequence[int]) -> dict[Slot, Held]:
    """What is said of these trajectories now, by whom and where."""
    live = Annotation.objects.live().filter(trajectory__in=trajectories).select_related("rater")
    held = {one.pk: Held(one) for one in live}
    for label in Label.objects.current().filter(annotation__in=held).select_related("cause"):
        saying = Saying(
            label.value,
            label.origin,
            label.cause.step_id if label.cause else None,
            label.explanation,
            label.suggestion,
        )
        held[label.annotation_id].labels[label.step_id, label.field] = label.pk, saying
    return {one.slot: one for one in held.values()}


class _Rubrics:
    """The lists of tasks that came in: a new one is in force at once, a task that has another one keeps it."""

    def __init__(self, scheme: Scheme, came: Sequence[Came], tally: Tally) -> None:
        specs = [spec for spec in scheme.fields if isinstance(spec, RubricField) and spec.items_from != "scheme"]
        self.specs = {spec.name: spec for spec in specs}
        self.tasks = Task.objects.in_bulk({one.task for one in came}) if specs else {}
        self.found: dict[int, dict[str, Items]] = {}
        for one in came:
            for name, field, reason in self._store(one):
                tally.problems.append(_problem(one, f"task.rubrics.{name}{field}", reason))

    def _store(self, one: Came) -> Iterable[tuple[str, str, str]]:
        """Yields what could not be taken: the field, the place in it, and why."""
        assert one.draft.whole
        for name, listed in one.draft.whole.task.rubrics.items():
            if name not in self.specs:
                accepted = ", ".join(self.specs) or "none"
                yield name, "", f"the scheme takes no items of a task for {name!r}; accepted are those of {accepted}"
                continue
            try:
                said = [item.model_dump(mode="json") for item in rubrics.checked(list(listed.items))]
                here = rubrics.in_force(one.task, name)
                if here is None:
                    rubrics.store(self.tasks[one.task], name, said, source="file", by=None, rater=listed.rater)
                elif here.items != said:
                    yield (
                        name,
                        "",
                        "the task has other items here, and they stay; labels are held to them",
                    )
            except NotAccepted as no:
                yield name, f".{no.answer['field']}", str(no)

    def of(self, task: int) -> Mapping[str, Items]:
        """The items that are asked of the task's rollouts now, by field."""
        if task not in self.found and self.specs:
            asked = {name: rubrics.of_task(self.tasks[task], spec) for name, spec in self.specs.items()}
            self.found[task] = {name: items for name, items in asked.items() if items is not None}
        return self.found.get(task, {})
