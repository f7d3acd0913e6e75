"""The hours, days and addresses of a patient's reminders, as the patient or staff choose them.

Whether reminders come at all is consent: ``patients.consenting``.
"""

import datetime as dt
from collections.abc import Sequence

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from clinic import quiet_hours
from clinic.messaging import outbox
from clinic.models import OutboxMessage, Site, User
from patients import weekdays
from patients.access import require_staff
from patients.caring import helps
from patients.consenting import own_no_at
from patients.models import ContactPoint, Patient

Kind = OutboxMessage.Kind

MOVED = "The reminder was moved to another hour or day."
TURNED_OFF = "Reminders to this address were turned off."
NUDGE_OFF = "The second reminder of the day was turned off."


@transaction.atomic
def choose_reminders(
    *,
    point: ContactPoint,
    at: dt.datetime,
    by: User | None,
    time: dt.time | None = None,
    days: int | None = None,
    second_nudge: bool | None = None,
) -> ContactPoint:
    """Change when reminders come to one address; None leaves a thing as it is.

    ``time`` is the patient's own, ``days`` a mask (``patients.weekdays``). ``by`` is the patient,
    a carer or staff of the site, None somebody who holds a link from one of the reminders.
    Raises ValidationError on ``reminder_time`` or ``reminder_days``, and then nothing is changed.
    """
    _may_choose(point.patient, by)
    point = _held(point)
    before = (point.reminder_time, point.reminder_days, point.second_nudge)
    if time is not None:
        check_reminder_time(point.patient.site, time)
        point.reminder_time = time
    if days is not None:
        if not 1 <= days <= weekdays.EVERY_DAY:
            raise ValidationError({"reminder_days": _("Choose at least one day.")})
        point.reminder_days = days
    if second_nudge is not None:
        point.second_nudge = second_nudge
    if before == (point.reminder_time, point.reminder_days, point.second_nudge):
        return point
    point.save(update_fields=["reminder_time", "reminder_days", "second_nudge"])
    if _comes_later(point, at):
        # A notice of a changed routine keeps to no hour of the patient's.
        _hold_back(point, MOVED, at, kinds=OutboxMessage.PLANNED)
    if before[2] and not point.second_nudge:
        _hold_back(point, NUDGE_OFF, at, kinds=[Kind.SECOND_NUDGE])
    return point


@transaction.atomic
def remind_at(*, patient: Patient, time: dt.time, by: User, at: dt.datetime) -> None:
    """Set one hour (the patient's own) for all addresses.

    Raises ValidationError on ``reminder_time`` for an hour at which the site sends nothing.
    """
    check_reminder_time(patient.site, time)
    for point in patient.contact_points.all():
        choose_reminders(point=point, time=time, by=by, at=at)


@transaction.atomic
def want_reminders(*, point: ContactPoint, wanted: bool, by: User, at: dt.datetime) -> ContactPoint:
    """Staff say whether reminders go to this address.

    Raises ValidationError when the patient's own no stands against it.
    """
    require_staff(by, point.patient)
    point = _held(point)
    if wanted:
        no = own_no_at(point)
        if no is not None:
            raise ValidationError(str(no))
    return _want(point, wanted, at)


@transaction.atomic
def send_here(*, point: ContactPoint, by: User | None, at: dt.datetime) -> ContactPoint:
    """The patient says: of my addresses of this channel, reminders go to this one and no other.

    ``by`` is the patient or a carer, None somebody who holds a link from one of the patient's
    reminders. A no to the channel stays as it is.
    """
    if by is not None and by.pk != point.patient.user_id and not helps(by, point.patient):
        raise PermissionDenied("Only the patient says this.")
    point = _held(point)
    same = ContactPoint.objects.filter(patient=point.patient_id, channel=point.channel)
    for other in same.exclude(pk=point.pk).filter(reminders=True):
        _want(other, False, at)
    return _want(point, True, at)


def check_reminder_time(site: Site, time: dt.time) -> None:
    """Refuse an hour (the patient's own) at which the site sends nothing."""
    if not site.quiet_start <= time < site.quiet_end:
        raise ValidationError(
            {
                "reminder_time": _(
                    "Messages go out from %(first)s to %(last)s. Choose an hour between."
                )
                % {"first": f"{site.quiet_start:%H:%M}", "last": f"{site.quiet_end:%H:%M}"}
            }
        )


def _may_choose(patient: Patient, by: User | None) -> None:
    if by is not None and by.pk != patient.user_id and not helps(by, patient):
        require_staff(by, patient)


def _held(point: ContactPoint) -> ContactPoint:
    """The address as it stands now, kept from others until the change is made."""
    rows = ContactPoint.objects.select_for_update(of=["self"]).select_related("patient__site")
    try:
        return rows.get(pk=point.pk)
    except ContactPoint.DoesNotExist:
        raise ValidationError(_("This address is not there any more.")) from None


def _want(point: ContactPoint, wanted: bool, at: dt.datetime) -> ContactPoint:
    if point.reminders != wanted:
        point.reminders = wanted
        point.save(update_fields=["reminders"])
        if not wanted:
            _hold_back(point, TURNED_OFF, at)
    return point


def _comes_later(point: ContactPoint, at: dt.datetime) -> bool:
    """Whether, as now chosen, no reminder should have come today yet."""
    zone = point.patient.zone
    today = at.astimezone(zone).date()
    if not weekdays.falls_on(point.reminder_days, today):
        return True
    return at < quiet_hours.local_moment(today, point.reminder_time, zone)


def _hold_back(
    point: ContactPoint,
    reason: str,
    at: dt.datetime,
    kinds: Sequence[str] = OutboxMessage.REMINDERS,
) -> None:
    outbox.hold_back(
        subject=("patient", point.patient_id),
        address=(point.channel, point.address),
        reason=reason,
        at=at,
        kinds=kinds,
    )
