"""How a judge is asked. Frozen with each of its versions; a change is a new version."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Strict = ConfigDict(extra="forbid", frozen=True)
Share = Annotated[float, Field(ge=0, le=1)]
MOST_SAMPLES = 64

Reading = Literal["whole", "prefix"]
Sight = Literal["blind", "reference"]
Method = Literal[
    "single", "majority", "intersection", "average", "critique", "branch", "debate", "panel", "adaptive", "log_probs"
]
OURS = frozenset({"model", "messages", "stream", "n"})  # of what is asked, what `extra` may not say otherwise
SAMPLED = frozenset({"majority", "intersection", "average", "adaptive"})


class Example(BaseModel):
    """A judgement that the judge is shown: a step as it was, and what people say of it. `label` is the label's id, so
    that what a judge was taught with is never counted when it is measured."""

    model_config = Strict
    text: str
    answer: Any
    why: str = ""
    label: int | None = None
    trajectory: int | None = None


class Settings(BaseModel):
    """`reading`: the whole trajectory in one question, or each step with no more than what came before it (no
    hindsight). `sight`: whether the task's reference and the outcome are shown. `method`: how one or more answers
    become a verdict. Everything else belongs to some methods only, and is refused elsewhere."""

    model_config = Strict
    reading: Reading = "whole"
    sight: Sight = "blind"
    method: Method = "single"
    answer: Literal["labels", "wrong_steps"] = Field(
        "labels", description="Labels as the scheme has them, or just the numbers of the steps that are wrong."
    )
    samples: int = Field(1, ge=1, le=MOST_SAMPLES)
    budget: int = Field(0, ge=0, description="Adaptive: questions a trajectory may take, beyond two; 0: `samples`.")
    personas: tuple[str, ...] = Field((), description="Panel and debate: who each judge is said to be.")
    rounds: int = Field(1, ge=1, le=5, description="Debate: how often each hears the others.")
    thinks_first: bool = Field(False, description="A free question first, then one for the form of the answer.")
    mitigations: tuple[Literal["system", "examples", "reflection"], ...] = ()
    examples: tuple[Example, ...] = ()
    observation_limit: int = Field(
        12_000, ge=200, description="Characters of one text; its middle is cut, and said so."
    )
    temperature: float = Field(0.0, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    max_tokens: int = Field(8_192, ge=16, le=200_000)
    seed: int | None = 0
    top_logprobs: int = Field(20, ge=1, le=20, description="Log-probs: how many of the likeliest tokens are looked at.")
    extra: dict[str, Any] = Field(default_factory=dict, description="Goes with every question, as the server has it.")

    @model_validator(mode="after")
    def _fits(self) -> Settings:
        if self.samples > 1 and self.method not in SAMPLED:
            raise ValueError(f"samples: {self.method} asks once; accepted are {', '.join(sorted(SAMPLED))}")
        if self.method in SAMPLED and self.samples < 2:
            raise ValueError(f"samples: {self.method} needs two or more")
        if self.method in SAMPLED and self.temperature == 0:
            raise ValueError("temperature: several answers are alike at 0; accepted is more than that")
        if theirs := sorted(OURS & self.extra.keys()):
            raise ValueError(f"extra: {', '.join(theirs)} is not to be set there")
        if (self.method == "panel" or self.method == "debate") != bool(self.personas):
            raise ValueError("personas: panel and debate need them, nothing else takes any")
        if self.answer == "wrong_steps" and self.reading == "prefix":
            raise ValueError("answer: wrong_steps are asked of whole trajectories")
        return self


def problems(refused: ValidationError) -> list[tuple[str, str]]:
    """What is wrong with settings: where, as `extra` or `examples.0.text`, and in words what is accepted."""
    found = []
    for one in refused.errors():
        words = one["msg"].removeprefix("Value error, ")
        place, _, rest = words.partition(": ")
        found.append((place, rest) if rest and not one["loc"] else (".".join(map(str, one["loc"])), words))
    return found
