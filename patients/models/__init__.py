"""Tables about the person who is treated."""

from patients.models.appointment import Appointment, CalendarFeed
from patients.models.carer import Carer, SignInSheet
from patients.models.check_in import CheckIn
from patients.models.consent import Consent, Refusal
from patients.models.erasure import ErasureRequest
from patients.models.import_draft import ImportDraft
from patients.models.injury import Injury, Limit
from patients.models.intake import IntakeScreening
from patients.models.measure import Measure, Point, Questionnaire
from patients.models.note import ClinicalNote
from patients.models.patient import ContactPoint, Patient
from patients.models.preferences import Preferences
from patients.models.safety import RedFlag, RedFlagScreening

__all__ = [
    "Appointment",
    "CalendarFeed",
    "Carer",
    "CheckIn",
    "ClinicalNote",
    "Consent",
    "ContactPoint",
    "ErasureRequest",
    "ImportDraft",
    "Injury",
    "IntakeScreening",
    "Limit",
    "Measure",
    "Patient",
    "Point",
    "Preferences",
    "Questionnaire",
    "RedFlag",
    "RedFlagScreening",
    "Refusal",
    "SignInSheet",
]
