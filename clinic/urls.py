"""Addresses of the practice itself."""

from django.urls import path

from clinic import demo_mailbox, health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("demo/messages/", demo_mailbox.messages, name="demo_messages"),
    path("demo/messages/<int:number>/html/", demo_mailbox.html, name="demo_message_html"),
]
