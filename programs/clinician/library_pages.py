"""The pages of the library and of program templates."""

from clinic.portal_site import PortalSite
from clinic.roles import May
from programs.clinician import exercise_edit, library, renew, templates

_EXERCISE = "library/<slug:slug>/"
_TEMPLATE = "templates/<int:pk>/"


def register(portal: PortalSite) -> None:
    """Add them to the portal, under Library and programs. The fixed addresses come first."""
    for route, view, name, menu in [
        ("library/", library.library, "library", "Library"),
        ("templates/", templates.templates, "templates", "Templates"),
    ]:
        portal.register_page(
            route, view, name=name, menu=menu, needs=May.SEE_CLINICAL, room="programs"
        )
    for route, view, name in [
        ("library/new/", exercise_edit.new, "library_new"),
        ("library/preview/", exercise_edit.preview, "library_preview"),
        (_EXERCISE + "edit/", exercise_edit.edit, "library_edit"),
        (_EXERCISE + "words/<str:language>/", exercise_edit.words, "library_words"),
        (_EXERCISE + "do/", library.do, "library_do"),
        ("templates/new/", templates.new, "template_new"),
        ("templates/preview/", templates.preview, "template_preview"),
        (_TEMPLATE + "edit/", templates.edit, "template_edit"),
        (_TEMPLATE + "do/", templates.do, "template_do"),
    ]:
        portal.register_page(route, view, name=name, needs=May.DECIDE)
    portal.register_page(
        _EXERCISE, library.exercise, name="library_exercise", needs=May.SEE_CLINICAL
    )
    portal.register_page(
        "patients/<uuid:pk>/renew/", renew.renew, name="patient_renew", needs=May.DECIDE
    )
    portal.register_page(_TEMPLATE, templates.template, name="template", needs=May.SEE_CLINICAL)
