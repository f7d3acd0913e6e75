"""Addresses of the patient's pages. None of them carries a health detail."""

from django.urls import path, re_path

from programs import (
    offline,
    offline_forms,
    portal,
    portal_answers,
    portal_carers,
    portal_language,
    portal_link,
    portal_measures,
    portal_reminders,
    portal_seeing,
    portal_settings,
    portal_sign_in,
)

urlpatterns = [
    path("", portal.home, name="portal_home"),
    path("routine/", portal.routine, name="portal_routine"),
    path("routine/skip/", portal.skip, name="portal_skip"),
    path("check-in/after/", portal_answers.after, name="portal_after"),
    path("check-in/morning/", portal_answers.morning, name="portal_morning"),
    path("check-in/result/<uuid:client_id>/", portal_answers.result, name="portal_result"),
    path("check-in/questions/", portal_answers.questions, name="portal_questions"),
    path("serious/", portal_answers.serious, name="portal_serious"),
    path("language/", portal_language.language, name="portal_language"),
    path("reminders/", portal_reminders.reminders, name="portal_reminders"),
    path("progress/", portal_seeing.progress, name="portal_progress"),
    path("measure/", portal_measures.measures, name="portal_measures"),
    path("measure/<int:pk>/", portal_measures.measure, name="portal_measure"),
    path("read/", portal_seeing.reading, name="portal_reading"),
    path("read/<slug:slug>/", portal_seeing.read, name="portal_read"),
    path("settings/", portal_settings.settings_home, name="portal_settings"),
    path("settings/session/", portal_settings.session, name="portal_settings_session"),
    path("settings/reading/", portal_settings.reading, name="portal_settings_reading"),
    path("settings/language/", portal_settings.language, name="portal_settings_language"),
    path("carers/", portal_carers.carers, name="portal_carers"),
    path("helping/", portal_carers.helping, name="portal_helping"),
    re_path(r"^in/(?P<token>[^/]{1,64})/?$", portal_sign_in.door, name="portal_door"),
    # As short as a text message needs it; a slash that a mail program adds does no harm.
    re_path(r"^r/(?P<token>[^/]{1,64})/?$", portal_link.reminder_link, name="portal_link"),
    path("sw.js", offline.worker, name="offline_worker"),
    path("manifest.webmanifest", offline.manifest, name="offline_manifest"),
    path("offline/", offline.offline_page, name="offline_page"),
    path("offline/line/", offline.line, name="offline_line"),
    path("offline/after/", offline_forms.after, name="offline_after"),
    path("offline/morning/", offline_forms.morning, name="offline_morning"),
    path("offline/advice/<int:number>/", offline.advice, name="offline_advice"),
]
