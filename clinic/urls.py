"""Addresses of the practice itself."""

from django.templatetags.static import static
from django.urls import path, re_path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from clinic import (
    demo_mailbox,
    enquire_pages,
    health,
    receipt_hooks,
    stop_page,
    text_hooks,
)

_ICON = lazy(static, str)("clinic/favicon.svg")
_ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

urlpatterns = [
    # Browsers ask for it beside pages that name no icon. A page that says "not found" would bring
    # a cookie for forms, which could take the place of the one of the page that is opened next.
    path("favicon.ico", RedirectView.as_view(url=_ICON), name="favicon"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("demo/messages/", demo_mailbox.messages, name="demo_messages"),
    path("demo/messages/<int:number>/html/", demo_mailbox.html, name="demo_message_html"),
    # Carriers call these; some add a slash to an address, some do not.
    re_path(
        rf"^hooks/twilio/status/(?P<message_id>{_ID})/?$",
        receipt_hooks.twilio_status,
        name="twilio_status",
    ),
    re_path(
        rf"^hooks/sms/status/(?P<message_id>{_ID})/?$",
        receipt_hooks.plain_status,
        name="plain_status",
    ),
    re_path(r"^hooks/twilio/texts/?$", text_hooks.twilio, name="twilio_texts"),
    re_path(r"^hooks/sms/texts/?$", text_hooks.plain, name="plain_texts"),
    path("hooks/anymail/<path:service>", receipt_hooks.mail_status, name="mail_status"),
    path("enquire/", enquire_pages.enquire, name="enquire"),
    path("enquire/sent/", enquire_pages.sent, name="enquire_sent"),
    # A slash that a mail program adds does no harm.
    re_path(
        r"^enquire/confirm/(?P<token>[^/]{1,64})/?$", enquire_pages.confirm, name="enquiry_confirm"
    ),
    re_path(r"^guide/(?P<token>[^/]{1,64})/?$", enquire_pages.guide, name="enquiry_guide"),
    re_path(r"^stop/(?P<token>[^/]{1,64})/?$", stop_page.stop_reminders, name="stop_reminders"),
]
