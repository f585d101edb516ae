"""Probing a judge: the pairs are asked like any trajectory, through the same calls, and what it says is measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from annotations.judges.settings import Settings
from annotations.models import Judge
from annotations.records import Json, Labelled, TrajectoryRecord
from annotations.schemes.fields import PreferenceField
from annotations.schemes.fields.base import Around
from annotations.schemes.rules import Place
from annotations.schemes.schema import Scheme
from annotations.services import judge_calls, judge_probes, projects
from annotations.services.export_grades import Grading
from annotations.services.export_labelled import Entry
from annotations.services.grounds import Ground
from annotations.services.runs import Claim
from models_service import judging, probing_report
from models_service.judges import methods
from models_service.judges.asked import Case, Judging, Verdict
from models_service.judges.probes import cases
from models_service.judges.probes.base import WHOLE, Form, Pair, Pool, Spot, Way
from models_service.judges.probes.cases import Cases
from models_service.judges.probes.measured import Answered, Said
from models_service.judging_asking import Asker, Job, job

SILENT = Said(failed="it was not asked")


@dataclass(frozen=True)
class Bench:
    """A judge under probe: how it is asked, and how its answers are read."""

    judge: Judge
    scheme: Scheme
    grading: Grading
    compares: PreferenceField | None

    @property
    def way(self) -> Way:
        return "pairwise" if self.compares else "absolute"


def perform(claim: Claim) -> None:
    """Probe the judge and store the report. What was answered before a worker died is not asked again."""
    config = claim.run.config
    judge = Judge.objects.select_related("server", "guideline", "project__scheme", "rater").get(pk=config["judge"])
    judging.keep_scheme(claim)
    judge_calls.let_go(claim.run.project)
    bench = on_bench(judge)
    settings = Settings.model_validate(judge.settings)
    taught = [one.trajectory for one in settings.examples if one.trajectory is not None]
    entries = judge_probes.known(claim.run.project, taught)
    pool = Pool(tuple(one.labelled for one in entries), form_of(bench.scheme))
    probes = [one for one in cases.for_way(bench.way) if one.name in config["probes"]]
    made = cases.made(pool, bench.way, probes, tasks=config["tasks"], seed=config["seed"])
    said, counts = _asked(claim, bench, made, settings)
    answered = [_answered(one, said) for one in made.pairs]
    result = probing_report.result(judge, entries, made, answered, config["limits"])
    judge_probes.keep_log(claim, probing_report.log(answered))
    judge_probes.store(claim, _inputs(claim, entries, made, counts), result)


def on_bench(judge: Judge) -> Bench:
    """ValueError where nothing that its scheme asks says what is right."""
    scheme = projects.scheme_of(judge.project.scheme)
    grading, compares = Grading(scheme), judge_probes.compared(scheme)
    if compares:
        # Else the method asks both orders itself, and a judge that goes by the place says nothing that could be read.
        asked = [compares.model_copy(update={"both_orders": True}) if one is compares else one for one in scheme.fields]
        scheme = scheme.model_copy(update={"fields": tuple(asked)})
    if not grading.known and compares is None:
        raise ValueError(f"answers of {scheme.title} do not say whether a step is right, so there is nothing to probe")
    return Bench(judge, scheme, grading, compares)


def form_of(scheme: Scheme) -> Form:
    """How judges speak under the scheme: the field and its words for right and wrong."""
    main = scheme.main_field
    tones: dict[str, Json] = {}
    for value in main.values:
        tones.setdefault(str(main.tone(value)), value)
    return Form(main.name, tones.get("right", 1), tones.get("wrong", -1))


Key = tuple[str, ...]


def _asked(claim: Claim, bench: Bench, made: Cases, settings: Settings) -> tuple[dict[Key, Said], dict[str, int]]:
    """What the judge says of each copy, and how many questions that took. Controls are asked once."""
    copies = dict(copies_of(made.pairs))
    claim.expect(len(copies))
    said: dict[Key, Said] = {}
    counts = {"asked": 0, "known": 0}
    if not copies:
        return said, counts
    judging_ = Judging(bench.judge.prompt, settings)

    def jobs() -> Iterator[Job[Key, Verdict]]:
        for key, records in copies.items():
            yield job(key, methods.asking(judging_, case(bench, records, settings)))

    asking = judge_calls.Asking(claim.run, bench.judge.server, bench.judge.model, bench.judge)
    with judging.line(bench.judge) as going:
        asker: Asker[Key, Verdict] = Asker(claim, asking, going)
        for ended in asker.drive(jobs()):
            said[ended.name] = heard(bench, ended.told, copies[ended.name])
            claim.advance()
        counts = dict(asker.counts)
    claim.keep(asking=counts)
    return said, counts


def copies_of(pairs: Sequence[Pair]) -> Iterator[tuple[Key, tuple[TrajectoryRecord, ...]]]:
    for pair in pairs:
        yield ("control", pair.task, pair.trajectory), pair.control
        yield ("changed", pair.name), pair.changed


def case(bench: Bench, records: tuple[TrajectoryRecord, ...], settings: Settings) -> Case:
    """One copy, or two that are compared, as the judge is asked about it: the same as any of the project's."""
    shown = [_shown(one, settings) for one in records]
    guideline = bench.judge.guideline.text if bench.judge.guideline else ""
    rollouts = dict(enumerate(shown)) if bench.compares else {}
    arounds = Ground(shown[0].steps, sorted(rollouts) or None).arounds(bench.scheme)
    if bench.compares:
        place: Place = (None, f"{bench.compares.name}@0-1")
        arounds = {place: arounds.get(place, Around(None, candidates=[0, 1]))}
    return Case(shown[0], bench.scheme, arounds, guideline, rollouts, shown[0].external_id)


