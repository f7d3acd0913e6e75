"""From the door to the first program: register, intake, suggestion, assign; and the record."""

import datetime as dt

import pytest
from django.urls import reverse

from clinic.models import Alert, User
from patients.consenting import stop_messages, withdraw_consent
from patients.models import ContactPoint, IntakeScreening, Patient
from patients.red_flags import QUESTIONS
from programs.models import Program, ProgramTemplate
from tests.conftest import MONDAY, make_staff
from tests.reading import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client, physio):
    client.force_login(physio)
    return client


def at_address(name, patient):
    return reverse(f"admin:{name}", args=[patient.pk])


def person(at_site, by, **changes):
    return {
        "given_name": "Ana",
        "family_name": "Morales",
        "email": "ana.m@patients.example",
        "phone": "+44 7700 900123",
        "physiotherapist": by.pk,
        "site": at_site.pk,
        "reminder_time": "08:30",
        "language": "en",
        "consents": ["record", "email", "sms"],
        "way": "in_person",
        **changes,
    }


def hours_of(patient):
    return {f"{point.reminder_time:%H:%M}" for point in patient.contact_points.all()}


def intake_answers(**changes):
    return {
        **{f"flag_{question.id}": "no" for question in QUESTIONS},
        "pain_now": 4,
        "usual_pain": 5,
        "pain_weeks": 30,
        "sitting_hours": 4,
        "sleep": 6,
        "stress": 4,
        "feels_safe": 2,
        **changes,
    }


# --- a new patient ---------------------------------------------------


