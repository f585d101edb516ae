"""Facts. Rules live in annotations.services."""

from __future__ import annotations

from annotations.models.adjudication import Adjudication, Standing
from annotations.models.agreement import AgreementMark, ProjectAgreement, TaskAgreement
from annotations.models.calibrations import Calibration
from annotations.models.finding import SavedView, StepMeaning, StepWords
from annotations.models.formats import NamedFormat
from annotations.models.gold import Gold, GoldPlan, Training
from annotations.models.judges import (
    Judge,
    JudgeBudget,
    JudgeCall,
    JudgeLeave,
    JudgePace,
    JudgeServer,
    JudgeVerdict,
    RubricWriting,
)
from annotations.models.labels import Annotation, Label, Look, Rater
from annotations.models.projects import Guideline, Membership, Project, Role, SchemeVersion, User
from annotations.models.queue import QueueRank
from annotations.models.reports import Event, Report
from annotations.models.runs import Run, Score, ScorerArtefact, WorkerBeat
from annotations.models.schemes import ProjectScheme, Rubric
from annotations.models.scorers import DeployedScorer
from annotations.models.spans import ReceivedSpan, Trace
from annotations.models.talk import Message, Thread
from annotations.models.tokens import ApiToken
from annotations.models.trajectories import Original, Step, Task, Trajectory

__all__ = [
    "Adjudication",
    "AgreementMark",
    "Annotation",
    "ApiToken",
    "Calibration",
    "DeployedScorer",
    "Event",
    "Gold",
    "GoldPlan",
    "Guideline",
    "Judge",
    "JudgeBudget",
    "JudgeCall",
    "JudgeLeave",
    "JudgePace",
    "JudgeServer",
    "JudgeVerdict",
    "Label",
    "Look",
    "Membership",
    "Message",
    "NamedFormat",
    "Original",
    "Project",
    "ProjectAgreement",
    "ProjectScheme",
    "QueueRank",
    "Rater",
    "ReceivedSpan",
    "Report",
    "Role",
    "Rubric",
    "RubricWriting",
    "Run",
    "SavedView",
    "SchemeVersion",
    "Score",
    "ScorerArtefact",
    "Standing",
    "Step",
    "StepMeaning",
    "StepWords",
    "Task",
    "TaskAgreement",
    "Thread",
    "Trace",
    "Training",
    "Trajectory",
    "User",
    "WorkerBeat",
]
