"""The portal's page of enquiries: who may see which, and one press that makes a patient."""

import datetime as dt

import pytest
import time_machine

from clinic import enquiries
from clinic.models import Enquiry, OutboxMessage, Role
from patients.models import Consent, Patient
from tests.conftest import MONDAY, make_staff
from tests.reading import words

pytestmark = pytest.mark.django_db

PAGE = "/clinic/enquiries/"


@pytest.fixture
def make_enquiry(site):
    def make(*, confirmed: bool = True, **fields) -> Enquiry:
        number = Enquiry.objects.count()
        enquiry = enquiries.make_enquiry(
            **{
                "site": site,
                "wish": "discovery",
                "given_name": "Ilse",
                "family_name": f"Okonkwo {number}",
                "email": f"ilse{number}@mail.example",
                "form_token": f"form-{number}",
                "agreed": True,
                "at": MONDAY,
                **fields,
            }
        )
        return enquiries.confirm_enquiry(enquiry=enquiry, at=MONDAY) if confirmed else enquiry

    return make


@pytest.fixture
def desk(client, front_desk, physio):
    client.force_login(front_desk)
    return client


def press(client, enquiry: Enquiry, does: str, **more):
    return client.post(PAGE, {"enquiry": str(enquiry.pk), "does": does, **more}, follow=True)


def test_given_a_confirmation_whose_fate_nobody_knows_then_its_enquiry_says_so(desk, make_enquiry):
    enquiry = make_enquiry(confirmed=False, phone="+447700900123")
    assert "Outcome unknown" not in words(desk.get(PAGE))
    OutboxMessage.objects.about("enquiry", enquiry.pk).update(
        status="unknown", reason="x", wake_at=None, settled_at=MONDAY
    )
    assert "Outcome unknown" in words(desk.get(PAGE))


def test_given_an_enquiry_when_made_a_patient_twice_then_there_is_one_record(
    desk, make_enquiry, physio
):
    enquiry = make_enquiry(phone="+447700900123", language="es")
    for _ in range(2):
        page = press(desk, enquiry, "register", physiotherapist=str(physio.pk), spoke="on")
        assert page.status_code == 200
        assert page.redirect_chain[-1][0].endswith("/record/")
    patient = Patient.objects.get()
    assert (patient.name, patient.language) == ("Ilse Okonkwo 0", "es")
    assert patient.physiotherapist == physio
    assert patient.contact_points.count() == 2
    assert not Consent.objects.exists()
    enquiry.refresh_from_db()
    assert (enquiry.state, enquiry.patient_id) == ("registered", patient.pk)


def test_given_an_address_nobody_confirmed_then_the_record_does_without_it(
    desk, make_enquiry, physio
):
    enquiry = make_enquiry(confirmed=False, phone="+447700900123")
    page = press(desk, enquiry, "register", physiotherapist=str(physio.pk), spoke="on")
    assert "never confirmed and is left out" in page.content.decode()
    assert {p.channel for p in Patient.objects.get().contact_points.all()} == {"sms"}


def test_given_a_number_at_which_nobody_spoke_then_the_record_does_without_it_and_says_so(
    desk, make_enquiry, physio
):
    enquiry = make_enquiry(phone="+447700900123")
    shown = desk.get(PAGE).content.decode()
    assert '<input type="checkbox" name="spoke">' in shown
    page = press(desk, enquiry, "register", physiotherapist=str(physio.pk)).content.decode()
    assert "The number +447700900123 is left out" in page
    assert {p.channel for p in Patient.objects.get().contact_points.all()} == {"email"}


def test_given_only_a_number_at_which_nobody_spoke_then_one_press_still_makes_the_record(
    desk, make_enquiry, physio
):
    enquiry = make_enquiry(email="", phone="+447700900123", confirmed=False)
    press(desk, enquiry, "register", physiotherapist=str(physio.pk))
    patient = Patient.objects.get()
    assert patient.user is None and not patient.contact_points.exists()


