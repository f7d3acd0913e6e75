"""Tables about the work: the library, programs, sessions and decisions."""

from programs.models.caseload import CaseloadMark, CaseloadRow, SavedView, Snooze
from programs.models.criterion import CriterionMark
from programs.models.decision import Decision, Policy, Proposal
from programs.models.draft import PolicyDraft, Rehearsal
from programs.models.library import (
    Exercise,
    ExerciseLevel,
    ExerciseVersion,
    HabitTask,
    MovementClass,
    Pathway,
    ProgramTemplate,
    TemplateItem,
)
from programs.models.program import Prescription, Program, ProgramVersion
from programs.models.reminder import (
    ReminderChange,
    ReminderPattern,
    ReminderPlace,
    ReminderSchedule,
)
from programs.models.session import Session

__all__ = [
    "CaseloadMark",
    "CaseloadRow",
    "CriterionMark",
    "Decision",
    "Exercise",
    "ExerciseLevel",
    "ExerciseVersion",
    "HabitTask",
    "MovementClass",
    "Pathway",
    "Policy",
    "PolicyDraft",
    "Prescription",
    "Program",
    "ProgramTemplate",
    "ProgramVersion",
    "Proposal",
    "Rehearsal",
    "ReminderChange",
    "ReminderPattern",
    "ReminderPlace",
    "ReminderSchedule",
    "SavedView",
    "Session",
    "Snooze",
    "TemplateItem",
]
