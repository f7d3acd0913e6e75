"""What the words of a reminder may hold: rules alone, without a database."""

import string

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from clinic.messaging import texts
from clinic.messaging.filling import SMS_LENGTH, fill_text, plain_gsm, sent_length
from clinic.messaging.health_words import given_away
from clinic.messaging.wording_rules import problems
from clinic.models import OutboxMessage, Site

LANGUAGES = [code for code, _ in settings.LANGUAGES]
LINK = 75
SITES = [("Harbour Street", "+44 20 7946 0100"), ("Praxis am Hauptbahnhof Nord", "+49 30 901820")]
EXERCISES = ["Dead bug", "Bird dog", "Sit to stand", "Chop and lift", "Front-of-hip stretch"]
SMS = "{practice}: your ten minutes for today {link}"
MAIL = "Hello,\n\nStart today:\n{link}\n\nCall {practice}.\n\nStop these e-mails:\n{stop_link}"


def of_sms(body: str, **changes) -> list[str]:
    found = problems(
        **{
            "channel": "sms",
            "subject_line": "",
            "body": body,
            "sites": SITES,
            "link_length": LINK,
            "exercises": EXERCISES,
            **changes,
        }
    )
    return found.get("body", []) + found.get("subject_line", [])


def of_mail(body: str = MAIL, subject: str = "Your ten minutes") -> dict[str, list[str]]:
    return problems(
        channel="email",
        subject_line=subject,
        body=body,
        sites=SITES,
        link_length=LINK,
        exercises=EXERCISES,
    )


# --- the supplied words ----------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", OutboxMessage.REMINDERS)
def test_the_supplied_words_keep_the_rules(kind, language):
    subject, body = texts.supplied_mail(kind, language)
    assert of_mail(body, subject) == {}
    for form in texts.supplied_texts(kind, language):
        wrong = of_sms(form, sites=[("Mill", "112")], link_length=60)
        assert [said for said in wrong if "{practice}" not in said] == [], form
        assert given_away(form.replace("{link}", ""), others_read_along=True) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", OutboxMessage.REMINDERS)
@given(name=st.text(max_size=120), phone=st.text(alphabet="+0123456789 /-()", max_size=32))
def test_given_any_site_then_a_text_fits_one_message_with_its_link(kind, language, name, phone):
    site = Site(name=name, phone=phone)
    _, body = texts.finished(kind=kind, channel="sms", site=site, language=language)
    assert sent_length(body, texts.link_length()) <= SMS_LENGTH
    assert plain_gsm(body.replace("{link}", "-")) == body.replace("{link}", "-")
    assert body.count("{link}") == 1


def test_given_room_then_a_text_says_who_writes_how_to_stop_and_whom_to_call():
    site = Site(name="Mill Lane", phone="020 7946 0100")
    _, body = texts.finished(kind="routine_reminder", channel="sms", site=site, language="en")
    assert body == (
        "Mill Lane: Your ten minutes for today {link} Questions? 020 7946 0100 Reply STOP to stop"
    )


# --- health ----------------------------------------------------------------------------------

HEALTH = [
    *("your back", "Back exercises for you", "bad spine", "slipped disc", "sciatica", "in pain"),
    *("painful", "back-ache", "lumbar care", "your injury", "arthritis", "stiffness", "numbness"),
    *("Rückenschmerzen", "Rueckenschule", "Bandscheibe", "Hexenschuss", "Ischias", "Verletzung"),
    *("Knieschmerz", "Wirbelsäule", "Beschwerden", "dolor", "tu espalda", "ciática", "hernia"),
    *("lumbalgia", "lesión", "la columna", "cervicales", "rodilla"),
    *("dead bug", "Dead-Bugs", "deadbug", "bird dogs", "sit to stand", "Chop & and lift"),
    *("planks", "squats", "sit-ups", "Kniebeugen", "Liegestütze", "sentadillas", "plancha"),
    *("7/10", "7 / 10", "pain 3", "level 2", "Stufe 3", "nivel dos", "80%", "80 percent"),
    *("7 out of 10", "sieben von zehn", "5 of 7", "7 de 10", "score", "phase 1", "3 points"),
    *("your exercises", "Ihre Übungen", "tus ejercicios", "physiotherapy", "Behandlung"),
    *("p.a.i.n", "p a i n", "pa-in", "P_A_I_N", "p4in", "b@ck", "раin", "páin", "pa\u00adin"),
    *("ｐａｉｎ", "sp\u200bine", "d·i·s·c", "sco-re", "ѕріnе", "7∕10", "７/１０"),
    # Kinds of injury, further parts and conditions.
    *("tendon", "a torn ligament", "meniscus", "whiplash", "your accident", "your fall", "sprain"),
    *("disc", "fracture", "surgery", "foot", "feet", "elbow", "wrists", "diabetes", "migraine"),
    *("Sehne", "Kreuzband", "Meniskus", "Schleudertrauma", "Unfall", "Arbeitsunfall", "Sturz"),
    *("Fraktur", "nach OP", "Zerrung", "Fuß", "Ellbogen", "Handgelenk", "Diabetiker", "Migräne"),
    *("tendón", "ligamento", "menisco", "latigazo", "accidente", "caída", "fractura", "esguince"),
    *("cirugía", "tu pie", "codos", "muñeca", "diabética", "migraña"),
    # Movement classes and phases.
    *("breathing", "isometric", "mobility", "anti-extension", "anti-rotation", "rotation"),
    *("loaded flexion", "hip hinge", "loaded hinge", "hip extension", "stability", "stabilise"),
    *("strengthen", "strength training", "your strength routine", "daily life", "phase 2"),
    *("Atmung", "Mobilität", "Beweglichkeit", "Stabilität", "Kräftigung", "Rotation", "Beugung"),
    *("respiración", "movilidad", "estabilidad", "fortalecer", "rotación", "bisagra"),
    # Exercises, one and several.
    *("bridge", "bridges", "Brücke", "Brücken", "puente", "puentes", "hinges", "superman"),
    *("birds dogs", "Front of hip stretches", "chops and lifts", "sits to stands"),
    # Doses.
    *("Hold 10 seconds, 5 times", "3x10", "3 x 10", "3 × 10", "3Х10", "three x ten", "5x"),
    *("30 sec", "ten times", "10 breaths", "10 Sekunden", "5 Mal", "zweimal", "8mal"),
    *("10 segundos", "seis veces", "10 reps", "3 sets"),
]


