"""How likely an answer is after each step: the one place where the words that ask for it are put behind the steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from models_service.scorers.belief.formulas import NORMALISATIONS, log_probs
from models_service.scorers.belief.ways import Way
from models_service.scorers.language.asked import Completion, NotServed, Prompt, Sampling, Token
from models_service.scorers.language.gathering import Drawn, Forced, Work, log_probs_of, texts_of
from models_service.statistics.canonical import canonical

SAMPLED = "sampled frequency"
SHORTEST, LONGEST = 32, 512  # tokens that a drawn answer may have


class Probe(NamedTuple):
    """`closing` stands behind the steps, `lead` before the answer and belongs to its first token; a drawn answer ends
    where one of `stops` stands."""

    closing: str
    lead: str = ""
    stops: tuple[str, ...] = ("\n",)


TAGGED = Probe("\n\n<think>\nNow there's enough information to answer.\n</think>\n\n<answer>", " ", ("</answer>", "\n"))
BOXED = Probe("\n\n**Final Answer** \\boxed{", "", ("}", "\n"))


class Belief(NamedTuple):
    """P(answer) after so many steps, of the accepted answers the likeliest; `sampled`: it is the share of draws."""

    p: float
    answer: str
    sampled: bool = False


def beliefs(
    prompts: Sequence[Prompt], answers: Sequence[str], probe: Probe, normalisation: str, draws: int, seed: int = 0
) -> Work[list[Belief]]:
    """For each prompt, which ends with the probe's closing, how likely the likeliest of the answers is. Where the model
    tells no log-probabilities of given texts: how often it comes up in `draws` draws, in one spelling."""
    try:
        rows = yield from log_probs_of([Forced(one, probe.lead + answer) for one in prompts for answer in answers])
    except NotServed:
        if not draws:
            raise
        return (yield from _sampled(prompts, answers, probe, draws, seed))
    normalised = NORMALISATIONS[normalisation]
    each = [normalised(log_probs(row)) for row in rows]
    return [_likeliest(each[at : at + len(answers)], answers) for at in range(0, len(each), len(answers))]


def series(
    ways: Sequence[Way], answers: Sequence[str], probe: Probe, normalisation: str, draws: int, seed: int = 0
) -> Work[list[list[Belief]]]:
    """For each way the beliefs before its first judged step and after each, p_0 to p_T where all are judged."""
    prompts = [[way.upto(count, probe.closing) for count in counts(way)] for way in ways]
    every = [one for row in prompts for one in row]
    each = iter((yield from beliefs(every, answers, probe, normalisation, draws, seed)))
    return [[next(each) for _ in row] for row in prompts]


def counts(way: Way) -> range:
    """How many steps stand before the judged ones, up to how many there are."""
    return range(way.text.first, len(way.text.steps) + 1)


def likelihoods(asks: Sequence[Forced]) -> Work[list[tuple[Token, ...]]]:
    """The tokens of given texts, where nothing can stand in for them; none for a text that is empty."""
    read = iter((yield from log_probs_of([ask for ask in asks if ask.text])))
    return [next(read) if ask.text else () for ask in asks]


def _sampled(
    prompts: Sequence[Prompt], answers: Sequence[str], probe: Probe, draws: int, seed: int
) -> Work[list[Belief]]:
    most = min(LONGEST, max(SHORTEST, *map(len, answers)))
    sampling = Sampling(draws, temperature=1.0, most=most, stop=probe.stops, seed=seed)
    spelled = [canonical(one) for one in answers]
    found = []
    for texts in (yield from texts_of([Drawn(one, sampling) for one in prompts])):
        shares = [_share(texts, one) for one in spelled]
        found.append(_likeliest(shares, answers)._replace(sampled=True))
    return found


def _share(texts: Sequence[Completion], spelled: str | None) -> float:
    """Of the texts, those that mean this answer; one that no draw can spell has none."""
    return sum(spelled is not None and canonical(one.text) == spelled for one in texts) / max(1, len(texts))


def _likeliest(shares: Sequence[float], answers: Sequence[str]) -> Belief:
    best = max(range(len(answers)), key=shares.__getitem__)
    return Belief(shares[best], answers[best])