def test_one_form_makes_record_addresses_and_consents(staff, site, physio):
    response = staff.post(reverse("admin:patient_new"), person(site, physio))
    patient = Patient.objects.get()
    assert response.url == at_address("patient_intake", patient)
    assert {point.address for point in patient.contact_points.all()} == {
        "ana.m@patients.example",
        "+447700900123",
    }
    assert {c.purpose for c in patient.consents.active()} == {"record", "email", "sms"}
    assert hours_of(patient) == {"08:30"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"family_name": ""}, "Family name: please fill this in."),
        ({"consents": []}, "Without a yes to a record of care there is no record."),
        ({"email": "", "consents": ["record", "email"]}, "Reminders by e-mail need an address."),
        ({"phone": "", "consents": ["record", "sms"]}, "need a mobile number"),
        ({"phone": "77"}, "Write the number with its country code"),
        ({"date_of_birth": "2999-01-01"}, "The date of birth lies in the future."),
        ({"physiotherapist": "999999"}, "Physiotherapist"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_made(staff, site, physio, changes, said):
    response = staff.post(reverse("admin:patient_new"), person(site, physio, **changes))
    assert response.status_code == 400
    assert said in words(response)
    assert 'value="Ana"' in response.content.decode()
    assert not Patient.objects.exists() and not ContactPoint.objects.exists()


def test_an_address_that_somebody_has_is_refused_whole(staff, site, physio):
    staff.post(reverse("admin:patient_new"), person(site, physio))
    response = staff.post(reverse("admin:patient_new"), person(site, physio, given_name="Twin"))
    assert response.status_code == 400
    assert "has this address already" in words(response)
    assert Patient.objects.count() == 1


def test_the_same_form_again_makes_no_second_record(staff, site, physio):
    form = person(site, physio, email="", consents=["record"])
    assert staff.post(reverse("admin:patient_new"), form).status_code == 302
    again = staff.post(reverse("admin:patient_new"), form | {"given_name": " ana "})
    assert again.status_code == 400
    number = Patient.objects.get().number
    assert f"Ana Morales is here already: {number}." in words(again)
    assert 'name="somebody_else"' in again.content.decode()


def test_somebody_else_of_the_same_name_is_registered_when_staff_say_so(staff, site, physio):
    form = person(site, physio, email="", consents=["record"])
    assert 'name="somebody_else"' not in staff.get(reverse("admin:patient_new")).content.decode()
    staff.post(reverse("admin:patient_new"), form)
    answer = staff.post(reverse("admin:patient_new"), form | {"somebody_else": "on"})
    assert answer.status_code == 302
    assert Patient.objects.count() == 2


def test_a_namesake_of_another_site_is_not_spoken_of(staff, site, physio, other_site, make_patient):
    make_patient("Ana", site=other_site)
    form = person(site, physio, email="", consents=["record"])
    assert staff.post(reverse("admin:patient_new"), form).status_code == 302


def test_a_patient_belongs_to_a_site_and_a_colleague_of_one_s_own(
    staff, site, physio, other_site, stranger
):
    for changes in ({"site": other_site.pk}, {"physiotherapist": stranger.pk}):
        response = staff.post(reverse("admin:patient_new"), person(site, physio, **changes))
        assert response.status_code == 400
    assert not Patient.objects.exists()


def test_the_front_desk_registers_and_goes_to_the_patient(client, front_desk, site, physio):
    client.force_login(front_desk)
    response = client.post(reverse("admin:patient_new"), person(site, physio))
    assert response.url == at_address("patient", Patient.objects.get())
    assert client.get(at_address("patient_intake", Patient.objects.get())).status_code == 403


# --- intake, suggestion, assignment ---------------------------------------------------


def test_an_intake_ends_in_an_explained_suggestion_and_no_program(staff, patient):
    response = staff.post(at_address("patient_intake", patient), intake_answers(), follow=True)
    text = words(response)
    assert "Stability first, 10 minutes on the pathway Chronic pain" in text
    assert "Pain for 30 weeks" in text
    assert "Fear of movement 8 of 10" in text
    form = response.context["form"]
    assert form["template"].value() == "stability-first"
    assert form.templates()[0][1].slug == "stability-first"
    assert form["pathway"].value() == "chronic"
    assert not Program.objects.exists()


def test_signs_lists_and_notes_are_kept_as_answered(staff, patient):
    staff.post(
        at_address("patient_intake", patient),
        intake_answers(
            sign_slouched_posture="6",
            imbalances=["tight_hamstrings", "weak_glutes"],
            goals=["stay_well"],
            preferences=["strength"],
            recent_injury="on",
            injury_notes="Ankle, May.",
            history="Two episodes.",
        ),
    )
    answers = IntakeScreening.objects.get().answers
    assert answers["signs"] == {"slouched_posture": 6}
    assert answers["imbalances"] == ["tight_hamstrings", "weak_glutes"]
    assert (answers["recent_injury"], answers["injury_notes"]) == (True, "Ankle, May.")


def test_the_suggestion_is_assigned_as_it_stands(staff, patient, physio):
    staff.post(at_address("patient_intake", patient), intake_answers())
    address = at_address("patient_assign", patient)
    form = staff.get(address).context["form"]
    data = {field.html_name: field.value() or "" for field in form} | {"reminder_time": "18:15"}
    response = staff.post(address, data)
    assert response.url == at_address("patient", patient)
    program = Program.objects.select_related("current_version").get()
    assert program.template.slug == "stability-first"
    assert (program.current_version.pathway, program.current_version.by) == ("chronic", physio)
    assert hours_of(patient) == {"18:15"}


def test_an_hour_left_as_it_stands_leaves_the_hours_the_patient_chose(staff, patient):
    patient.contact_points.filter(channel="sms").update(reminder_time="18:30")
    address = at_address("patient_assign", patient)
    staff.post(at_address("patient_intake", patient), intake_answers())
    form = staff.get(address).context["form"]
    data = {field.html_name: field.value() or "" for field in form}
    assert data["reminder_time"] == dt.time(8)
    assert staff.post(address, data).url == at_address("patient", patient)
    assert hours_of(patient) == {"08:00", "18:30"}


def test_a_red_flag_in_the_intake_shows_the_emergency_text_and_no_form(staff, patient, site):
    response = staff.post(
        at_address("patient_intake", patient),
        intake_answers(flag_saddle_numbness="not_sure"),
        follow=True,
    )
    text = words(response)
    assert site.emergency_text in text and " 999 " in text
    assert "Saddle numbness (not sure)" in text
    assert "form" not in response.context
    assert Alert.objects.open().get().severity == "emergency"
    template = ProgramTemplate.objects.current().first()
    refused = staff.post(at_address("patient_assign", patient), {"template": template.slug})
    assert refused.status_code == 400
    assert not Program.objects.exists()


def test_a_flag_of_the_intake_is_closed_with_a_reason_before_anything_is_assigned(staff, patient):
    staff.post(at_address("patient_intake", patient), intake_answers(flag_bladder="yes"))
    address = at_address("patient_reopen", patient)
    assert staff.post(address, {"reason": " "}).status_code == 400
    assert patient.red_flags.open().exists()
    told = {"reason": "Old, known, checked.", "flag": patient.red_flags.get().pk}
    text = words(staff.post(address, told, follow=True))
    assert "A program can be assigned" in text
    assert not patient.red_flags.open().exists()
    assert "Assign version 1" in words(staff.get(at_address("patient_assign", patient)))
    again = staff.post(address, {"reason": "Again."})
    assert again.status_code == 400
    assert "The red flag is closed already" in words(again)


def test_a_flag_of_the_same_day_shows_its_own_text(staff, patient, site):
    response = staff.post(
        at_address("patient_intake", patient), intake_answers(flag_weight_loss="yes"), follow=True
    )
    assert site.same_day_text in words(response) and " 111 " in words(response)


def test_the_age_of_onset_asks_for_a_look_and_stops_nothing(staff, patient):
    response = staff.post(
        at_address("patient_intake", patient), intake_answers(flag_age_of_onset="yes"), follow=True
    )
    assert "First back pain before 20 or after 50" in words(response)
    assert "Assign version 1" in words(response)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"flag_bladder": ""}, "Bladder change: ask, and choose an answer."),
        ({"flag_bladder": "perhaps"}, "Bladder change"),
        ({"pain_now": "11"}, "Pain now: write a number from 0 to 10."),
        ({"pain_now": ""}, "Pain now: write a number from 0 to 10."),
        ({"sitting_hours": "25"}, "24"),
        ({"pain_weeks": "-1"}, "0"),
        ({"goals": ["riches"]}, "riches"),
    ],
)
def test_an_intake_that_cannot_be_right_is_kept_on_the_page(staff, patient, changes, said):
    answers = intake_answers(history="Typed with care.", **changes)
    response = staff.post(at_address("patient_intake", patient), answers)
    assert response.status_code == 400
    assert said in words(response) and "Typed with care." in words(response)
    assert not IntakeScreening.objects.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"template": "no-such"}, "Program template"),
        ({"started_on": "2020-01-01"}, "more than four weeks ago"),
        ({"started_on": "soon"}, "date"),
        ({"reminder_time": "25:00"}, "time"),
    ],
)
def test_an_assignment_that_cannot_be_is_said(staff, patient, changes, said):
    data = {
        "template": "desk",
        "pathway": "desk",
        "cue_set": "fill_out",
        "started_on": "",
        "reminder_time": "08:00",
        "reason": "Kept.",
        **changes,
    }
    data["started_on"] = data["started_on"] or f"{patient.created_at:%Y-%m-%d}"
    response = staff.post(at_address("patient_assign", patient), data)
    assert response.status_code == 400
    assert said in words(response) and "Kept." in words(response)
    assert not Program.objects.exists()