def test_given_a_patient_with_the_same_address_then_it_is_hinted_and_not_doubled(
    desk, make_enquiry, make_patient, physio, other_site, stranger
):
    known = make_patient("Ada", email="ilse0@mail.example")
    enquiry = make_enquiry()
    elsewhere = make_patient("Far", site=other_site, physiotherapist=stranger, by=stranger)
    make_enquiry(email=elsewhere.user.email)
    page = desk.get(PAGE).content.decode()
    assert f"/clinic/patients/{known.pk}/" in page
    assert "Same e-mail as" in page
    assert "A patient of another site" in page
    assert "Far" not in page
    refused = press(desk, enquiry, "register", physiotherapist=str(physio.pk)).content.decode()
    assert "has this address already" in refused
    enquiry.refresh_from_db()
    assert (enquiry.state, enquiry.patient_id) == ("new", None)
    press(desk, enquiry, "closed", reason="patient_already")
    enquiry.refresh_from_db()
    assert enquiry.get_reason_display() == "Is a patient already"


def test_given_what_staff_do_then_the_enquiry_moves_and_can_come_back(desk, make_enquiry):
    one, two, three = make_enquiry(), make_enquiry(), make_enquiry()
    press(desk, one, "answered")
    press(desk, two, "closed", reason="no_longer")
    assert "Say why" in press(desk, three, "closed", reason="because").content.decode()
    press(desk, three, "spam")
    states = dict(Enquiry.objects.values_list("pk", "state"))
    assert states == {one.pk: "answered", two.pk: "closed", three.pk: "spam"}
    done = desk.get(PAGE + "?show=done").content.decode()
    assert "No longer wants it" in done
    press(desk, two, "reopened")
    two.refresh_from_db()
    assert (two.state, two.reason, two.handled_by) == ("new", "", None)


def test_given_a_page_from_before_it_was_handled_then_closing_says_who_was_first(
    desk, make_enquiry, manager
):
    enquiry = make_enquiry()
    enquiries.answer_enquiry(enquiry=enquiry, by=manager, at=MONDAY)
    page = press(desk, enquiry, "closed", reason="no_longer")
    assert "Mona Lindqvist has handled this already: Answered." in words(page)
    enquiry.refresh_from_db()
    assert enquiry.state == "answered"


@pytest.mark.parametrize(
    ("later", "said"),
    [(dt.timedelta(hours=4), "today, 08:00"), (dt.timedelta(hours=17), "yesterday, 08:00")],
)
def test_given_a_midnight_between_then_an_enquiry_is_of_yesterday(
    front_desk, client, make_enquiry, later, said
):
    make_enquiry()
    with time_machine.travel(MONDAY + later):
        client.force_login(front_desk)
        assert said in client.get(PAGE).content.decode()


def test_given_enquiries_then_the_menu_counts_those_that_can_be_answered(desk, make_enquiry):
    make_enquiry()
    make_enquiry(email="", phone="+447700900123", confirmed=False)
    hidden = make_enquiry(confirmed=False)
    page = desk.get(PAGE).content.decode()
    assert '<span class="sb-badge sb-num">2<' in page
    assert hidden.email not in page
    assert hidden.email in desk.get(PAGE + "?show=unconfirmed").content.decode()


def test_given_another_site_or_no_staff_then_enquiries_stay_closed(
    client, make_enquiry, stranger, patient
):
    enquiry = make_enquiry()
    client.force_login(stranger)
    assert enquiry.email not in client.get(PAGE).content.decode()
    assert press(client, enquiry, "answered").status_code == 404
    client.force_login(patient.user)
    assert client.get(PAGE).status_code == 403
    enquiry.refresh_from_db()
    assert enquiry.state == "new"


@pytest.mark.parametrize("key", ["", "x", "00000000-0000-0000-0000-000000000000"])
def test_given_a_made_up_enquiry_then_it_is_not_there(desk, key):
    assert desk.post(PAGE, {"enquiry": key, "does": "answered"}).status_code == 404


def test_given_more_enquiries_then_the_page_asks_no_more_often(
    desk, make_enquiry, site, django_assert_max_num_queries
):
    make_staff(site, Role.PHYSIOTHERAPIST, "Tomoko Ito")
    for _ in range(25):
        make_enquiry()
    with django_assert_max_num_queries(26):
        page = desk.get(PAGE).content.decode()
    assert page.count("Make a patient") == 25
    assert "Tomoko Ito" in page
