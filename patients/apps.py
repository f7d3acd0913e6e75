"""Django's entry to the patients room."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "patients"

    def ready(self) -> None:
        from patients import receivers  # noqa: F401
