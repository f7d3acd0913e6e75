"""The pages of the policies: from a draft to what is in force, and who may do which."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic.models import AccessRecord
from programs.adjusting import Change, adjust_program
from programs.models import Policy, PolicyDraft, Rehearsal
from tests.conftest import MONDAY
from tests.living import do_morning, do_session, live_well
from tests.publishing import draft, publish
from tests.reading import html_of

pytestmark = pytest.mark.django_db


def begin(client, pathway: str = "desk", **named) -> PolicyDraft:
    client.post(f"/clinic/policies/{pathway}/begin/", named)
    return PolicyDraft.objects.filter(pathway=pathway).order_by("-pk").first()


def address(made: PolicyDraft, page: str = "") -> str:
    return f"/clinic/policies/drafts/{made.pk}/{page}"


def as_read(made: PolicyDraft, reason: str) -> dict[str, object]:
    """What the manager sends from the page of the newest rehearsal."""
    return {"reason": reason, "read": Rehearsal.objects.filter(draft=made).first().pk}


def said(made: PolicyDraft, **changed) -> dict[str, object]:
    """What the form of this draft sends, shares in percent."""
    whole = made.whole | changed
    return {
        **{
            name: round(value * 100) if isinstance(value, float) and value <= 1 else value
            for name, value in whole.items()
            if value is not False
        },
        "reason": "We see it so.",
        "period": "84",
    }


@pytest.fixture
def sore(make_program, time_machine):
    """A patient whose pain during was 5 on day 4; it is the day after."""
    program = make_program()
    live_well(program, 0, 3)
    do_morning(program, 4)
    do_session(program, 4, pain_during=5)
    time_machine.move_to(MONDAY.replace(day=7))
    return program


def test_a_physiotherapist_drafts_and_rehearses_and_the_manager_publishes(
    client, sore, physio, manager
):
    client.force_login(physio)
    made = begin(client)
    then = said(made, pain_ceiling=4) | {"then": "rehearse"}
    page = client.post(address(made), then, follow=True)
    assert page.redirect_chain[-1][0] == address(made, "rehearsal/")
    assert "It would have regressed 1 more" in html_of(page)
    assert "Ana Morales" in html_of(page) and "R07" in html_of(page)
    assert "Publish version 2" not in html_of(page)
    assert client.post(address(made, "publish/"), {"reason": "So."}).status_code == 403

    client.force_login(manager)
    assert "Rehearsed: a manager may publish it." in html_of(client.get("/clinic/policies/"))
    assert "Publish version 2" in html_of(client.get(address(made, "rehearsal/")))
    page = client.post(address(made, "publish/"), as_read(made, "Calmer."), follow=True)
    assert "Version 2 is in force" in html_of(page)
    assert "drafted by Ruth Adeyemi" in html_of(page) and "Calmer." in html_of(page)
    again = client.post(address(made, "publish/"), {"reason": "Calmer."}, follow=True)
    assert "Not open any more: published." in html_of(again)
    assert Policy.objects.filter(pathway="desk").count() == 2


def test_the_live_look_shows_the_difference_and_keeps_nothing(client, library, physio):
    client.force_login(physio)
    made = begin(client)
    page = html_of(client.post(address(made, "check/"), said(made, max_effort=8)))
    assert "<strong>8</strong>" in page and "looser than the 7 supplied" in page
    assert "<html" not in page
    page = html_of(client.post(address(made, "check/"), said(made, pain_ceiling=2)))
    assert "must not be above the pain ceiling" in page
    assert PolicyDraft.objects.get().thresholds == {}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"pain_ceiling": 2}, "Easy enough must not be above the pain ceiling."),
        ({"pain_ceiling": 99}, "Pain ceiling: write a number from 1 to 6."),
        ({"max_effort": "much"}, "Effort: write a number from 3 to 9."),
        ({"adherence_floor": 0.2}, "Adherence: write a number from 30 to 100."),
        ({"adherence_floor": 0.45}, "Adherence must not be below the share"),
    ],
)
def test_nonsense_is_refused_at_its_field(client, library, physio, changed, words):
    client.force_login(physio)
    made = begin(client)
    page = client.post(address(made), said(made, **changed))
    assert page.status_code == 400
    assert words in html_of(page)
    assert PolicyDraft.objects.get().thresholds == {}


def test_a_reason_is_asked_for(client, library, physio):
    client.force_login(physio)
    made = begin(client)
    page = client.post(address(made), said(made, max_effort=6) | {"reason": " "})
    assert (page.status_code, "Say why." in html_of(page)) == (400, True)


def test_who_is_not_the_author_reads_and_begins_from_it(client, library, physio, manager):
    made = draft("desk", {"max_effort": 6}, by=physio, at=MONDAY)
    client.force_login(manager)
    page = client.get(address(made))
    assert "Keep and rehearse" not in html_of(page) and "Ruth Adeyemi’s draft" in html_of(page)
    assert client.post(address(made), said(made, max_effort=5)).status_code == 403
    mine = begin(client, draft=made.pk)
    assert (mine.author, mine.thresholds) == (manager, {"max_effort": 6})


def test_a_way_back_begins_from_the_older_version(client, library, physio, manager):
    publish("desk", {"max_effort": 6}, drafted_by=physio, by=manager, at=MONDAY)
    client.force_login(physio)
    page = html_of(client.get("/clinic/policies/desk/"))
    assert "Draft a way back to version 1" in page and "Its rehearsal" in page
    assert begin(client, version=1).thresholds == {"max_effort": 7}
    for named in ({"version": "77"}, {"version": "one"}, {"draft": "0"}):
        assert client.post("/clinic/policies/desk/begin/", named).status_code == 404
    assert client.post("/clinic/policies/knee/begin/").status_code == 404


def test_a_draft_that_was_overtaken_takes_the_new_version_over(client, library, physio, manager):
    late = draft("desk", {"min_days_at_level": 9}, by=manager, at=MONDAY)
    publish("desk", {"max_effort": 6}, drafted_by=physio, by=manager, at=MONDAY)
    client.force_login(manager)
    assert "Version 2 came into force meanwhile" in html_of(client.get(address(late)))
    page = client.post(address(late, "renew/"), follow=True)
    assert "now starts from version 2" in html_of(page)


def test_a_rehearsal_names_only_patients_of_ones_own_sites_and_is_written_down(
    client, sore, physio, stranger
):
    made = draft("desk", {"pain_ceiling": 4}, by=physio, at=MONDAY)
    client.force_login(stranger)
    client.post(address(made, "rehearse/"), {"period": "84"})
    page = html_of(client.get(address(made, "rehearsal/")))
    assert "regressed 1 more" in page and "Ana" not in page
    assert "And 1 patient of sites that are not yours." in page
    looks = AccessRecord.objects.filter(actor=stranger, page="rehearsal")
    assert looks.count() == 2


def test_the_button_pressed_twice_rehearses_once(client, library, physio):
    made = draft("desk", {"max_effort": 6}, by=physio, at=MONDAY)
    client.force_login(physio)
    for _ in range(2):
        client.post(address(made, "rehearse/"), {"period": "84"})
    assert Rehearsal.objects.count() == 1


def test_the_manager_reads_how_many_programs_follow_the_policy_upward(
    client, sore, physio, manager
):
    change = Change(auto_policy=True)
    adjust_program(program=sore, change=change, by=physio, reason="So.", at=MONDAY.replace(day=7))
    made = draft("desk", {"max_effort": 6}, by=physio, at=MONDAY)
    client.force_login(manager)
    client.post(address(made, "rehearse/"), {"period": "84"})
    page = html_of(client.get(address(made, "rehearsal/")))
    assert "1 program lets this policy raise" in page


def test_a_rehearsal_that_finds_nothing_says_so(client, library, physio):
    made = draft("athlete", {"pain_ceiling": 4}, by=physio, at=MONDAY)
    client.force_login(physio)
    client.post(address(made, "rehearse/"), {"period": "nonsense"})
    page = html_of(client.get(address(made, "rehearsal/")))
    assert "No decision was made on this pathway in this time." in page
    assert "Steady improver" in page


def test_changed_after_its_rehearsal_a_draft_is_rehearsed_again(client, library, physio, manager):
    made = draft("desk", {"max_effort": 6}, by=physio, at=MONDAY)
    client.force_login(physio)
    client.post(address(made, "rehearse/"), {"period": "84"})
    client.post(address(made), said(made, max_effort=5))
    assert "The draft has changed since." in html_of(client.get(address(made, "rehearsal/")))
    client.force_login(manager)
    refused = client.post(address(made, "publish/"), {"reason": "So."})
    assert refused.status_code == 400
    assert "changed after it was rehearsed" in html_of(refused)


def test_given_other_thresholds_rehearsed_meanwhile_then_what_was_not_read_is_not_published(
    client, library, physio, manager
):
    made = draft("desk", {"max_effort": 6}, by=physio, at=MONDAY)
    client.force_login(physio)
    client.post(address(made, "rehearse/"), {"period": "84"})
    client.force_login(manager)
    page = html_of(client.get(address(made, "rehearsal/")))
    read = as_read(made, "Calmer.")
    assert f'name="read" value="{read["read"]}"' in page
    client.force_login(physio)
    client.post(address(made), said(made, max_effort=5) | {"then": "rehearse"})
    client.force_login(manager)
    for sent in (read, {"reason": "Calmer."}):
        refused = client.post(address(made, "publish/"), sent)
        assert refused.status_code == 400
        assert "rehearsed again while the page was open" in html_of(refused)
    assert Policy.objects.filter(pathway="desk").count() == 1
    client.post(address(made, "publish/"), as_read(made, "Calmer."))
    assert Policy.objects.in_force("desk").thresholds["max_effort"] == 5


def test_put_away_a_draft_is_closed(client, library, physio):
    client.force_login(physio)
    made = begin(client)
    client.post(address(made, "discard/"))
    made.refresh_from_db()
    assert made.state == PolicyDraft.State.DISCARDED
    assert client.post(address(made), said(made)).status_code == 403
    assert "put away" in html_of(client.get(address(made)))
    page = client.post(address(made, "rehearse/"), follow=True)
    assert "not open any more" in html_of(page)


def test_the_front_desk_finds_no_policies(client, site, front_desk):
    client.force_login(front_desk)
    for page in ("", "desk/", "drafts/1/", "drafts/1/rehearsal/"):
        assert client.get(f"/clinic/policies/{page}").status_code == 403
    assert "Policies" not in html_of(client.get("/clinic/"))


def test_the_menu_leads_there(client, site, physio):
    client.force_login(physio)
    assert reverse("admin:policies") in html_of(client.get("/clinic/"))


def test_pages_ask_the_same_however_many_versions(client, site, physio, manager):
    client.force_login(manager)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            client.get("/clinic/policies/desk/")
        return len(seen)

    publish("desk", {"max_effort": 6}, drafted_by=physio, by=manager, at=MONDAY)
    few = queries()
    for effort in (5, 4):
        publish("desk", {"max_effort": effort}, drafted_by=physio, by=manager, at=MONDAY)
    # Whether messages go out is asked anew every few seconds, whichever page it is.
    assert min(queries(), queries()) <= few


# --- the command -------------------------------------------------------------------------------


@pytest.fixture
def rehearse_file(tmp_path):
    def call(content: object, *more: str) -> str:
        file = tmp_path / "policy.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        out = StringIO()
        call_command("rehearse_policy", str(file), "--since", "2026-03-02", *more, stdout=out)
        return out.getvalue()

    return call


def test_the_command_says_what_would_have_been_otherwise(sore, rehearse_file):
    said = rehearse_file({"pathway": "desk", "thresholds": {"pain_ceiling": 4}})
    assert "It would have regressed 1 more." in said
    assert sore.patient.number in said and "Morales" not in said
    assert "Steady improver" in said
    assert AccessRecord.objects.get(page="rehearse_policy").actor is None
    assert not Rehearsal.objects.exists()


def test_the_command_prints_the_same_as_json(sore, rehearse_file):
    found = json.loads(rehearse_file({"pain_ceiling": 4}, "--pathway", "desk", "--json"))
    assert found["past"]["first"] == {"HOLD>REGRESS": 1}
    assert found["changes"][0]["threshold"] == "pain_ceiling"
    assert len(found["courses"]) == 6


@pytest.mark.parametrize(
    ("content", "more", "words"),
    [
        ("{", [], "is not JSON"),
        ('{"pain_ceiling": 4}', [], "Name the pathway"),
        ('{"pain_ceiling": 9}', ["--pathway", "desk"], "from 1 to 6"),
        ('{"pain_ceiling": 4}', ["--pathway", "knee"], "no pathway “knee”"),
        ('{"colour": 4}', ["--pathway", "desk"], "no such threshold"),
        ('{"pain_ceiling": 4}', ["--pathway", "desk", "--since", "May"], "write a day as"),
    ],
)
def test_a_bad_file_is_one_clear_line_and_status_2(
    library, rehearse_file, capsys, content, more, words
):
    with pytest.raises(SystemExit) as ended:
        rehearse_file(content, *more)
    heard = capsys.readouterr()
    assert ended.value.code == 2
    assert words in heard.err and heard.err.count("\n") == 1
    assert not AccessRecord.objects.exists()


def test_a_file_that_is_not_there_is_named(library, capsys):
    with pytest.raises(SystemExit):
        call_command("rehearse_policy", "nowhere.json", "--since", "2026-03-02")
    assert "nowhere.json: cannot be read" in capsys.readouterr().err
