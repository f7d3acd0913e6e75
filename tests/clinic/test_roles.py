"""What each role may see and do in the portal, and how one gets in."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.urls import reverse

from clinic import alerts
from clinic.messaging.outbox import keep_text
from clinic.models import AccessRecord, Alert, Role, User
from clinic.roles import MAY, RIGHTS, May, has_right, may
from programs.models import Decision
from tests.clinic.kept import kept
from tests.conftest import MONDAY

pytestmark = pytest.mark.django_db


def test_every_table_of_the_portal_has_its_rights_written_down_and_no_other_has():
    registered = {model._meta.label_lower for model in admin.site._registry}
    assert registered == set(RIGHTS)


def test_tables_of_other_packages_stay_outside():
    assert {model._meta.app_label for model in admin.site._registry} == {
        "clinic",
        "patients",
        "programs",
    }


def test_only_physiotherapists_decide(physio, manager, front_desk, patient):
    assert [may(user, May.DECIDE) for user in (physio, manager, front_desk, patient.user)] == [
        True,
        False,
        False,
        False,
    ]
    assert not MAY[Role.PATIENT]


def test_somebody_who_left_may_nothing(physio):
    physio.is_active = False
    assert not any(may(physio, what) for what in May)
    assert not has_right(physio, Decision, "view")


def test_nobody_deletes_in_the_portal(rf, manager):
    request = rf.get("/")
    request.user = manager
    assert not any(
        model_admin.has_delete_permission(request) for model_admin in admin.site._registry.values()
    )


# --- the door ------------------------------------------------------------------------------------


def test_the_portal_sends_to_the_one_sign_in_page_and_back(client):
    response = client.get("/clinic/library/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/account/login/?next=")
    assert "library" in response.redirect_chain[-1][0]


def test_a_patient_is_told_that_the_portal_is_not_theirs(client, patient):
    client.force_login(patient.user)
    response = client.get("/clinic/")
    assert response.status_code == 403
    assert "staff" in response.content.decode()


def test_staff_without_a_second_factor_set_one_up_first(client, physio, settings):
    settings.STAFF_SECOND_FACTOR = True
    client.force_login(physio)
    for address in ("/clinic/", reverse("admin:patient_new"), "/clinic/alerts/"):
        response = client.get(address)
        assert (response.status_code, response.url) == (302, reverse("mfa_activate_totp"))
    Authenticator.objects.create(user=physio, type=Authenticator.Type.TOTP, data={})
    assert client.get("/clinic/").status_code == 200


def test_times_of_the_portal_are_wall_clock_times_of_the_site(client, physio, site, make_patient):
    site.time_zone = "Asia/Tokyo"
    site.save()
    make_patient("Kei")
    client.force_login(physio)
    # Registered on a Monday at 08:00 UTC
    assert "2 Mar, 17:00" in client.get("/clinic/").content.decode()


# --- tables --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "seen", "closed"),
    [
        (
            "physio",
            ["alerts", "programs_decision_changelist"],
            ["clinic_user_changelist", "clinic_accessrecord_changelist"],
        ),
        (
            "front_desk",
            ["clinic_site_changelist", "clinic_outboxmessage_changelist"],
            ["alerts", "patients_checkin_changelist"],
        ),
        (
            "manager",
            [
                "alerts",
                "clinic_user_changelist",
                "clinic_accessrecord_changelist",
                "patients_checkin_changelist",
            ],
            [],
        ),
    ],
)
def test_each_role_sees_its_lists(client, request, role, seen, closed):
    client.force_login(request.getfixturevalue(role))
    for name in seen:
        assert client.get(reverse(f"admin:{name}")).status_code == 200, name
    for name in closed:
        response = client.get(reverse(f"admin:{name}"))
        assert response.status_code == 403, name
        assert "Your role does not include this" in response.content.decode()


def message(patient):
    text = keep_text(
        channel="email", subject_line="Your ten minutes", body="The body of the message."
    )
    return kept("sent", MONDAY, about=patient, text=text)


def test_the_front_desk_sees_a_message_but_not_what_it_says(client, front_desk, physio, patient):
    address = reverse("admin:clinic_outboxmessage_change", args=[message(patient).pk])
    client.force_login(physio)
    assert "The body of the message." in client.get(address).content.decode()
    client.force_login(front_desk)
    page = client.get(address)
    assert page.status_code == 200
    assert "The body of the message." not in page.content.decode()
    assert "Your ten minutes" not in page.content.decode()


def test_rows_of_another_site_are_not_there(client, stranger, program, patient):
    client.force_login(stranger)
    version = program.current_version
    for name, pk in [
        ("programs_programversion", version.pk),
        ("clinic_outboxmessage", message(patient).pk),
    ]:
        assert client.get(reverse(f"admin:{name}_change", args=[pk])).status_code == 404
        assert (
            patient.family_name
            not in client.get(reverse(f"admin:{name}_changelist")).content.decode()
        )


def test_opening_a_row_of_a_patient_is_written_down(client, physio, program):
    client.force_login(physio)
    client.get(reverse("admin:programs_programversion_change", args=[program.current_version.pk]))
    look = AccessRecord.objects.get(subject_type="patient")
    assert (look.actor, look.subject_id) == (physio, str(program.patient_id))


def test_a_clinical_row_is_not_changed_in_the_portal(client, manager, program):
    client.force_login(manager)
    version = program.current_version
    address = reverse("admin:programs_programversion_change", args=[version.pk])
    assert client.post(address, {"phase": 3}).status_code == 403
    version.refresh_from_db()
    assert version.phase == 0


def test_an_alert_is_noted_as_seen_by_the_one_whose_role_allows_it(
    client, front_desk, physio, patient
):
    alert = alerts.raise_alert(
        severity=Alert.Severity.SAME_DAY,
        subject_type="patient",
        subject_id=patient.pk,
        site=patient.site,
        owner=physio,
        summary="Call back",
        key="by-hand:1",
        at=MONDAY,
    )
    for user, status in ((front_desk, 403), (physio, 302)):
        client.force_login(user)
        assert client.post(reverse("admin:alert_seen", args=[alert.pk])).status_code == status
        alert.refresh_from_db()
        assert alert.acknowledged_by == (physio if user == physio else None)


# --- staff ---------------------------------------------------------------------------------------


def test_a_manager_makes_staff_who_choose_their_own_password(client, manager, site):
    client.force_login(manager)
    response = client.post(
        reverse("admin:clinic_user_add"),
        {
            "name": "Ines Duarte",
            "email": "Ines@Practice.example",
            "role": "front_desk",
            "sites": [site.pk],
        },
    )
    assert response.status_code == 302
    made = User.objects.get(email="ines@practice.example")
    assert not made.has_usable_password()
    assert (made.role, list(made.sites.all())) == ("front_desk", [site])


def test_nobody_becomes_a_patient_or_a_superuser_by_the_staff_form(client, manager, physio):
    client.force_login(manager)
    address = reverse("admin:clinic_user_change", args=[physio.pk])
    said = {"name": "Ruth", "email": physio.email, "is_active": "on", "is_superuser": "on"}
    assert client.post(address, {**said, "role": "patient"}).status_code == 200
    client.post(address, {**said, "role": "manager"})
    physio.refresh_from_db()
    assert (physio.role, physio.is_superuser) == ("manager", False)


def test_a_manager_cannot_set_the_password_of_a_superuser(client, manager, site):
    above = User.objects.create_superuser("root@practice.example", "a long pass phrase", name="R")
    client.force_login(manager)
    address = reverse("admin:auth_user_password_change", args=[above.pk])
    said = {"password1": "another pass phrase", "password2": "another pass phrase"}
    assert client.post(address, {**said, "set-password": "1"}).status_code in (302, 403, 404)
    above.refresh_from_db()
    assert above.check_password("a long pass phrase")


def test_patients_are_not_among_the_staff(client, manager, patient):
    client.force_login(manager)
    page = client.get(reverse("admin:clinic_user_changelist")).content.decode()
    assert manager.name in page and patient.user.email not in page
