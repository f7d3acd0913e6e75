"""Django's entry to the patients room."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "patients"