@pytest.mark.parametrize("words", [word for word in HEALTH if "&" not in word])
def test_given_a_condition_an_exercise_or_a_score_then_subject_and_text_are_refused(words):
    assert of_sms(SMS.replace("your ten minutes", words)), words
    assert "subject_line" in of_mail(subject=f"Today: {words}"), words


@pytest.mark.parametrize("words", ["your back hurts", "pain 3", "dead bug", "level 2", "score 7"])
def test_given_health_in_the_body_of_a_mail_then_it_is_refused_too(words):
    assert "body" in of_mail(MAIL.replace("Hello", words))


@given(
    word=st.sampled_from(["pain", "spine", "sciatica", "schmerz", "espalda", "score", "deadlift"]),
    splitter=st.sampled_from(["", ".", "-", " ", "_", "\u200b", "·", "'"]),
    upper=st.booleans(),
    around=st.sampled_from(["%s", "(%s)", "now %s!", "“%s”", "x, %s."]),
)
def test_however_a_word_is_split_or_set_it_is_found(word, splitter, upper, around):
    said = splitter.join(word.upper() if upper else word)
    assert given_away(around % said)


@pytest.mark.parametrize(
    "words",
    [
        "We will call you back. Questions? Ring 020 7946 0100.",
        "Welcome back! Open 24/7, or 8:00 to 21:00, 8-12 and 2.30 pm.",
        "Rufen Sie 030/12 34 56 an, Montag bis Freitag um 8 Uhr.",
        "Bitte drücken Sie hier. Wir rufen zurück. Feedback ist willkommen.",
        "Llama al 91 123 45 67 de 9 a 14. Tus 10 minutos del 7 de mayo.",
        "One of our two sites is closed. Your number is known. 10 minutes.",
        "Achieve your gluten-free discount: painters and numbers, sacred.",
        "Ten minutes at 8:00, at most 12 minutes. We open 24x7.",
        "Zehn Minuten um 8.30 Uhr. Auf jeden Fall bis morgen, im Notfall 112.",
        "Diez minutos a las 8:00. Mucha fuerza, otra vez y en inglés.",
        "From strength to strength: we wish you strength. Fingers crossed, thumbs up!",
        "On balance it is fine. Activate the link, or press extension 12.",
        "Once is enough, one time, in a second. How times change at all times.",
        "Zum ersten Mal, noch einmal, ein Mal, diesmal. Alltag und Leistung.",
        "Solo una vez. Segundo aviso: a veces hay diez minutos.",
    ],
)
def test_given_everyday_words_then_nothing_is_given_away(words):
    assert given_away(words, names=EXERCISES, others_read_along=True) == []


@given(
    sets=st.integers(1, 99),
    times=st.integers(1, 99),
    sign=st.sampled_from(["x", "X", "×", "х"]),
    space=st.sampled_from(["", " ", "\u00a0"]),
)
def test_given_sets_and_repetitions_in_any_figures_then_they_are_found(sets, times, sign, space):
    dose = f"{sets}{space}{sign}{space}{times}"
    is_all_week = (sets, times) == (24, 7)
    assert bool(given_away(f"Today: {dose}!")) != is_all_week


