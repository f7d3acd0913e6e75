"""The clinician portal: our own admin site."""

from django.contrib.admin import AdminSite


class PortalSite(AdminSite):
    site_header = "Steadyback"
    site_title = "Steadyback"
    index_title = "Caseload"
