"""Labelled trajectories: what one rater says, or several by a rule, with what was left out on the way and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from django.db.models import Exists, OuterRef, QuerySet

from annotations.models import Annotation, Project, Rater, Run, SchemeVersion, Score, Trajectory
from annotations.records import AnswerRecord, Labelled, PassRecord, RatingRecord, SchemeRecord
from annotations.schemes.fields.text import CorrectionField, TextField
from annotations.schemes.rules import Place
from annotations.services import agreement, board, calibrated, export_whole, projects, task_answers, trees, views
from annotations.services.export_as import As
from annotations.services.export_asked import Asked, ExportRefused
from annotations.services.export_consensus import Word, agreed, differ
from annotations.services.export_grades import Grading
from annotations.services.export_preferred import Standings, standings
from annotations.services.export_whole import Read
from annotations.services.judge_probes_gate import barred

SCORED = 5_000  # scores that are read at a time


@dataclass(frozen=True)
class Entry:
    """A labelled trajectory and the ids of its row and its task's."""

    trajectory: int
    task: int
    labelled: Labelled


class Labelling:
    """The trajectories that an export is asked for, labelled. `left_out` says how many were not, and why; it is whole
    once the stream is read. `way` goes to the scheme that was asked for."""

    def __init__(self, project: Project, asked: Asked, raters: Sequence[Rater], way: As | None = None) -> None:
        self.project, self.asked, self.raters, self.way = project, asked, raters, way
        self.rule = "any-wrong" if asked.rule == "one" and len(raters) > 1 else asked.rule
        self.words = (way.scheme if way else projects.scheme_of(project.scheme)).name
        self.of_tasks = task_answers.only(projects.scheme_of(project.scheme))
        self.run = scoring_run(project, asked.scores)
        self.left_out: Counter[str] = Counter()
        self._gradings: dict[str, Grading] = {}
        self._versions: dict[str, SchemeVersion] = {}

    def trajectories(self, *, labelled: bool = True) -> QuerySet[Trajectory]:
        """Those that may go out by what is known without reading labels: of these sources and models, with a pass of
        the raters where one is needed."""
        found = self._of_source_and_model(export_whole.trajectories(self.project))
        if not (labelled and self.asked.least_raters):
            return found
        passes = Annotation.objects.live().for_labels().filter(rater__in=self.raters, state__in=self.asked.states)
        if self.of_tasks:  # whoever says something of a task says it of all its rollouts
            live = passes.filter(trajectory__superseded_at__isnull=True)
            return found.filter(Exists(live.filter(trajectory__task=OuterRef("task"))))
        return found.filter(Exists(passes.filter(trajectory=OuterRef("pk"))))

    def _of_source_and_model(self, found: QuerySet[Trajectory]) -> QuerySet[Trajectory]:
        asked = self.asked
        found = found.filter(pk__in=views.shown(self.project, asked.view)) if asked.view else found
        found = found.filter(task__source__in=asked.sources) if asked.sources else found
        return found.filter(policy_model__in=asked.models) if asked.models else found

    def count(self, *, labelled: bool = True) -> int:
        """How many these are. Counts those that are not as left out."""
        every = export_whole.trajectories(self.project).count()
        of_these = self.trajectories(labelled=False).count()
        found = self.trajectories(labelled=labelled).count()
        self.left_out["another source or policy model"] = every - of_these
        self.left_out["nobody's word that counts"] = of_these - found
        return found

    def groups(self, entries: Iterator[Entry], *, together: bool) -> Iterator[list[Labelled]]:
        """The rollouts of each task together, or each alone."""
        if not together:
            yield from ([one.labelled] for one in entries)
            return
        for _, group in groupby(entries, key=lambda one: one.task):
            yield [one.labelled for one in group]

    def stream(self, *, bodies: bool = True) -> Generator[Entry, None, None]:
        """In the order of tasks and rollouts. Needs a transaction, and to be closed within it."""
        found = export_whole.read(self.project, self.raters, self.trajectories(), self.asked.states, bodies=bodies)
        with closing(found), closing(self._scored()) as scored:
            ahead = next(scored, None)
            for one in found:
                here = (one.task, one.record.rollout or 0)
                while ahead and ahead[0] < here:
                    ahead = next(scored, None)
                said = ahead[1] if ahead and ahead[0] == here else {}
                scores = {place: said[step] for place, step in enumerate(one.steps) if step in said}
                if labelled := self._labelled(one, scores):
                    yield Entry(one.trajectory, one.task, labelled)

    @cached_property
    def _standings(self) -> Standings:
        return standings(self.project, self.raters, self.asked.states)

    def _labelled(self, one: Read, scores: dict[int, float]) -> Labelled | None:
        words = [self._word(one, said) for said in one.record.passes]
        word = agreed(words, self.rule)
        lowest = min(scores.values(), default=None)
        stands = self._standings.get(one.task, {}).get(one.record.rollout or 0)
        heard = max(len(words), stands.raters if stands and self.of_tasks else 0)
        if why := self._why_not(words, word, lowest, heard):
            self.left_out[why] += 1
            return None
        return Labelled(
            record=replace(one.record, rating=self._rating(one, word) if words else None, schemes=self._schemes(one)),
            grades=word.grades,
            final=word.verdict,
            propagated=word.propagated,
            explanations=word.explanations,
            corrections=word.corrections,
            scores=scores,
            by=word.by,
            preferred=stands.share if stands else None,
        )

    def _schemes(self, one: Read) -> tuple[SchemeRecord, ...]:
        """What the words stand for: the scheme that was asked for, else those of the passes."""
        if self.way:
            scheme = self.way.scheme
            return (SchemeRecord(scheme.name, scheme.version, projects.digest(scheme), scheme.document()),)
        known = [self._version(said.scheme) for said in one.record.passes]
        return tuple(SchemeRecord(v.name, v.version, v.sha256, v.document) for v in dict.fromkeys(known))

    def _version(self, sha256: str) -> SchemeVersion:
        if sha256 not in self._versions:
            self._versions[sha256] = SchemeVersion.objects.get(sha256=sha256)
        return self._versions[sha256]

    def _why_not(self, words: list[Word], word: Word, lowest: float | None, heard: int) -> str:
        asked = self.asked
        if heard < asked.least_raters:
            return "fewer raters"
        if asked.agreed and differ(words):
            return "raters differ"
        if asked.first_error and (-1 in word.grades.values()) != (asked.first_error == "with"):
            return "no wrong step" if asked.first_error == "with" else "a wrong step"
        low, high = asked.score_from, asked.score_to
        if (low, high) == (None, None):
            return ""
        if lowest is None:
            return "no score"
        return "" if (low is None or lowest >= low) and (high is None or lowest <= high) else "score out of range"

    def _rating(self, one: Read, word: Word) -> RatingRecord:
        index = [step.source_index for step in one.record.steps]
        return RatingRecord(
            steps={index[place]: value for place, value in sorted(word.values.items())},
            final=word.final,
            explanations={
                index[place]: text for place, text in sorted(word.explanations.items()) if place in word.values
            },
            final_explanation=word.final_explanation,
            comment=word.comment,
            updated_at=word.updated_at,
            scheme=self.words,
        )

    def _word(self, one: Read, said: PassRecord) -> Word:
        """One rater's pass. Under `way`, only the main field and the verdict go over."""
        grading = self._grading(said.scheme)
        kept = [a for a in said.answers if self.asked.propagated == "kept" or a.origin != "propagated"]
        told: dict[Place, AnswerRecord] = {(a.place, a.field): a for a in kept}
        came = {place: place for place in told}
        answers = {place: a.value for place, a in told.items()}
        filled = {place for place, a in told.items() if a.origin == "propagated"}
        steps = [place for place, step in enumerate(one.record.steps) if step.source == "agent"]
        tree = trees.of_record(one.record.steps)
        after = tree.after if tree else None
        if self.way:
            wanted = {self.way.source.main, self.way.source.final}
            over = {place: value for place, value in answers.items() if place[1] in wanted}
            made = self.way.convert(over, steps, filled & over.keys(), after=after)
            answers, came = dict(made.answers), dict(made.came)
            grading = self._grading("")
        main, whole = grading.scheme.main, grading.verdict.name if grading.verdict else ""
        values = {place: value for (place, name), value in answers.items() if place is not None and name == main}
        final = answers.get((None, whole))
        origin = {place: told[came[place, main]] for place in values}
        return Word(
            by=f"{said.kind}:{said.rater}",
            values=values,
            grades=grading.steps(answers, steps, filled, after),
            final=final,
            verdict=grading.final(final),
            reasons={place: a.explanation for place, a in origin.items() if a.explanation},
            explanations=_explanations(grading, told, {p: a.explanation for p, a in origin.items()}),
            final_explanation=told[came[None, whole]].explanation if final is not None else "",
            corrections=_texts(self._grading(said.scheme), told, CorrectionField),
            propagated=frozenset(place for place, a in origin.items() if a.origin == "propagated"),
            comment=said.comment,
            updated_at=said.submitted_at,
        )

    def _grading(self, scheme: str) -> Grading:
        """Of the frozen scheme with that SHA-256; "" is the one of `way`."""
        if scheme not in self._gradings:
            if scheme:
                self._gradings[scheme] = Grading(board.scheme(self._version(scheme).pk))
            else:
                assert self.way is not None  # asked for only then
                self._gradings[scheme] = Grading(self.way.scheme)
        return self._gradings[scheme]

    def _scored(self) -> Generator[tuple[tuple[int, int], dict[int, float]], None, None]:
        """P(not wrong) by step, of each trajectory for which the run has any, calibrated where it is; in the order
        of the stream, each with its place there."""
        if self.run is None:
            return
        sure = calibrated.probability(calibrated.in_force(self.project.pk, [self.run.pk]))
        known = Score.objects.filter(run=self.run, trajectory__superseded_at__isnull=True)
        known = known.annotate(sure=sure).filter(sure__isnull=False)
        order = ("trajectory__task_id", "trajectory__rollout")
        rows = known.order_by(*order).values_list(*order, "step_id", "sure").iterator(chunk_size=SCORED)
        for place, some in groupby(rows, key=lambda row: row[:2]):
            yield place, {step: float(probability or 0) for *_, step, probability in some}