def test_with_a_running_program_there_is_nothing_to_assign(staff, program, patient):
    response = staff.get(at_address("patient_assign", patient))
    assert "has a running program" in words(response)
    assert staff.post(at_address("patient_assign", patient), {}).status_code == 400


# --- the record ---------------------------------------------------


def keep(client, patient, **data):
    return client.post(at_address("patient_record", patient), data, follow=True)


def test_a_new_name_and_language(staff, patient, physio):
    response = keep(
        staff,
        patient,
        does="person",
        given_name="Anna",
        family_name="Morales-Weiß",
        physiotherapist=physio.pk,
        language="de",
    )
    assert response.status_code == 200
    patient.refresh_from_db()
    assert patient.language == "de"
    assert patient.name == "Anna Morales-Weiß"
    assert User.objects.get(pk=patient.user_id).name == "Anna Morales-Weiß"


def test_staff_choose_hour_and_days_of_one_address(staff, patient):
    phone = patient.contact_points.get(channel="sms")
    given = {f"p{phone.pk}-reminder_time": "19:00", f"p{phone.pk}-reminder_days": ["0", "3"]}
    response = keep(staff, patient, does="hours", point=phone.pk, **given)
    assert "reminders at 19:00 , Monday and Thursday" in words(response)
    assert hours_of(patient) == {"08:00", "19:00"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"reminder_time": "07:00"}, "Messages go out from 08:00 to 21:00."),
        ({"reminder_time": ""}, "Reminder at: please fill this in."),
        ({"reminder_days": []}, "Choose at least one day."),
        ({"reminder_days": ["7"]}, "7 is not one of the available choices."),
    ],
)
def test_an_hour_or_days_that_cannot_be_are_said_at_their_field(staff, patient, wrong, said):
    phone = patient.contact_points.get(channel="sms")
    given = {"reminder_time": "19:00", "reminder_days": ["0"], **wrong}
    data = {f"p{phone.pk}-{name}": value for name, value in given.items()}
    response = keep(staff, patient, does="hours", point=phone.pk, **data)
    assert response.status_code == 400 and said in words(response)
    assert hours_of(patient) == {"08:00"}


