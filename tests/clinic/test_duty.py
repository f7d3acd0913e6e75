"""Whatever absences there are, somebody answers; and what the night pushes together stays a row."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic import duty, escalation, opening
from clinic.duty import Away, Team

AT = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
LONDON = ZoneInfo("Europe/London")
WEEK = opening.read_hours("Mon-Fri 08:00-18:00")


def away(who: int, cover: int | None = None, *, begins: int = -1, ends: int = 1) -> Away:
    return Away(who, AT + begins * HOUR, AT + ends * HOUR, cover)


def team(*absences: Away, usual: dict[int, int] | None = None, gone: tuple[int, ...] = ()) -> Team:
    """Physiotherapists 1 to 4, managers 8 and 9."""
    return Team(
        working=frozenset({1, 2, 3, 4, 8, 9} - set(gone)),
        managers=tuple(who for who in (8, 9) if who not in gone),
        usual_cover=usual or {},
        absences=absences,
    )


# --- who answers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("absences", "expected"),
    [
        ([], (1, "owner")),
        ([away(1, 2)], (2, "cover")),
        ([away(1, 2), away(2, 3)], (3, "cover")),
        ([away(1, 2), away(2, 1)], (8, "manager")),
        ([away(1), away(8)], (9, "manager")),
        ([away(1, 2), away(2), away(8), away(9)], (2, "away")),
        ([away(1, 2, ends=0)], (1, "owner")),
        ([away(1, 2, begins=1, ends=2)], (1, "owner")),
    ],
)
def test_given_who_is_away_then_the_one_who_is_there_answers(absences, expected):
    found = duty.on_duty(1, team=team(*absences), at=AT)
    assert (found.person, found.because) == expected


def test_given_a_cover_who_goes_and_comes_back_then_each_turn_has_its_moment():
    absences = [away(1, 2, begins=-1, ends=9), away(2, begins=2, ends=4), away(3, ends=9)]
    found = duty.duties(1, team=team(*absences), begins=AT, ends=AT + 9 * HOUR)
    assert [((since - AT) // HOUR, turn.person) for since, turn in found] == [
        (0, 2),
        (2, 8),
        (4, 2),
    ]


def test_given_an_owner_who_left_then_who_usually_stood_in_answers():
    assert duty.on_duty(1, team=team(usual={1: 3}, gone=(1,)), at=AT).person == 3


def test_given_a_cover_who_left_then_it_goes_on_to_theirs():
    left = team(away(1, 2), usual={2: 4}, gone=(2,))
    assert duty.on_duty(1, team=left, at=AT).person == 4


def test_given_nobody_who_can_sign_in_then_it_says_so():
    found = duty.on_duty(1, team=Team(working=frozenset()), at=AT)
    assert (found.person, found.because) == (None, "nobody")


PEOPLE = st.integers(1, 6)
MOMENTS = st.integers(-48, 48).map(lambda hours: AT + hours * HOUR)


@st.composite
def teams(draw) -> Team:
    working = draw(st.frozensets(PEOPLE))
    spans = draw(st.lists(st.tuples(PEOPLE, MOMENTS, st.integers(1, 72), st.none() | PEOPLE)))
    return Team(
        working=working,
        managers=tuple(who for who in sorted(working) if who > 4),
        usual_cover=draw(st.dictionaries(PEOPLE, PEOPLE)),
        absences=[Away(who, begins, begins + n * HOUR, cover) for who, begins, n, cover in spans],
    )


@given(teams(), PEOPLE, MOMENTS)
def test_given_any_absences_at_any_moment_then_somebody_who_can_sign_in_answers(team, owner, at):
    found = duty.on_duty(owner, team=team, at=at)
    assert (found.person in team.working) if team.working else (found.person is None)
    if team.is_there(owner, at):
        assert (found.person, found.because) == (owner, "owner")
    if any(team.is_there(who, at) for who in team.managers):
        assert team.is_there(found.person, at)


@given(teams(), PEOPLE, MOMENTS)
def test_given_covers_in_a_ring_then_the_chain_ends_and_names_nobody_twice(team, owner, at):
    chain = duty.covers_of(owner, team=team, at=at)
    assert len(chain) == len(set(chain))
    assert chain[0] == owner


# --- when it is told -------------------------------------------------------------------------

SEVERITIES = st.sampled_from(["emergency", "same_day", "soon", "routine"])
HOURS = st.dictionaries(
    st.integers(0, 6),
    st.tuples(st.integers(0, 11), st.integers(12, 23)).map(
        lambda h: (dt.time(h[0]), dt.time(h[1]))
    ),
)
ZONES = st.sampled_from(["Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Apia"])
RAISED = st.integers(0, 365 * 24 * 60).map(lambda minutes: AT + minutes * dt.timedelta(minutes=1))


@given(SEVERITIES, RAISED, st.integers(1, 200), ZONES, HOURS)
def test_given_any_site_then_its_stages_only_go_forward_and_end(severity, raised, due, zone, hours):
    site = escalation.Site(ZoneInfo(zone), hours)
    row = escalation.stages(
        severity=severity, raised_at=raised, due_at=raised + due * HOUR, site=site
    )
    assert [stage.number for stage in row] == list(range(len(row)))
    assert all(one.at < two.at for one, two in itertools.pairwise(row))
    assert (row[0].kind, row[0].at) == ("raised", raised)
    assert 2 <= len(row) <= 20
    for stage in row[1:]:
        local = stage.at.astimezone(site.zone).time()
        assert severity == "emergency" or dt.time(8) <= local < dt.time(21)


@given(SEVERITIES, RAISED, st.lists(st.integers(1, 90), min_size=1, max_size=40))
def test_given_looks_at_any_moments_then_no_stage_is_told_twice_and_none_waits(
    severity, raised, gaps
):
    row = escalation.stages(
        severity=severity,
        raised_at=raised,
        due_at=raised + 4 * HOUR,
        site=escalation.Site(LONDON, WEEK),
    )
    told, last, at = [], 0, raised
    for gap in gaps:
        at += gap * dt.timedelta(minutes=20)
        stage = escalation.reached(row, last=last, at=at)
        if stage is not None:
            told.append(stage.number)
            last = stage.number
        waiting = escalation.following(row, last=last)
        assert waiting is None or waiting > at
    assert told == sorted(set(told))


def test_given_an_emergency_at_night_then_it_is_told_at_once_and_again_as_the_site_opens():
    raised = dt.datetime(2026, 3, 6, 23, 0, tzinfo=dt.UTC)  # a Friday
    row = escalation.stages(
        severity="emergency",
        raised_at=raised,
        due_at=raised + HOUR,
        site=escalation.Site(LONDON, WEEK),
    )
    said = [(stage.kind, f"{stage.at:%a %H:%M}") for stage in row]
    assert said[:4] == [
        ("raised", "Fri 23:00"),
        ("half_time", "Fri 23:30"),
        ("due", "Sat 00:00"),
        ("again", "Sat 00:30"),
    ]
    assert said[11] == ("opening", "Mon 08:00")


def test_given_one_of_the_same_day_in_the_evening_then_the_night_is_said_once_in_the_morning():
    raised = dt.datetime(2026, 3, 2, 20, 0, tzinfo=dt.UTC)
    row = escalation.stages(
        severity="same_day",
        raised_at=raised,
        due_at=raised + 4 * HOUR,
        site=escalation.Site(LONDON, WEEK),
    )
    assert [f"{stage.at:%a %H:%M}" for stage in row][:3] == ["Mon 20:00", "Tue 08:00", "Tue 10:00"]


# --- opening hours -----------------------------------------------------------------------------


def test_given_hours_as_people_write_them_then_they_are_read():
    hours = opening.read_hours("mon–thu 8:00 - 18:00; Fri 08.00-13.30, Sat 09:00-12:00")
    assert hours[0] == (dt.time(8), dt.time(18))
    assert hours[4] == (dt.time(8), dt.time(13, 30))
    assert sorted(hours) == [0, 1, 2, 3, 4, 5]
    assert opening.read_hours("  ") == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("always", "is not understood"),
        ("Mon 18:00-08:00", "closes before it opens"),
        ("Mon-Fri 08:00-18:00, Tue 09:00-10:00", "Tue stands there twice"),
        ("Mon 08:00-25:00", "not a time of day"),
        ("Foo 08:00-09:00", "is not a day"),
        ("Fri-Mon 08:00-09:00", "ends before it begins"),
    ],
)
def test_given_hours_that_make_no_sense_then_the_refusal_says_which(words, said):
    with pytest.raises(ValueError, match=said):
        opening.read_hours(words)


@given(RAISED, ZONES, HOURS)
def test_given_any_hours_then_the_next_opening_is_open_and_nothing_opens_before(at, zone, hours):
    zone = ZoneInfo(zone)
    opens = opening.next_opening(at, zone, hours)
    assert (opens is None) == (not hours)
    if opens is not None:
        assert at < opens <= at + dt.timedelta(days=9)
        assert opening.is_open(opens, zone, hours)
        closes = opening.closes_at(opens, zone, hours)
        assert closes is not None and closes > opens
