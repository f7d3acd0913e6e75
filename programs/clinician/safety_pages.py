"""The pages of the safety loop: alerts, absences, and how soon alerts were seen."""

from clinic.portal_site import PortalSite
from clinic.roles import May
from programs.clinician import absences, alert_report, alerts

_ONE = "alerts/<int:pk>/"


def register(portal: PortalSite) -> None:
    """Add them to the portal."""
    portal.register_page(
        "alerts/",
        alerts.alerts_page,
        name="alerts",
        menu="Alerts",
        needs=May.ACKNOWLEDGE,
        count=alerts.waiting_for,
    )
    portal.register_page(_ONE, alerts.alert, name="alert", needs=May.ACKNOWLEDGE)
    portal.register_page(_ONE + "seen/", alerts.seen, name="alert_seen", needs=May.ACKNOWLEDGE)
    portal.register_page(_ONE + "close/", alerts.close, name="alert_close", needs=May.ACKNOWLEDGE)
    portal.register_page(
        _ONE + "reassign/", alerts.reassign, name="alert_reassign", needs=May.ACKNOWLEDGE
    )
    portal.register_page(
        "absences/",
        absences.absences_page,
        name="absences",
        menu="absences",
        needs=May.ACKNOWLEDGE,
        room="clinic",
    )
    portal.register_page(
        "absences/<int:pk>/end/", absences.end, name="absence_end", needs=May.ACKNOWLEDGE
    )
    portal.register_page(
        "reports/alerts/", alert_report.report, name="alert_report", needs=May.SEE_CLINICAL
    )
    portal.register_page(
        "reports/alerts.csv",
        alert_report.report_csv,
        name="alert_report_csv",
        needs=May.SEE_CLINICAL,
    )