def test_a_patients_own_no_is_said_and_leaves_staff_no_button(staff, patient):
    stop_messages(patient=patient, channel="sms", at=MONDAY, way="web", by=patient.user)
    page = words(staff.get(at_address("patient_record", patient)))
    assert "Only Ana can turn them on again" in page
    assert "no: withdrawn 2 Mar 2026, on the web, by the patient" in page
    assert "Agreed : Reminders by text message" not in page
    for data in (
        {"does": "agree", "purpose": "sms", "way": "paper"},
        {"does": "remind", "point": patient.contact_points.get(channel="sms").pk},
    ):
        response = keep(staff, patient, **data)
        assert response.status_code == 400
        assert "Only Ana can turn them on again" in words(response)
    assert not patient.consents.active().filter(purpose="sms").exists()


def test_the_record_says_who_wrote_which_consent_down_and_to_what(staff, patient, physio):
    page = words(staff.get(at_address("patient_record", patient)))
    assert f"yes: 2 Mar 2026, in person, by {physio.name}, wording 2026-12" in page
    assert "We may write to your e-mail address when your routine" in page
    withdraw_consent(patient=patient, purpose="email", by=physio, at=MONDAY, way="paper")
    page = words(staff.get(at_address("patient_record", patient)))
    assert f"no: withdrawn 2 Mar 2026, on paper, by {physio.name}" in page


def test_addresses_come_go_and_fall_silent(staff, patient):
    keep(staff, patient, does="address", channel="sms", address="+44 7700 900456")
    added = patient.contact_points.get(address="+447700900456")
    keep(staff, patient, does="quiet", point=added.pk)
    added.refresh_from_db()
    assert not added.reminders
    keep(staff, patient, does="remind", point=added.pk)
    added.refresh_from_db()
    assert added.reminders
    keep(staff, patient, does="remove", point=added.pk)
    assert not patient.contact_points.filter(pk=added.pk).exists()


def test_the_address_of_the_sign_in_stays(staff, patient):
    point = patient.contact_points.get(channel="email")
    response = keep(staff, patient, does="remove", point=point.pk)
    assert response.status_code == 400
    assert "signs in with this address" in words(response)
    assert patient.contact_points.filter(pk=point.pk).exists()


def test_an_address_of_another_patient_is_not_touched(staff, patient, make_patient):
    other = make_patient("Bo").contact_points.get(channel="sms")
    assert keep(staff, patient, does="remove", point=other.pk).status_code == 400
    assert ContactPoint.objects.filter(pk=other.pk).exists()


def test_consent_is_withdrawn_and_given_again(staff, patient, physio):
    keep(staff, patient, does="withdraw", purpose="sms")
    assert not patient.consents.active().filter(purpose="sms").exists()
    assert patient.consents.get(purpose="sms").withdrawn_by == physio
    keep(staff, patient, does="agree", purpose="sms", way="paper")
    assert patient.consents.active().get(purpose="sms").way == "paper"


@pytest.mark.parametrize(
    "data",
    [
        {"does": "address", "channel": "sms", "address": "77"},
        {"does": "address", "channel": "email", "address": "nobody"},
        {"does": "agree", "purpose": "everything"},
        {"does": "agree", "purpose": "sms", "way": "telepathy"},
        {"does": "remove", "point": "x"},
        {"does": "erase"},
        {},
    ],
)
def test_nonsense_is_answered_in_words(staff, patient, data):
    withdraw_consent(patient=patient, purpose="sms", by=patient.physiotherapist, at=MONDAY)
    response = keep(staff, patient, **data)
    assert response.status_code == 400
    assert "sb-errors" in response.content.decode()


def test_staff_of_another_site_keep_nothing(client, patient, other_site):
    client.force_login(make_staff(other_site, "front_desk", "Nils Fremd"))
    assert keep(client, patient, does="withdraw", purpose="sms").status_code == 404
    assert patient.consents.active().filter(purpose="sms").exists()
