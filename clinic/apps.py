"""Django's entry to the clinic room."""

from django.apps import AppConfig


class ClinicConfig(AppConfig):
    name = "clinic"

    def ready(self) -> None:
        from clinic import checks, receivers, site_numbers  # noqa: F401
