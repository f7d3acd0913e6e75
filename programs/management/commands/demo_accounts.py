"""``manage.py demo_accounts``: who can sign in to the demo practice."""

from django.core.management.base import BaseCommand

from clinic.models import User
from programs.demo.practice import PASSWORD, STAFF


class Command(BaseCommand):
    help = "Prints the demo accounts that exist, or nothing outside a demo practice."

    def handle(self, **options) -> None:
        known = set(User.objects.values_list("email", flat=True))
        for email, name, role in STAFF:
            if email in known:
                self.stdout.write(f"{role.label:16} {email:24} password: {PASSWORD}   ({name})")
        if "ana@patients.example" in known:
            self.stdout.write(
                f"{'Patient':16} {'ana@patients.example':24} a code by e-mail, in the demo mailbox"
            )
