"""Makes our own portal the one admin site of the installation."""

from django.contrib.admin.apps import AdminConfig


class PortalAdminConfig(AdminConfig):
    default_site = "clinic.portal_site.PortalSite"
