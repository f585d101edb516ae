"""DataPRM: a step is right, or wrong in a way that later steps can mend, or fatally wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from models_service.scorers.generative.base import Judged, Reading, Verdict, Verifier
from models_service.scorers.generative.verdicts import Reply
from models_service.scorers.generative.views import View
from models_service.scorers.language.asked import Sampling
from models_service.scorers.language.gathering import Work

GRADES = {"1": 1.0, "1.0": 1.0, "0.5": 0.5, ".5": 0.5, "0": 0.0, "0.0": 0.0}
NAMES = {1.0: "right", 0.5: "mendable", 0.0: "fatal"}
OPEN, CLOSE = "<score>", "</score>"
UNANSWERED = "the last step gives no answer"


class DataPRM(Verifier):
    """The grade that the model writes: 1 right, 0.5 a small mistake or one that later steps can mend, 0 fatal (source:
    the code of DataPRM). With several samples it is their mean, and their shares stand beside it. The middle means
    "mendable", so the grade is kept as it is. An answer without one of the three is left out, never a grade. A
    trajectory's last step gets 0 without being asked for where it gives no answer: where it still calls a tool or says
    nothing, or, with `answer`, where that text (say "<answer>") does not occur in it.

    The released verifier may run Python in the trajectory's folder before it decides. Nothing is run here.
    """

    name = "dataprm"
    title = "DataPRM (right, mendable or fatal)"
    source = "DataPRM-4B"
    probability = False
    smooths = False
    wrong_at = 0.0
    sampling: ClassVar[Sampling] = Sampling(most=1024)

    def __init__(self, asked: Sampling, wording: str = "", temperature: float = 1.0, answer: str = "") -> None:
        super().__init__(asked, wording, temperature)
        self.answer = answer

    @property
    def options(self) -> dict[str, Any]:
        return {"answer": self.answer}

    def judged(self, views: Sequence[View]) -> Work[list[Judged]]:
        asked = [view for view in views if not self._unanswered(view)]
        judged = yield from super().judged(asked)
        said = dict(zip([view.place for view in asked], judged, strict=True))
        return [said.get(view.place) or Verdict(0.0, {}, (UNANSWERED,)) for view in views]

    def _unanswered(self, view: View) -> bool:
        if not view.last:
            return False
        if self.answer:
            return self.answer.lower() not in view.step.message.lower()
        return bool(view.step.tool_calls) or not view.step.message.strip()

    def reader(self, view: View) -> Callable[[Reply], Reading | None]:
        return grade


def grade(reply: Reply) -> Reading | None:
    """The last grade that the answer gives in its tags."""
    begin = reply.text.rfind(OPEN, reply.begin)
    end = reply.text.find(CLOSE, begin)
    if begin < 0 or end < 0:
        return None
    value = GRADES.get(reply.text[begin + len(OPEN) : end].strip())
    return None if value is None else Reading(value, {name: float(value == one) for one, name in NAMES.items()})
