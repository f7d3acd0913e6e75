"""Made-up courses, lived day by day under a policy: what its thresholds do to kinds of people.

Pure: no Django, no clock, and the same every time. A course has one exercise with four levels;
each step is one level, and the physiotherapist accepts what is proposed at once. Whoever lives a
course has the same good and bad days under every policy, so that only the thresholds differ. These
are not patients: the numbers behind them are ours, and say which way a change pulls, not how far.
"""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from random import Random

from programs.ladder import TOP_LEVEL
from programs.progression import Evidence, Outcome, SessionEvidence, decide
from programs.thresholds import Policy

WEEKS = 12
PEOPLE = 5
# A physiotherapist takes so many days to look and reopen.
STANDS_STILL = 3
# Pain is looked at for so many days after a step up.
AFTER_A_STEP = 7
_WINDOW = 14


@dataclass(frozen=True)
class Course:
    """A kind of person. ``pain`` at the start, falling by ``eases`` a day; ``learns`` levels of
    tolerance per session; ``reacts`` points of pain per level above it; ``does`` and ``answers``
    are shares of days; ``flares`` the chance of a bad spell on a day; ``poor_nights`` a share."""

    key: str
    title: str
    words: str
    pain: float
    eases: float = 0.03
    learns: float = 0.06
    reacts: float = 1.2
    does: float = 0.9
    answers: float = 0.95
    flares: float = 0.0
    poor_nights: float = 0.05
    effort: float = 4.5
    pulls: float = 0.0


COURSES: tuple[Course, ...] = (
    Course("steady", "Steady improver", "Does most days, and the pain eases.", pain=3),
    Course(
        "flares",
        "Flares easily",
        "Goes well, then a few bad days.",
        pain=3,
        reacts=1.8,
        flares=0.07,
    ),
    Course(
        "sleeper",
        "Poor sleeper",
        "Half of the nights are short; the pain moves with them.",
        pain=3,
        poor_nights=0.45,
        learns=0.05,
    ),
    Course(
        "quiet",
        "Answers rarely",
        "Does the work and says little.",
        pain=3,
        answers=0.4,
        does=0.75,
    ),
    Course(
        "eager",
        "Over-eager",
        "Does more than asked, and finds it hard.",
        pain=3,
        learns=0.035,
        reacts=1.6,
        does=1.0,
        effort=6,
        pulls=0.15,
    ),
    Course(
        "plateau",
        "No change",
        "Does everything, and the pain stays.",
        pain=4,
        eases=0.0,
        learns=0.05,
    ),
)
# After an injury, and in athletes, pain starts lower than in long-standing pain.
_START = {"chronic": 0.0, "desk": -0.5, "athlete": -1.0, "post_injury": -1.5}


@dataclass(frozen=True)
class Lived:
    """What became of one course under one policy, over all who live it.

    ``days_to`` has the median day on which levels 2 to 4 were reached first, None where fewer than
    half came so far. ``peak`` is the highest pain during in the week after a step up, None without
    a step.
    """

    days_to: tuple[int | None, ...]
    steps: int
    stops: int
    regressions: int
    peak: int | None


@dataclass(frozen=True)
class Compared:
    course: Course
    old: Lived
    new: Lived

    @property
    def differs(self) -> bool:
        return self.old != self.new

    def as_json(self) -> dict[str, object]:
        return {
            "key": self.course.key,
            "title": self.course.title,
            "words": self.course.words,
            "old": asdict(self.old),
            "new": asdict(self.new),
        }


def compare_courses(pathway: str, old: Policy, new: Policy) -> list[Compared]:
    """Every course under both policies, in the order of ``COURSES``."""
    return [
        Compared(course, _lived(course, pathway, old), _lived(course, pathway, new))
        for course in COURSES
    ]


def _lived(course: Course, pathway: str, policy: Policy) -> Lived:
    people = [_Life(course, pathway, policy, number).whole() for number in range(PEOPLE)]
    return Lived(
        days_to=tuple(
            _median([person.reached[level] for person in people if level in person.reached])
            for level in range(2, TOP_LEVEL + 1)
        ),
        steps=sum(person.steps for person in people),
        stops=sum(person.stops for person in people),
        regressions=sum(person.regressions for person in people),
        peak=max((pain for person in people for pain in person.after_steps), default=None),
    )


def _median(days: Sequence[int]) -> int | None:
    return round(statistics.median(days)) if len(days) * 2 > PEOPLE else None


