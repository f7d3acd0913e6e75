"""What lies on the desk of the demo practice: the appointments of two weeks, and what strangers
asked on the public page."""

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import cycle

from clinic.enquiries import answer_enquiry, confirm_enquiry, make_enquiry, mark_spam
from clinic.models import Enquiry, Role, Site, User
from clinic.quiet_hours import local_moment
from patients.appointing import cancel_appointment, make_appointment, settle_appointment
from patients.models import Patient
from programs.demo.messages import went_out

SLOTS = (dt.time(9), dt.time(9, 40), dt.time(11), dt.time(14, 20))
MINUTES = (40, 30, 30, 40)
BEFORE, AFTER = 4, 9
# Every so many patients one does not come, and one calls off.
MISSES, CANCELS = 7, 9

# Wish, names, mail, telephone, words, days and hour before now, and what became of it.
ENQUIRIES = (
    (
        Enquiry.Wish.DISCOVERY,
        ("Petra", "Lindgren"),
        "petra.lindgren@people.example",
        "",
        "Six years at a desk, and stiff every evening. Could we meet first?",
        (0, 19),
        "confirmed",
    ),
    (
        Enquiry.Wish.CALL_BACK,
        ("Tarek", "Aziz"),
        "",
        "+442079460355",
        "Please ring after five.",
        (0, 12),
        "",
    ),
    (
        Enquiry.Wish.GUIDE,
        ("Wen", "Zhao"),
        "wen.zhao@people.example",
        "",
        "",
        (1, 21),
        "",
    ),
    (
        Enquiry.Wish.GUIDE,
        ("Rosa", "Ferreira"),
        "rosa.ferreira@people.example",
        "",
        "",
        (3, 8),
        "confirmed",
    ),
    (
        Enquiry.Wish.DISCOVERY,
        ("Declan", "O’Rourke"),
        "declan@people.example",
        "+442079460361",
        "I row, and want to be back in the boat by spring.",
        (5, 10),
        "answered",
    ),
    (
        Enquiry.Wish.CALL_BACK,
        ("Best", "Offers"),
        "",
        "+442079460399",
        "Be on page one of every search!",
        (6, 3),
        "spam",
    ),
)


def fill_desk(*, sites: Sequence[Site], staff: Sequence[User], last_day: dt.date) -> None:
    """Appointments around the day after ``last_day``, and the enquiries of the week before it."""
    for place, physio in enumerate(user for user in staff if user.is_clinician):
        # The one whose portal is opened first has the fullest days.
        _appointments(physio, SLOTS if place == 0 else SLOTS[::2], last_day)
    desk = next(user for user in staff if user.role == Role.FRONT_DESK)
    _enquiries(sites[0], desk, last_day)


def _appointments(physio: User, slots: Sequence[dt.time], last_day: dt.date) -> None:
    patients = Patient.objects.filter(physiotherapist=physio).order_by("number")
    # Each once: nobody comes twice in two weeks.
    for number, (patient, (day, slot, minutes)) in enumerate(
        zip(patients, _slots(slots, last_day), strict=False), start=1
    ):
        starts_at = local_moment(day, slot, patient.site.zone)
        made_at = local_moment(
            last_day - dt.timedelta(days=BEFORE + 1), dt.time(10), patient.site.zone
        )
        appointment = make_appointment(
            patient=patient,
            physiotherapist=physio,
            starts_at=starts_at,
            minutes=minutes,
            by=physio,
            at=made_at,
        )
        if number % CANCELS == 0:
            cancel_appointment(
                appointment=appointment, reason="Away for work.", by=physio, at=made_at
            )
        elif day <= last_day:
            settle_appointment(
                appointment=appointment,
                came=number % MISSES != 0,
                by=physio,
                at=appointment.ends_at,
            )


def _slots(times: Sequence[dt.time], last_day: dt.date) -> Iterator[tuple[dt.date, dt.time, int]]:
    """The times of each working day, today's first: few patients are to fill that one."""
    offsets = sorted(range(-BEFORE, AFTER + 1), key=lambda offset: (abs(offset - 1), offset))
    for offset in offsets:
        day = last_day + dt.timedelta(days=offset)
        if day.weekday() < 5:
            for time, minutes in zip(times, cycle(MINUTES), strict=False):
                yield day, time, minutes


def _enquiries(site: Site, desk: User, last_day: dt.date) -> None:
    for number, (wish, names, email, phone, words, (days, hour), fate) in enumerate(ENQUIRIES):
        at = local_moment(last_day - dt.timedelta(days=days), dt.time(hour, 7), site.zone)
        enquiry = make_enquiry(
            site=site,
            wish=wish,
            given_name=names[0],
            family_name=names[1],
            email=email,
            phone=phone,
            words=words,
            agreed=True,
            form_token=f"demo-{number}",
            at=at,
        )
        went_out("enquiry", enquiry.pk)
        if email and fate:
            confirm_enquiry(enquiry=enquiry, at=at + dt.timedelta(minutes=9))
            went_out("enquiry", enquiry.pk)
        if fate == "answered":
            answer_enquiry(enquiry=enquiry, by=desk, at=at + dt.timedelta(hours=5))
        elif fate == "spam":
            mark_spam(enquiry=enquiry, by=desk, at=at + dt.timedelta(hours=6))
