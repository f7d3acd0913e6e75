"""Records in the portal: answers as given, and the messages about a person."""

from typing import Any

from django.contrib import admin
from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from clinic.admin import PortalAdmin, ReadOnly
from clinic.audit import record_access
from clinic.models import AccessRecord, OutboxMessage
from clinic.roles import May, may
from patients.models import CheckIn, IntakeScreening, Patient
from patients.unknown_messages import unknown_messages

admin.site.register_page(
    "messages/unknown/",
    unknown_messages,
    name="unknown_messages",
    menu="messages of unknown fate",
    needs=May.REGISTER,
    room="clinic",
)


class OfPatients(ReadOnly, PortalAdmin):
    """Rows of patients of one's own sites; opening one is written down.

    ``patient_path`` leads from the row to the patient.
    """

    patient_path = "patient"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        visible = Patient.objects.visible_to(request.user)
        return super().get_queryset(request).filter(**{f"{self.patient_path}__in": visible})

    def change_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        found = self.get_object(request, object_id)
        if found is not None:
            patient: Any = found
            for step in self.patient_path.split("__"):
                patient = getattr(patient, step)
            record_access(
                actor=request.user,
                action=AccessRecord.Action.READ,
                subject_type="patient",
                subject_id=patient.pk,
                page=self.opts.model_name,
                at=timezone.now(),
            )
        return super().change_view(request, object_id, *args, **kwargs)


@admin.register(CheckIn)
class CheckInAdmin(OfPatients):
    words = ("check-in", "check-ins")
    list_display = ["day", "patient", "kind", "at"]
    list_filter = ["kind"]
    list_select_related = ["patient"]
    search_fields = ["patient__family_name", "patient__given_name", "patient__number"]
    exclude = ["client_id"]


@admin.register(IntakeScreening)
class IntakeScreeningAdmin(OfPatients):
    list_display = ["taken_at", "patient", "taken_by"]
    list_select_related = ["patient", "taken_by"]
    search_fields = ["patient__family_name", "patient__given_name", "patient__number"]


def _name_of_subject() -> Subquery:
    """The name of the patient whom a row names as its subject, as a column of that row."""
    named = Patient.objects.order_by().annotate(text=Cast("pk", CharField()))
    return Subquery(
        named.filter(text=OuterRef("subject_id"))
        .annotate(whole=Concat("given_name", Value(" "), "family_name"))
        .values("whole")[:1]
    )


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnly, PortalAdmin):
    """Every message with its fate. What it says is for clinical eyes only."""

    words = ("message", "messages")
    list_display = ["due_at", "to", "kind", "channel", "address", "status", "reason"]
    list_filter = ["status", "kind", "channel"]
    search_fields = ["address"]
    ordering = ["-due_at"]
    readonly_fields = ["subject_line", "body"]
    fields = [
        "kind",
        "channel",
        "address",
        "status",
        "reason",
        "subject_line",
        "body",
        "due_at",
        "expires_at",
        "settled_at",
        "attempts",
        "carrier",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboxMessage]:
        visible = Patient.objects.visible_to(request.user)
        ids = visible.order_by().annotate(text=Cast("pk", CharField())).values("text")
        found = super().get_queryset(request).annotate(patient_name=_name_of_subject())
        to_patients = found.filter(subject_type="patient", subject_id__in=ids)
        if not may(request.user, May.SEE_CLINICAL):
            return to_patients
        # Alerts to staff of the same sites name no patient.
        colleagues = request.user.sites.values("staff__email")
        return to_patients | found.filter(subject_type="alert", address__in=colleagues)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if may(request.user, May.SEE_CLINICAL):
            return list(self.fields)
        return [name for name in self.fields if name not in ("body", "subject_line")]

    @admin.display(description="Subject line")
    def subject_line(self, message: OutboxMessage) -> str:
        return message.text.subject_line

    @admin.display(description="Words")
    def body(self, message: OutboxMessage) -> str:
        return message.text.body

    @admin.display(description="To")
    def to(self, message: OutboxMessage) -> str:
        if message.subject_type == "patient":
            return message.patient_name or "Patient"
        return "Staff"