def _explanations(grading: Grading, told: dict[Place, AnswerRecord], why: dict[int, str]) -> dict[int, str]:
    """Why, by step: what stands beside the label, else what its field of free text says."""
    texts = _texts(grading, told, TextField)
    return {place: text for place in sorted({*texts, *why}) if (text := why.get(place) or texts.get(place, ""))}


def _texts(
    grading: Grading, told: dict[Place, AnswerRecord], kind: type[CorrectionField] | type[TextField]
) -> dict[int, str]:
    """What the first field of that kind says that is asked of whole steps and says something there."""
    found: dict[int, str] = {}
    for spec in grading.scheme.fields:
        if isinstance(spec, kind) and spec.target == "step":
            said = {place: str(a.value) for (place, name), a in told.items() if place is not None and name == spec.name}
            found = {**said, **found}
    return found


def raters_for(project: Project, asked: Asked, *, everyone: bool) -> list[Rater]:
    """Whose word goes out. Raises ExportRefused."""
    every = list(project.raters.order_by("kind", "name"))
    named = ", ".join(f"{rater.kind}:{rater.name}" for rater in every) or "none yet"
    stopped = barred(project, every)
    if not asked.raters and everyone:
        return [rater for rater in every if rater.pk not in stopped]
    if not asked.raters and asked.rule != "one":
        if people := [rater for rater in every if rater.kind == Rater.Kind.HUMAN]:
            return people
        raise ExportRefused(f"no person has labelled anything; name raters with --rater. Its raters: {named}", "raters")
    found = [one for name in asked.raters or (None,) if (one := _rater(project, name))]
    for one in found:
        if one.pk in stopped:
            reason = f"{one.kind}:{one.name} may not be exported: {stopped[one.pk]}. A manager can sign for it."
            raise ExportRefused(reason, "raters")
    if not found:
        raise ExportRefused(f"the project has no reference rater; name one with --rater. Its raters: {named}", "raters")
    if len(found) > 1 and asked.rule == "one" and not everyone:
        rules = ["majority", "unanimous", "any-wrong"]
        raise ExportRefused(
            f"{asked.format} holds one word; of several raters accepted are {', '.join(rules)}", "rule", rules
        )
    return list({one.pk: one for one in found}.values())


def _rater(project: Project, name: str | None) -> Rater | None:
    try:
        return agreement.find(project, name)
    except agreement.AgreementRefused as no:
        raise ExportRefused(str(no), "raters") from no


def scoring_runs(project: Project) -> QuerySet[Run]:
    """Finished scoring runs, newest first."""
    done = Run.objects.scoring().filter(project=project, state=Run.State.DONE)
    return done.defer("result").order_by("-pk")


def scoring_run(project: Project, asked: int | None) -> Run | None:
    """The scoring run of that number, or the newest that is done. Raises ExportRefused."""
    runs = scoring_runs(project)
    found = runs.filter(pk=asked).first() if asked is not None else runs.first()
    if asked is not None and found is None:
        known = [str(pk) for pk in runs.values_list("pk", flat=True)[:20]]
        raise ExportRefused(
            f"no finished scoring run {asked}; accepted are {', '.join(known) or 'none yet'}", "scores", known
        )
    return found
