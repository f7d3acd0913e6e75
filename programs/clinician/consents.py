"""What a patient agreed to, in words for staff: who, when, how, and to which wording."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from clinic.models import User
from clinic.models.messaging import Channel
from patients.consent_wordings import CURRENT, Wording, wording
from patients.consenting import OwnNo, own_no
from patients.models import Consent, Patient
from patients.models.consent import Way

PURPOSES = list(Consent.Purpose.choices)


@dataclass(frozen=True)
class Line:
    """One purpose. ``consent`` is the yes that stands, ``said`` and ``ended`` the last yes and its
    end in words, ``wording`` what a yes says."""

    patient: Patient
    purpose: str
    word: str
    consent: Consent | None
    said: str
    ended: str
    wording: Wording | None

    @cached_property
    def no(self) -> OwnNo | None:
        """A no that only the patient takes back; looked for only where it is shown."""
        if self.purpose not in Channel.values:
            return None
        return own_no(patient=self.patient, channel=self.purpose)


def lines_of(patient: Patient) -> list[Line]:
    """A line for each purpose, whether or not anybody ever agreed to it."""
    last: dict[str, Consent] = {}
    for consent in patient.consents.select_related("recorded_by", "withdrawn_by"):
        last.setdefault(consent.purpose, consent)
    return [_line(patient, purpose, word, last.get(purpose)) for purpose, word in PURPOSES]


def _line(patient: Patient, purpose: str, word: str, last: Consent | None) -> Line:
    standing = last if last and last.withdrawn_at is None else None
    said = ended = ""
    if last:
        said = _in_words(patient, last.given_at, last.way, last.recorded_by)
        said += f", wording {last.wording_version}"
        if last.withdrawn_at:
            ended = _in_words(patient, last.withdrawn_at, last.withdrawn_way, last.withdrawn_by)
    return Line(
        patient=patient,
        purpose=purpose,
        word=word,
        consent=standing,
        said=said,
        ended=ended,
        wording=wording(purpose, standing.wording_version if standing else CURRENT),
    )


def _in_words(patient: Patient, at: dt.datetime, way: str, by: User | None) -> str:
    how = Way(way).label.lower()
    who = "the patient" if by is None or by.pk == patient.user_id else by.name
    return f"{patient.local_date(at):%-d %b %Y}, {how}, by {who}"
