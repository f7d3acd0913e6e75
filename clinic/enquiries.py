"""Enquiries: made by anybody on the public page, confirmed by who gave the address, answered and
closed by staff, and deleted when their time is over.

Nobody is written to but the one address that was given, and there only to ask whether it is
theirs, until they said so. Who becomes a patient is the room above's to do.
"""

import datetime as dt
import re
import uuid

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.utils.translation import gettext as _

from clinic.addresses import read_address
from clinic.guide import as_text, guide_in
from clinic.messaging import outbox
from clinic.messaging.asked_for import asked_words
from clinic.models import Enquiry, OutboxMessage, Site, User
from clinic.models.messaging import Channel
from clinic.roles import May, may

State, Wish = Enquiry.State, Enquiry.Wish
Kind = OutboxMessage.Kind

CONFIRM_WITHIN = dt.timedelta(days=7)
GUIDE_OPENS_FOR = dt.timedelta(days=90)
# How long one is kept whose address was never confirmed, and one that is done with. The public
# page says both.
UNCONFIRMED_KEPT_DAYS, DONE_KEPT_DAYS = 14, 90
_SUBJECT = "enquiry"
# What nobody is called; a name goes nowhere but to staff, and must not lead them anywhere either.
_ADDRESS = re.compile(r"@|://|\bwww\.|\b[\w-]{2,}\.(?:[a-z]{2,4})\b")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


# --- whoever asks ------------------------------------------------------------------------------


@transaction.atomic
def make_enquiry(
    *,
    site: Site,
    wish: str,
    given_name: str,
    family_name: str,
    form_token: str,
    at: dt.datetime,
    email: str = "",
    phone: str = "",
    words: str = "",
    language: str = "en",
    agreed: bool = False,
) -> Enquiry:
    """Keep what somebody wrote, and ask the mail address whether it is theirs.

    ``form_token`` names the form it came from: the same one again changes nothing and returns the
    first. Raises ValidationError by field, in the reader's language.
    """
    known = Enquiry.objects.filter(form_token=form_token).first()
    if known is not None:
        return known
    wrong = problems(
        wish=wish,
        given_name=given_name,
        family_name=family_name,
        email=email,
        phone=phone,
        agreed=agreed,
    )
    if wrong:
        raise ValidationError(wrong)
    email, phone, _none = _ways(email, phone)
    enquiry = Enquiry(
        site=site,
        wish=wish,
        given_name=given_name.strip(),
        family_name=family_name.strip(),
        email=email,
        phone=phone,
        words=words.strip(),
        language=language,
        form_token=form_token,
        agreed_at=at,
        made_at=at,
    )
    # Two of the same form at once: the second finds the first.
    Enquiry.objects.bulk_create([enquiry], ignore_conflicts=True)
    kept = Enquiry.objects.get(form_token=form_token)
    if kept.pk == enquiry.pk and email:
        _write(kept, Kind.ENQUIRY_CONFIRM, at, CONFIRM_WITHIN)
    return kept


@transaction.atomic
def confirm_enquiry(*, enquiry: Enquiry, at: dt.datetime) -> Enquiry:
    """The address is theirs. Sends the guide where it was asked for; a second time changes
    nothing."""
    enquiry = _held(enquiry)
    if enquiry.confirmed_at is None:
        enquiry.confirmed_at = at
        enquiry.save(update_fields=["confirmed_at"])
        if enquiry.wish == Wish.GUIDE and enquiry.state != State.SPAM:
            _write(enquiry, Kind.ENQUIRY_GUIDE, at, GUIDE_OPENS_FOR)
    return enquiry


def of_message(message: OutboxMessage) -> Enquiry | None:
    """The enquiry a mail of this module is about; None when it was deleted."""
    if message.subject_type != _SUBJECT:
        return None
    return Enquiry.objects.select_related("site").filter(pk=message.subject_id).first()


def last_mails(enquiries: list[Enquiry]) -> dict[uuid.UUID, OutboxMessage]:
    """The newest mail to each: the one that asks for the address, or the guide."""
    ids = [str(enquiry.pk) for enquiry in enquiries]
    mails = OutboxMessage.objects.filter(subject_type=_SUBJECT, subject_id__in=ids)
    # The guide goes out later; of two at the same moment it is the one to speak of.
    return {uuid.UUID(mail.subject_id): mail for mail in mails.order_by("created_at", "kind")}