def _shown(record: TrajectoryRecord, settings: Settings) -> TrajectoryRecord:
    """What a judge may see: never whose rollout it is, nor what anybody said of it; reference and outcome only where
    it sees them."""
    sees = settings.sight == "reference"
    return replace(
        record,
        task=record.task if sees else replace(record.task, reference=None),
        steps=tuple(replace(step, extra={}, stable_id="") for step in record.steps),
        outcome=record.outcome if sees else None,
        policy_model="",
        rating=None,
        meta={},
        extra={},
        passes=(),
        schemes=(),
    )


def heard(bench: Bench, verdict: Verdict, records: tuple[TrajectoryRecord, ...]) -> Said:
    """The verdict as grades."""
    if verdict.failed:
        return Said(failed=verdict.failed)
    if bench.compares:
        value = verdict.labels.get((None, f"{bench.compares.name}@0-1"))
        grade = {0: 1, 1: -1, "tie": 0}.get(value) if not isinstance(value, bool) else None
        return Said({} if grade is None else {WHOLE: grade})
    steps = [place for place, step in enumerate(records[0].steps) if step.source == "agent"]
    grades: dict[Spot, int] = dict(bench.grading.steps(verdict.labels, steps).items())
    final = bench.grading.verdict
    whole = bench.grading.final(verdict.labels.get((None, final.name))) if final else None
    return Said(grades | ({} if whole is None else {WHOLE: whole}))


def _answered(pair: Pair, said: Mapping[Key, Said]) -> Answered:
    control = said.get(("control", pair.task, pair.trajectory), SILENT)
    return Answered(pair, control, said.get(("changed", pair.name), SILENT))


def _inputs(claim: Claim, entries: Sequence[Entry], made: Cases, counts: Mapping[str, int]) -> dict[str, Json]:
    known: list[Labelled] = [one.labelled for one in entries]
    return {
        "trajectories": len(known),
        "tasks": len({one.record.task.external_id for one in known}),
        "raters": [f"{one.kind}:{one.name}" for one in judge_probes.raters(claim.run.project)],
        "sha256": judge_probes.fingerprint(entries),
        "pairs": len(made.pairs),
        **counts,
    }
