"""One scorer for every way of asking a language model for verdicts: show, ask, read, say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from annotations.records import StepScore, TrajectoryRecord
from models_service.scorers.base import CannotScore, Partly, Scored, Scorer
from models_service.scorers.checkpoints import UnfitModel
from models_service.scorers.generative import verifier
from models_service.scorers.generative.base import Judged, NoVerdict, Verifier
from models_service.scorers.generative.views import View, views
from models_service.scorers.language.asked import LanguageModel, Sampling
from models_service.scorers.language.gathering import Work, gathered
from models_service.scorers.language.made import language_model

Prepared = list[tuple[list[View], dict[int, CannotScore]]]


class GenerativeScorer(Scorer):
    """Scores of a language model that judges in words.

    `family` is one of generative.VERIFIERS, with `options` of its own; `language` is who answers, as
    language.made.language_model takes it. Each step is judged from what came before it and from itself, in at most
    `characters`; with `observed` false also without what answered its calls. `samples`, `temperature`, `top_p`,
    `top_k`, `most` (tokens of an answer) and `seed` say how answers are drawn; several samples need a temperature.
    `log_probs` false reads verdicts from words alone, for servers that tell none. `verdict_temperature` divides the
    log-probabilities. `wording` is a version of the family's, or the path of a .txt file of your own. `calibrated` says
    that the numbers hold as probabilities.
    """

    at_once = 4

    def __init__(
        self,
        family: str,
        language: Mapping[str, Any] | LanguageModel,
        *,
        samples: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        top_k: int | None = None,
        most: int | None = None,
        seed: int = 0,
        characters: int = 24_000,
        observed: bool | None = None,
        log_probs: bool = True,
        verdict_temperature: float = 1.0,
        wording: str = "",
        calibrated: bool = False,
        at_once: int = 4,
        **options: Any,
    ) -> None:
        kind = verifier(family)
        drawn = {"count": samples, "temperature": temperature, "top_p": top_p, "top_k": top_k, "most": most}
        self.sampling = _sampling(kind, {name: one for name, one in drawn.items() if one is not None}, seed, log_probs)
        try:
            self.verifier = kind(self.sampling, wording, verdict_temperature, **options)
        except TypeError as exc:
            raise UnfitModel(f"options of {family}: {exc}") from exc
        self.characters, self.at_once = characters, at_once
        self.observed = kind.observed if observed is None else observed
        self.calibrated = calibrated and kind.probability
        self.wrong_at = kind.wrong_at
        self.language = language_model(language) if isinstance(language, Mapping) else language

    @property
    def provenance(self) -> dict[str, Any]:
        wording, told = self.verifier.wording, self.language.provenance
        return {
            "family": self.verifier.name,
            "rendering": f"{wording.name}/{wording.version} {wording.sha256[:12]}",
            "models": told.get("models", []),
            "language": told,
            "wording_sha256": wording.sha256,
            "sampling": asdict(self.sampling),
            "verdict_temperature": self.verifier.temperature,
            "characters": self.characters,
            "observed": self.observed,
            "options": self.verifier.options,
        }

    @property
    def usage(self) -> dict[str, float]:
        return self.language.usage

    def prepare(self, records: Sequence[TrajectoryRecord]) -> Prepared:
        return [views(record, self.characters, observed=self.observed) for record in records]

    def score(self, records: Sequence[TrajectoryRecord], prepared: Prepared | None = None) -> list[Scored]:
        shown = prepared if prepared is not None else self.prepare(records)
        found = gathered(self.language, [_work(self.verifier, seen) for seen, _ in shown])
        return [self._scored(*one, said) for one, said in zip(shown, found, strict=True)]

    def _scored(self, seen: list[View], refused: Mapping[int, CannotScore], said: list[Judged] | CannotScore) -> Scored:
        """The scores, and of the other steps why they have none. Where no step has one, the first one's reason."""
        judged = [said] * len(seen) if isinstance(said, CannotScore) else said
        every = dict(refused) | {view.place: self._one(view, one) for view, one in zip(seen, judged, strict=True)}
        ordered = sorted(every.items())
        scores = [one for _, one in ordered if isinstance(one, StepScore)]
        unscored = {place: one for place, one in ordered if isinstance(one, CannotScore)}
        if not unscored:
            return tuple(scores)
        if scores:
            return Partly(scores, {place: str(one) for place, one in unscored.items()})
        first = next(iter(unscored.values()))
        return CannotScore(f"{first} (the first: {first.said[:120]!r})") if isinstance(first, NoVerdict) else first

    def _one(self, view: View, verdict: Judged) -> StepScore | CannotScore:
        if isinstance(verdict, CannotScore):
            return verdict
        low, high = self.verifier.range
        assert low - 1e-9 <= verdict.value <= high + 1e-9, f"step {view.place}: {verdict.value}"
        detail: dict[str, Any] = {"flags": [*view.flags, *verdict.flags]}
        if view.window:
            detail["window"] = list(view.window)
        if verdict.more:
            detail["more"] = verdict.more
        if verdict.said:
            detail["said"] = verdict.said
        return StepScore(view.place, verdict.value, verdict.value if self.calibrated else None, detail)


def _work(verifier: Verifier, shown: list[View]) -> Work[list[Judged]]:
    if not shown:
        return []
    return (yield from verifier.judged(shown))


def _sampling(kind: type[Verifier], given: Mapping[str, Any], seed: int, log_probs: bool) -> Sampling:
    """The verifier's own sampling with what was given instead. One sample is the likeliest answer unless a temperature
    is given; several without one would all be the same."""
    if given.get("count") == 1 and "temperature" not in given:
        given = {**given, "temperature": 0.0, "top_p": 1.0, "top_k": None}
    found = replace(kind.sampling, **given, seed=seed)
    if found.count < 1 or found.most < 1 or found.temperature < 0:
        raise UnfitModel(
            f"samples, most and temperature: found {found.count}, {found.most}, {found.temperature}; accepted are 1 or "
            "more, 1 or more, 0 or more"
        )
    if found.count > 1 and found.temperature == 0:
        raise UnfitModel(f"samples: found {found.count} with temperature 0, which gives the same answer each time")
    return found if log_probs else replace(found, top=0)
