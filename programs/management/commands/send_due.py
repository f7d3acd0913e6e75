"""Plan and send what is due now, once, without beat, worker or Redis."""

from django.core.management.base import BaseCommand
from django.utils import timezone

from clinic.messaging import sending
from programs import reminders


class Command(BaseCommand):
    help = "Plan and send what is due now, once."

    def handle(self, *args, **options) -> None:
        now = timezone.now()
        swept = sending.sweep(at=now)
        planned = reminders.plan_reminders(at=now)
        report = sending.send_all_due()
        self.stdout.write(
            f"planned {planned.due}, sent {report.sent}, failed {report.failed}, "
            f"put back {report.put_back}, unknown {report.unknown + swept.unknown}, "
            f"held back {planned.suppressed + report.suppressed}, "
            f"too late {planned.expired + report.expired + swept.expired}"
        )
