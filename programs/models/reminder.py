"""When each patient is to be reminded next. What was planned stands in the outbox."""

import datetime as dt

from django.db import models

from clinic.models.messaging import Channel
from programs.cadence import Rhythm


class ReminderPattern(models.Model):
    """Everything that many addresses share about their reminders. An address whose hour or days
    change moves to another row. The site's hours and the words are looked up when planning.

    ``next_due_at`` is never later than that of any row of the schedule with this pattern: planning
    finds here whom to look at. Whoever writes the schedule keeps it so, under one lock.
    """

    site = models.ForeignKey("clinic.Site", on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(max_length=5, choices=Channel)
    language = models.CharField(max_length=10)
    zone = models.CharField(max_length=64)
    time = models.TimeField()
    days = models.PositiveSmallIntegerField()
    nudge = models.BooleanField()
    next_due_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "channel", "language", "zone", "time", "days", "nudge"],
                name="reminder_pattern_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} at {self.time:%H:%M}, {self.zone}"

    @property
    def rhythm(self) -> Rhythm:
        return rhythm_of(self.zone, self.time, self.days, self.site, self.nudge)


def rhythm_of(zone: str, time: dt.time, days: int, site: models.Model, nudge: bool) -> Rhythm:
    return Rhythm(zone, time, days, site.quiet_start, site.quiet_end, nudge)


class ReminderSchedule(models.Model):
    """The next message of one program by one channel, and the facts that decide about it.

    The facts are copies, so that planning reads this table alone; ``programs.scheduling`` keeps
    them true. There is a row only where something is to come; one whose program has had its last
    message has no next moment until it is swept away.

    Each planning changes a hundred thousand rows. No index may look at what it changes: PostgreSQL
    then writes a row's next self beside the old one (a heap-only update), and no index hears of
    it. Whom to look at is found by the pattern, which leads the key.
    """

    class Standing(models.IntegerChoices):
        ACTIVE = 0
        SUSPENDED = 1
        ENDED = 2

    pk = models.CompositePrimaryKey("pattern_id", "program_id", "channel")
    program = models.ForeignKey(
        "programs.Program", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    channel = models.CharField(max_length=5, choices=Channel)
    patient_id = models.UUIDField()
    pattern = models.ForeignKey(
        ReminderPattern, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    address = models.CharField(max_length=254)
    standing = models.PositiveSmallIntegerField(choices=Standing, default=Standing.ACTIVE)
    consented = models.BooleanField(default=False)
    started_on = models.DateField()
    ended_on = models.DateField(null=True)
    # The day of the last session, and whether it was skipped; the day the patient was last heard
    # of (an answer, else the start or the reopening); the day of the kind message that follows.
    session_on = models.DateField(null=True)
    session_skipped = models.BooleanField(default=False)
    heard_on = models.DateField()
    answered_on = models.DateField(null=True)
    silent_on = models.DateField(null=True)
    next_local_date = models.DateField(null=True)
    next_is_nudge = models.BooleanField(default=False)
    next_due_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Next by {self.get_channel_display()}: {self.next_local_date}"


class ReminderPlace(models.Model):
    """Where the row of one program and channel stands in the schedule: at most one."""

    pk = models.CompositePrimaryKey("program_id", "channel")
    program = models.ForeignKey(
        "programs.Program", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    channel = models.CharField(max_length=5, choices=Channel)
    pattern = models.ForeignKey(
        ReminderPattern, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    def __str__(self) -> str:
        return f"{self.get_channel_display()} of {self.program_id}"


class ReminderChange(models.Model):
    """A patient whose schedule has to be looked at again. Written by triggers of the database on
    every table the schedule copies from, so that no way of changing them can be forgotten."""

    patient_id = models.UUIDField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.patient_id)