# --- staff -------------------------------------------------------------------------------------


def answer_enquiry(*, enquiry: Enquiry, by: User, at: dt.datetime) -> Enquiry:
    """Somebody spoke to them; nothing more is to be done."""
    return settle(enquiry=enquiry, state=State.ANSWERED, by=by, at=at)


def close_enquiry(*, enquiry: Enquiry, reason: str, by: User, at: dt.datetime) -> Enquiry:
    """Nothing comes of it; ``reason`` is one of ``Enquiry.Reason``."""
    if reason not in Enquiry.Reason.values:
        raise ValidationError({"reason": "Say why it is closed."})
    return settle(enquiry=enquiry, state=State.CLOSED, reason=reason, by=by, at=at)


def mark_spam(*, enquiry: Enquiry, by: User, at: dt.datetime) -> Enquiry:
    """Nobody meant this; nothing more is sent to its address."""
    with transaction.atomic():
        outbox.hold_back(
            reason="Staff took the enquiry for spam.",
            at=at,
            subject=(_SUBJECT, enquiry.pk),
            kinds=[Kind.ENQUIRY_CONFIRM, Kind.ENQUIRY_GUIDE],
        )
        return settle(enquiry=enquiry, state=State.SPAM, by=by, at=at)


@transaction.atomic
def reopen_enquiry(*, enquiry: Enquiry, by: User, at: dt.datetime) -> Enquiry:
    """Put one back among the open ones. One that became a patient stays one."""
    require_desk(enquiry, by)
    enquiry = _held(enquiry)
    if enquiry.state == State.REGISTERED:
        raise ValidationError("This is a patient now. Open the record instead.")
    enquiry.state, enquiry.reason = State.NEW, ""
    enquiry.handled_by = enquiry.handled_at = None
    enquiry.save(update_fields=["state", "reason", "handled_by", "handled_at"])
    return enquiry


@transaction.atomic
def settle(
    *,
    enquiry: Enquiry,
    state: str,
    by: User,
    at: dt.datetime,
    reason: str = "",
    patient_id: uuid.UUID | None = None,
) -> Enquiry:
    """Take one from the open ones to ``state``. The same again changes nothing.

    Raises ValidationError when somebody else has settled it another way.
    """
    require_desk(enquiry, by)
    enquiry = _held(enquiry)
    if (enquiry.state, enquiry.reason) == (state, reason):
        return enquiry
    if enquiry.state != State.NEW:
        who = enquiry.handled_by.name if enquiry.handled_by else "Somebody"
        raise ValidationError(f"{who} has handled this already: {enquiry.get_state_display()}.")
    enquiry.state, enquiry.reason, enquiry.patient_id = state, reason, patient_id
    enquiry.handled_by, enquiry.handled_at = by, at
    enquiry.save(update_fields=["state", "reason", "patient_id", "handled_by", "handled_at"])
    return enquiry


def require_desk(enquiry: Enquiry, by: User) -> None:
    """Raise PermissionDenied unless ``by`` may register people at the site that was asked."""
    if not may(by, May.REGISTER) or not Enquiry.objects.visible_to(by).filter(pk=enquiry.pk):
        raise PermissionDenied("Only staff of the site that was asked may do this.")


def waiting_for(user: User) -> int:
    """How many enquiries wait for an answer at the sites of this member of staff."""
    if not may(user, May.REGISTER):
        return 0
    if user.is_superuser:
        return Enquiry.objects.waiting().count()
    # On every page of the portal: ``visible_to`` and ``waiting`` by hand, since putting them
    # together took longer than the answer.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM clinic_enquiry enquiry JOIN clinic_user_sites theirs"
            " ON theirs.site_id = enquiry.site_id AND theirs.user_id = %s"
            " WHERE state = 'new' AND (phone <> '' OR confirmed_at IS NOT NULL)",
            [user.pk],
        )
        return cursor.fetchone()[0]


# --- time --------------------------------------------------------------------------------------