class _Life:
    """One person's twelve weeks: each morning they answer, the rules decide, and they exercise."""

    def __init__(self, course: Course, pathway: str, policy: Policy, number: int) -> None:
        self.course, self.pathway, self.policy, self.number = course, pathway, policy, number
        self.level, self.since, self.stands_until = 1, 0, -1
        self.tolerance = 1.0
        self.bad_until = -1
        self.reached: dict[int, int] = {}
        self.steps = self.stops = self.regressions = 0
        self.after_steps: list[int] = []
        self.last_step: int | None = None
        self.sessions: dict[int, SessionEvidence] = {}
        self.check_ins: set[int] = set()
        self.usual: dict[int, int] = {}
        self.poor: set[int] = set()
        self.settled: dict[str, frozenset[str]] = {}

    def whole(self) -> "_Life":
        for day in range(WEEKS * 7):
            chance = Random(f"{self.pathway} {self.course.key} {self.number} {day}")
            luck = [chance.random() for _ in range(9)]
            self._morning(day, luck)
            if day >= self.stands_until:
                self._decide(day)
            if day >= self.stands_until:
                self._exercise(day, luck)
        return self

    def _morning(self, day: int, luck: list[float]) -> None:
        if luck[0] < self.course.flares:
            self.bad_until = day + 3
        pain = _scale(self._pain(day) + luck[1] - 0.5)
        poor = luck[2] < self.course.poor_nights
        if luck[3] >= self.course.answers:
            return
        self.check_ins.add(day)
        self.usual[day] = pain
        if poor:
            self.poor.add(day)
        yesterday = self.sessions.get(day - 1)
        if yesterday is not None:
            sore = _scale(self._pain(day) + self._strain() * self.course.reacts * 0.7)
            self.sessions[day - 1] = replace(yesterday, pain_next_morning=sore)

    def _exercise(self, day: int, luck: list[float]) -> None:
        if luck[4] >= self.course.does:
            return
        before, strain = self._pain(day), self._strain()
        during = _scale(before + strain * self.course.reacts + luck[5] - 0.5)
        said = luck[3] < self.course.answers or luck[6] < self.course.answers
        self.sessions[day] = SessionEvidence(
            pain_before=_scale(before) if said else None,
            pain_during=during if said else None,
            pain_next_morning=None,
            completed=True,
            form_kept=strain < 1.3 if said else None,
            effort_rpe=_scale(self.course.effort + strain * 2 + luck[7] - 0.5) if said else None,
            stiffer_after=strain > 1 and luck[6] < 0.4 if said else None,
            neck_tension=False if said else None,
            one_sided_pull=strain > 0.5 and luck[8] < self.course.pulls if said else None,
            ref=f"day:{day}",
        )
        if said:
            self.check_ins.add(day)
        self.tolerance = min(TOP_LEVEL + 0.3, self.tolerance + self.course.learns)
        if self.last_step is not None and day - self.last_step < AFTER_A_STEP:
            self.after_steps.append(during)

    def _decide(self, day: int) -> None:
        said = decide(self._evidence(day), self.policy, settled=self.settled)
        if said.outcome is Outcome.HOLD:
            return
        if said.outcome is Outcome.PROGRESS:
            self.level, self.since, self.last_step = self.level + 1, day, day
            self.steps += 1
            self.reached.setdefault(self.level, day)
            return
        for rule in said.fired:
            self.settled[rule.rule] = self.settled.get(rule.rule, frozenset()) | rule.refs
        self.since = day
        if said.outcome is Outcome.STOP:
            self.stops += 1
            self.stands_until = day + STANDS_STILL
        else:
            self.regressions += 1
            self.level = max(1, self.level - 1)

    def _evidence(self, day: int) -> Evidence:
        recent = [d for d in sorted(self.sessions) if day - _WINDOW <= d < day]
        asked = min(day, _WINDOW)
        week = [d for d in self.check_ins if day - 7 < d <= day]
        weeks = self._weeks(day)
        return Evidence(
            pathway=self.pathway,
            phase=1,
            level=self.level,
            usual_pain_now=self.usual.get(day),
            usual_pain_ref=f"usual:{day}",
            weekly_median_pain=tuple(median for _, median in weeks),
            weekly_refs=tuple(f"week:{number}" for number, _ in weeks),
            weeks_in_program=day // 7,
            adherence=len(recent) / asked if asked else None,
            check_ins_last_7_days=len(week),
            days_since_last_check_in=day - max(self.check_ins) if self.check_ins else None,
            fear_of_movement=3,
            poor_recovery_days=sum(day - 7 < d <= day for d in self.poor),
            days_at_level=day - self.since,
            sessions_at_level=sum(d >= self.since for d in self.sessions),
            sessions=tuple(self.sessions[d] for d in recent),
            at_top=self.level >= TOP_LEVEL,
        )

    def _weeks(self, day: int) -> list[tuple[int, float]]:
        found = []
        for number in range(day // 7 + 1):
            known = [self.usual[d] for d in range(number * 7, number * 7 + 7) if d in self.usual]
            if len(known) >= 3:
                found.append((number, float(statistics.median(known))))
        return found

    def _pain(self, day: int) -> float:
        worse = (1.8 if day < self.bad_until else 0) + (0.8 if day - 1 in self.poor else 0)
        start = self.course.pain + _START.get(self.pathway, 0)
        return max(0.5, start - day * self.course.eases) + worse

    def _strain(self) -> float:
        return max(0.0, self.level - self.tolerance)


def _scale(value: float) -> int:
    return max(0, min(10, round(value)))