@given(hour=st.integers(0, 23), minute=st.integers(0, 59), length=st.integers(2, 59))
def test_given_a_time_of_day_and_minutes_then_nothing_is_given_away(hour, minute, length):
    for words in (
        f"Your {length} minutes at {hour}:{minute:02} today",
        f"Ihre {length} Minuten um {hour}.{minute:02} Uhr heute",
        f"Tus {length} minutos a las {hour}:{minute:02} hoy",
    ):
        assert given_away(words, names=EXERCISES, others_read_along=True) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        *(("Bear crawl", "bear crawls"), ("Bear crawls", "bear crawl"), ("Chop", "chops")),
        *(("Seitstütz", "Seitstütze"), ("Seitheben", "seitheben"), ("Klappen", "klappe")),
        *(("Perro-pájaro", "perros pájaro"), ("Leñador y elevación", "leñadores y elevaciones")),
    ],
)
def test_given_the_name_of_an_exercise_then_one_and_several_of_it_are_found(name, said):
    assert given_away(f"Today {said}.", names=[name])
    assert not given_away(f"Today {said}.")


def test_given_a_street_with_a_bridge_then_its_site_keeps_its_name():
    assert texts.shown_name(Site(name="Tower Bridge"), "en") == "Tower Bridge"


@given(st.text(max_size=200))
def test_given_any_text_then_the_search_ends_and_names_a_part_of_it(text):
    for word in given_away(text, names=EXERCISES, others_read_along=True):
        assert word and word in text


def test_every_word_in_the_way_is_named_at_once_in_its_order():
    said = of_sms("{practice}: your back exercises, level 2, dead-bugs. Back again? {link}")
    assert said == [
        "“back”, “exercises”, “level 2”, “dead-bugs”, “Back”: could tell others about "
        "somebody’s health. Please say it without."
    ]


# --- form ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "Write the words"),
        ("{practice}: your ten minutes", "{link} opens the routine"),
        ("{practice}: {link} {link}", "once"),
        ("{practice}: today {link}.", "space before and after"),
        ("Today {link}", "who writes"),
        (SMS + " {stop_link}", "{stop_link} is not known here"),
        (SMS + " {name}", "{name} is not known here"),
        (SMS + " {{ practice }}", "without its other half"),
        (SMS + " }", "without its other half"),
        (SMS + " <b>now</b>", "is HTML"),
        (SMS + " &nbsp;", "is HTML"),
        (SMS + " www.evil.example", "is an address"),
        (SMS + " evil.example/x", "is an address"),
        (SMS + " https://evil.example", "is an address"),
        (SMS + " me@practice.example", "is an address"),
        (SMS + " 😀", "cannot carry “😀”"),
        (SMS + " ahí", "cannot carry “í”"),
        (SMS + " " + "word " * 12, "of 160 letters"),
    ],
)
def test_given_a_text_that_cannot_go_out_then_a_sentence_says_why(body, said):
    assert any(said in sentence for sentence in of_sms(body)), of_sms(body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "Write the words"),
        (MAIL.replace("\n{link}", ""), "{link} opens the routine"),
        (MAIL.replace("\n{stop_link}", ""), "{stop_link} stops"),
        (MAIL.replace(":\n{link}", ": {link}"), "line of its own"),
        (MAIL.replace("Start today:\n", "\n"), "line of its own"),
        (MAIL.replace("{link}\n\n", "{link}\n"), "empty line after {link}"),
        (MAIL.replace("{practice}", "us"), "who writes"),
        (MAIL + "\n\n" + "word " * 500, "at most 2000"),
        (MAIL + "\n\n<script>alert(1)</script>", "is HTML"),
        (
            "{practice}\n\nStop:\n{stop_link}\n\nStart:\n{link}",
            "{link} must come before",
        ),
    ],
)
def test_given_a_mail_that_cannot_go_out_then_a_sentence_says_why(body, said):
    found = of_mail(body).get("body", [])
    assert any(said in sentence for sentence in found), found


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("", "Write a subject"),
        ("Two\nlines", "one line"),
        ("Two\rlines", "one line"),
        ("x" * 79, "at most 78"),
        ("{link}", "not known here"),
        ("{practice} {practice}", "once"),
        ("Hello\x0b", "cannot be seen"),
    ],
)
def test_given_a_subject_that_cannot_go_out_then_a_sentence_says_why(subject, said):
    found = of_mail(subject=subject)["subject_line"]
    assert any(said in sentence for sentence in found), found


def test_given_good_words_then_nothing_is_said():
    assert of_sms(SMS) == []
    assert of_mail() == {}
    assert of_mail(subject="{practice}: your ten minutes") == {}


def test_given_a_subject_for_a_text_then_it_is_refused():
    assert of_sms(SMS, subject_line="Hello") == ["A text message has no subject."]


@given(
    words=st.text(alphabet=string.ascii_letters + " .,!?äöüß", max_size=160),
    name=st.text(alphabet=string.ascii_letters + " ", min_size=1, max_size=60).filter(str.strip),
)
def test_what_the_rules_allow_fits_at_every_site(words, name):
    body = f"{{practice}}: {words} {{link}}"
    if not of_sms(body, sites=[(name, "020 7946 0100")]):
        text = fill_text(body, practice=name, phone="020 7946 0100", link_length=LINK)
        assert text is not None and sent_length(text, LINK) <= SMS_LENGTH