@transaction.atomic
def forget_old(*, at: dt.datetime) -> int:
    """Delete what nobody needs any more; returns how many. Of a mail to them stays that it was
    sent, without the address."""
    long_open = Enquiry.objects.filter(
        confirmed_at__isnull=True,
        made_at__lte=at - dt.timedelta(days=UNCONFIRMED_KEPT_DAYS),
    ).exclude(email="")
    # Who gave a telephone number too can still be called; the address may be a stranger's.
    long_open.exclude(phone="").update(email="")
    never = long_open.filter(phone="", state__in=[State.NEW, State.CLOSED, State.SPAM])
    done = Enquiry.objects.exclude(state=State.NEW).filter(
        handled_at__lte=at - dt.timedelta(days=DONE_KEPT_DAYS)
    )
    ids = [*never.values_list("pk", flat=True), *done.values_list("pk", flat=True)]
    if not ids:
        return 0
    OutboxMessage.objects.filter(
        subject_type=_SUBJECT, subject_id__in=[str(pk) for pk in ids]
    ).exclude(status__in=_ON_ITS_WAY).update(address="")
    Enquiry.objects.filter(pk__in=ids).delete()
    return len(ids)


_ON_ITS_WAY = (
    OutboxMessage.Status.DUE,
    OutboxMessage.Status.CLAIMED,
    OutboxMessage.Status.SENDING,
)


# --- inside ------------------------------------------------------------------------------------


def _ways(email: str, phone: str) -> tuple[str, str, dict[str, str]]:
    """Both in their one spelling, and what is wrong with them."""
    email, phone, problems = email.strip().lower(), phone.strip(), {}
    if email:
        try:
            validate_email(email)
        except ValidationError:
            problems["email"] = _(
                "This does not look like an e-mail address. It needs an @, as in name@example.org."
            )
    if phone:
        try:
            channel, phone = read_address(phone)
            if channel != Channel.SMS:
                raise ValidationError("")
        except ValidationError:
            problems["phone"] = _(
                "This does not look like a telephone number. Write it with its country code, such "
                "as +44 7700 900123."
            )
    return email, phone, problems


def problems(
    *, wish: str, given_name: str, family_name: str, email: str, phone: str, agreed: bool
) -> dict[str, str]:
    """What keeps an enquiry from being made, by field, in the reader's language."""
    email, phone, found = _ways(email, phone)
    for field, name, words in (
        ("given_name", given_name, _("Write your first name.")),
        ("family_name", family_name, _("Write your family name.")),
    ):
        if not name.strip():
            found[field] = words
        elif _ADDRESS.search(name) or _CONTROL.search(name):
            found[field] = _("Write only your name here.")
    if wish not in Wish.values:
        found["wish"] = _("Choose what you would like.")
    if not (email or phone):
        found["email"] = _("Give us an e-mail address or a mobile number, so that we can answer.")
    elif wish == Wish.GUIDE and not email:
        found["email"] = _("We send the guide by e-mail. Give us your e-mail address.")
    if not agreed:
        found["agreed"] = _("We may only answer if you agree to it. Please tick the box.")
    return found


def _write(enquiry: Enquiry, kind: str, at: dt.datetime, opens_for: dt.timedelta) -> None:
    site = enquiry.site
    guide = guide_in(
        enquiry.language, emergency=site.emergency_number, practice=site.name, phone=site.phone
    )
    subject_line, body = asked_words(
        kind,
        channel=Channel.EMAIL,
        site=site,
        language=enquiry.language,
        guide=as_text(guide),
    )
    outbox.queue_message(
        key=f"{kind}:{enquiry.pk}",
        kind=kind,
        channel=Channel.EMAIL,
        subject_type=_SUBJECT,
        subject_id=enquiry.pk,
        address=enquiry.email,
        subject_line=subject_line,
        body=body,
        language=enquiry.language,
        due_at=at,
        expires_at=at + dt.timedelta(days=2),
        link_expires_at=at + opens_for,
        at=at,
    )


def _held(enquiry: Enquiry) -> Enquiry:
    rows = Enquiry.objects.select_for_update(of=["self"]).select_related("site", "handled_by")
    return rows.get(pk=enquiry.pk)
