"""The practice in the portal: sites, staff, and who looked at what."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.contrib.auth.admin import UserAdmin
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from clinic import watching, wording_pages
from clinic.absences import possible_covers, sites_answered_at
from clinic.models import BY_CODE, AccessRecord, Role, Site, Suppression, User
from clinic.roles import ByRole

admin.site.register_page(
    "wording/", wording_pages.overview, name="wording", menu="Message wording", room="clinic"
)
admin.site.register_page(
    "wording/<str:kind>/<str:channel>/<str:language>/", wording_pages.edit, name="wording_edit"
)


class PortalAdmin(ByRole, admin.ModelAdmin):
    """Permissions by role, plain controls that need no script, nothing to delete."""

    # What the table is called in the portal, one and many, where the model's own words differ.
    words: tuple[str, str] | None = None
    list_per_page = 60
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = None
    formfield_overrides = {
        models.TimeField: {
            "form_class": forms.TimeField,
            "widget": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        },
        models.TextField: {"widget": forms.Textarea(attrs={"rows": 3})},
    }

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"words": self.said(), **(extra_context or {})})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: Any = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        context = {"words": self.said(), **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def said(self) -> tuple[str, str]:
        return self.words or (str(self.opts.verbose_name), str(self.opts.verbose_name_plural))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        # Without the pop-up that adds a related row: it needs script, and sites are made rarely.
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, pk: Any) -> Any:
        # The stock answer sends people home with a message; a row of another site is not there.
        raise Http404


class ReadOnly:
    """Rows that the portal shows and never changes, whatever the role."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def sites_of(user: User) -> QuerySet[Site]:
    return Site.objects.all() if user.is_superuser else user.sites.all()


@admin.register(Site)
class SiteAdmin(PortalAdmin):
    list_display = ["name", "phone", "emergency_number", "urgent_number", "time_zone", "hours"]
    fieldsets = [
        (None, {"fields": ["name", "address", "phone", "time_zone"]}),
        (
            "What a patient in need reads",
            {
                "fields": [
                    "emergency_number",
                    "emergency_text",
                    "urgent_number",
                    "same_day_text",
                ]
            },
        ),
        ("When somebody answers", {"fields": ["opening_hours"]}),
        ("Messages to patients", {"fields": ["quiet_start", "quiet_end"]}),
    ]

    @admin.display(description="Messages")
    def hours(self, site: Site) -> str:
        return f"{site.quiet_start:%H:%M} to {site.quiet_end:%H:%M}"


_STAFF_ROLES = [(role.value, role.label) for role in Role if role not in BY_CODE]


class StaffForm(forms.ModelForm):
    role = forms.ChoiceField(choices=_STAFF_ROLES)

    class Meta:
        model = User
        fields = ["name", "email", "mobile", "role", "sites", "usual_cover", "is_active"]
        widgets = {"sites": forms.CheckboxSelectMultiple}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "usual_cover" in self.fields:
            self.fields["usual_cover"].queryset = possible_covers(self.instance)

    def clean_email(self) -> str:
        return self.cleaned_data["email"].strip().lower()


class NewStaffForm(StaffForm):
    class Meta(StaffForm.Meta):
        fields = ["name", "email", "role", "sites"]
        help_texts = {
            "email": "They set their own password with “I forgot my password” on the sign-in page."
        }

    def save(self, commit: bool = True) -> User:
        self.instance.set_unusable_password()
        return super().save(commit)


@admin.register(User)
class StaffAdmin(PortalAdmin, UserAdmin):
    """Staff only: patients get their account with their record."""

    words = ("member of staff", "staff")
    form, add_form = StaffForm, NewStaffForm
    list_display = ["name", "email", "role", "at_sites", "is_active"]
    list_filter = ["role", "is_active"]
    search_fields = ["name", "email"]
    ordering = ["name"]
    filter_horizontal = []
    readonly_fields = ["last_login"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "name",
                    "email",
                    "mobile",
                    "role",
                    "sites",
                    "usual_cover",
                    "is_active",
                    "last_login",
                ]
            },
        )
    ]
    add_fieldsets = [(None, {"fields": ["name", "email", "role", "sites"]})]
    add_form_template = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        found = super().get_queryset(request).exclude(role__in=BY_CODE).prefetch_related("sites")
        # Whoever sets a password may sign in with it: nobody reaches above themselves.
        return found if request.user.is_superuser else found.filter(is_superuser=False)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        # Somebody who can no longer sign in, or works elsewhere now, leaves no alert behind.
        watching.hand_over(at=timezone.now(), sites=sites_answered_at(form.instance))

    @admin.display(description="Sites")
    def at_sites(self, user: User) -> str:
        return ", ".join(site.name for site in user.sites.all())

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["widget"] = forms.CheckboxSelectMultiple()
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None:
            field.help_text = "They see the patients of these sites."
        return field


@admin.register(Suppression)
class SuppressionAdmin(ReadOnly, PortalAdmin):
    words = ("address not written to", "addresses not written to")
    list_display = ["address", "channel", "reason", "by_owner", "since"]
    list_filter = ["channel"]
    search_fields = ["address"]


@admin.register(AccessRecord)
class AccessRecordAdmin(ReadOnly, PortalAdmin):
    words = ("look at a record", "who looked at what")
    list_display = ["at", "actor", "action", "subject_type", "subject_id", "page"]
    list_filter = ["action", "subject_type", "page"]
    list_select_related = ["actor"]
    search_fields = ["actor__name", "subject_id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessRecord]:
        # Looks of colleagues; a person of two sites is shown to the managers of both.
        colleagues = User.objects.filter(sites__in=sites_of(request.user))
        return super().get_queryset(request).filter(actor__in=colleagues)
