"""Django's entry to the clinic room."""

from django.apps import AppConfig


class ClinicConfig(AppConfig):
    name = "clinic"
