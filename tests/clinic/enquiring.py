"""Enquiries for tests, of every kind the page of the staff shows."""

import datetime as dt

from django.utils import timezone

from clinic import enquiries
from clinic.messaging import links
from clinic.models import Enquiry, OutboxMessage, Site


def enquiry_at(site: Site, *, confirmed: bool = True, days: int = 0, **fields) -> Enquiry:
    """One that was made ``days`` ago; its address is its own."""
    at = timezone.now() - dt.timedelta(days=days)
    number = Enquiry.objects.count()
    enquiry = enquiries.make_enquiry(
        **{
            "site": site,
            "wish": "call_back",
            "given_name": "Ilse",
            "family_name": "Okonkwo",
            "email": f"ilse{number}@mail.example",
            "form_token": f"form-{number}",
            "agreed": True,
            "at": at,
            **fields,
        }
    )
    return enquiries.confirm_enquiry(enquiry=enquiry, at=at) if confirmed else enquiry


def some_enquiries(site: Site) -> tuple[str, str]:
    """Several at once; returns the address that confirms one of them, and one of the guide."""
    enquiry_at(site, wish="guide", words="After five on a working day, please.")
    enquiry_at(
        site,
        given_name="Maximiliane-Friederike",
        family_name="Oberschützenhausen-Langenfeld",
        email="",
        phone="+447700900124",
        confirmed=False,
        days=3,
    )
    enquiry_at(site, given_name="Ada", family_name="Morales", email="ada@mail.example", days=1)
    enquiry_at(site, given_name="نور", family_name="الهاشمي", phone="+447700900125", language="es")
    open_one = enquiry_at(site, confirmed=False)
    mails = OutboxMessage.objects.filter(kind=OutboxMessage.Kind.ENQUIRY_CONFIRM)
    guide = OutboxMessage.objects.get(kind=OutboxMessage.Kind.ENQUIRY_GUIDE)
    return links.link_of(mails.get(subject_id=str(open_one.pk))), links.link_of(guide)
