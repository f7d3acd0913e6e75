"""Django's entry to the programs room."""

from django.apps import AppConfig


class ProgramsConfig(AppConfig):
    name = "programs"

    def ready(self) -> None:
        from programs import receivers, unsaid  # noqa: F401
