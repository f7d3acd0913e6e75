"""The work in the portal: the library, what rules and clinicians did, and our own pages."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from clinic.admin import PortalAdmin, ReadOnly
from clinic.roles import May
from clinic.templatetags.look import decision_mark
from patients.admin import OfPatients
from programs.clinician import (
    agenda_pages,
    around_pages,
    board,
    board_pages,
    conversation,
    deletions,
    delivery,
    editor_pages,
    figures,
    intake,
    library_pages,
    patient_messages,
    patient_page,
    patient_pages,
    policy_pages,
    post_injury_pages,
    record,
    reports,
    results,
    safety_pages,
    sign_in_sheet,
)
from programs.models import (
    Decision,
    HabitTask,
    ProgramVersion,
    Session,
)

portal = admin.site
_ONE = "patients/<uuid:pk>/"

portal.register_home(board.board)
safety_pages.register(portal)
around_pages.register(portal)
board_pages.register(portal)
post_injury_pages.register(portal)
agenda_pages.register(portal)
portal.register_page(
    "patients/new/",
    record.register,
    name="patient_new",
    menu="New patient",
    needs=May.REGISTER,
)
portal.register_page(
    "delivery/",
    delivery.report,
    name="delivery_report",
    menu="Delivery",
    needs=May.MANAGE,
    room="clinic",
)
portal.register_page("delivery.csv", delivery.report_csv, name="delivery_csv", needs=May.MANAGE)
portal.register_page(
    "delivery/messages/", delivery.behind, name="delivery_messages", needs=May.MANAGE
)
portal.register_page(
    "deletions/",
    deletions.deletions,
    name="deletions",
    menu="deletion requests",
    needs=May.MANAGE,
    room="patients",
)
portal.register_page(
    "reports/",
    reports.reports,
    name="reports",
    menu="Reports",
    needs=May.SEE_CLINICAL,
    room="clinic",
)
portal.register_page("reports.csv", reports.reports_csv, name="reports_csv", needs=May.SEE_CLINICAL)
portal.register_page("figures/", figures.figures, name="figures", menu="Figures", room="programs")
policy_pages.register(portal)
library_pages.register(portal)
portal.register_page(_ONE, patient_page.patient_page, name="patient")
patient_pages.register(portal)
portal.register_page(_ONE + "messages/", patient_messages.patient_messages, name="patient_messages")
portal.register_page(_ONE + "record/", record.record, name="patient_record", needs=May.REGISTER)
portal.register_page(
    _ONE + "sheet/new/", sign_in_sheet.new_sheet, name="patient_new_sheet", needs=May.REGISTER
)
portal.register_page(_ONE + "sheet/", sign_in_sheet.sheet, name="patient_sheet", needs=May.REGISTER)
portal.register_page(_ONE + "intake/", intake.intake, name="patient_intake", needs=May.ASSESS)
portal.register_page(
    _ONE + "results/", results.results, name="patient_results", needs=May.SEE_CLINICAL
)
editor_pages.register(portal)
portal.register_page(_ONE + "reopen/", patient_page.reopen, name="patient_reopen", needs=May.DECIDE)
portal.register_page(
    _ONE + "proposals/<int:proposal>/accept/",
    patient_page.accept,
    name="patient_accept",
    needs=May.DECIDE,
)
portal.register_page(
    _ONE + "proposals/<int:proposal>/decline/",
    patient_page.decline,
    name="patient_decline",
    needs=May.DECIDE,
)
portal.register_page(
    _ONE + "alerts/<int:alert>/seen/",
    patient_page.seen,
    name="patient_seen",
    needs=May.ACKNOWLEDGE,
)
portal.register_page(
    _ONE + "texts/<int:text>/answered/",
    conversation.answered,
    name="patient_text_answered",
    needs=May.ACKNOWLEDGE,
)


@admin.register(HabitTask)
class HabitTaskAdmin(ReadOnly, PortalAdmin):
    list_display = ["title", "cadence", "version"]
    fields = ["title", "text", "cadence", "version"]


@admin.register(Decision)
class DecisionAdmin(OfPatients):
    patient_path = "program__patient"
    list_display = ["at", "who", "mark", "rules_said", "handling", "policy"]
    list_filter = ["outcome", "handling"]
    list_select_related = ["program__patient", "policy"]
    search_fields = ["program__patient__family_name", "program__patient__number"]
    fields = ["at", "who", "mark", "rules_said", "handling", "policy", "patient_text"]
    readonly_fields = ["who", "mark", "rules_said"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        return super().get_queryset(request).defer("evidence", "fired")

    @admin.display(description="Patient")
    def who(self, decision: Decision) -> str:
        return decision.program.patient.name

    @admin.display(description="Decision", ordering="outcome")
    def mark(self, decision: Decision) -> SafeString:
        return format_html("{}", decision_mark(decision.outcome, False))

    @admin.display(description="Rules")
    def rules_said(self, decision: Decision) -> str:
        return ", ".join(decision.rules)


@admin.register(ProgramVersion)
class ProgramVersionAdmin(OfPatients):
    patient_path = "program__patient"
    list_display = ["at", "who", "number", "cause", "by", "reason"]
    list_filter = ["cause", "pathway"]
    list_select_related = ["program__patient", "by"]
    search_fields = ["program__patient__family_name", "program__patient__number"]
    exclude = ["program"]

    @admin.display(description="Patient")
    def who(self, version: ProgramVersion) -> str:
        return version.program.patient.name


@admin.register(Session)
class SessionAdmin(OfPatients):
    patient_path = "program__patient"
    list_display = ["day", "who", "status", "skip_reason", "known"]
    list_filter = ["status", "known", "skip_reason"]
    list_select_related = ["program__patient"]
    search_fields = ["program__patient__family_name", "program__patient__number"]
    exclude = ["client_id", "items", "program"]

    @admin.display(description="Patient")
    def who(self, session: Session) -> str:
        return session.program.patient.name
