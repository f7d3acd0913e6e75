"""What a text message means: tables of what people write, and any case, space or mark."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.messaging.reading_texts import Meaning, Reading, choice, read

STOP = """
STOP
stop
STOP!!
Stop.
stop?
Stpo
sotp
stp
STOOOP
stopp
S T O P
S.T.O.P.
stop stop stop
please stop
Stop please 🙏
stop now
🛑 STOP 🛑
STOPALL
stop all
unsubscribe
Unsubscibe
cancel
cancle
end
quit
opt out
opt-out
OPTOUT
revoke
remove me
please stop texting me
Please STOP sending me texts!
stop the texts
stop all messages
stop your reminders
stop messaging
stop these
stop it
don't send me any more messages
do not text me
Don't text me anymore
dont contact me again
I don't want these texts
I do not want to receive messages
I don't need the reminders any more
I no longer wish to receive texts
no more texts pls
No more messages.
no more reminders please
i want no more texts
leave me alone
Leave me alone!!
please leave me alone
take me off
take me off your list
please take me off this list
remove me from your list
remove my number
delete my number
opt me out
I want to opt out
I want to unsubscribe
how do I unsubscribe?
can you stop texting me?
Could you please stop the messages?
how can i stop these texts?
I revoke my consent
I withdraw my consent to texts
stop bothering me
stop spamming me
lose my number
go away
fuck off
wrong number
Sorry, wrong number
STOP. Wrong number.
Stop! I never signed up
Stop texting me, you never called me back
stop texting me when I told you to stop
cancel my reminders
end these messages
enough texts
no texts please
turn off the reminders
never text me again
stop contacting me
STOPP
Aufhören
aufhoeren
AUFHOREN
bitte keine Nachrichten mehr
Keine SMS mehr
keine nachrichten mehr bitte
Ich möchte keine Nachrichten mehr
ich will keine Nachrichten mehr bekommen
Schicken Sie mir keine Nachrichten mehr
Bitte nicht mehr schreiben
Schreiben Sie mir nicht mehr
schreib mir nicht mehr
Kontaktieren Sie mich nicht mehr
Lassen Sie mich in Ruhe
lasst mich in Ruhe!
Hören Sie auf mir zu schreiben
Hör auf
hört auf mit den SMS
Stoppen Sie die Nachrichten
Nachrichten bitte stoppen
Erinnerungen abbestellen
Abmelden
ich möchte mich abmelden
Bitte melden Sie mich ab
Nehmen Sie mich aus dem Verteiler
Bitte löschen Sie meine Nummer
Ich widerrufe meine Einwilligung
falsche Nummer
keine Erinnerungen
Können Sie bitte keine SMS mehr schicken?
bitte keine weiteren Nachrichten
ALTO
PARAR
BAJA
CANCELAR
¡ALTO!
basta
no más mensajes
No me envíen más mensajes
no me mande más mensajes por favor
No me escriban más
no quiero recibir más mensajes
ya no quiero mensajes
no quiero mensajes
dejen de enviarme mensajes
Deje de escribirme
déjenme en paz
Déjame en paz
quiero darme de baja
denme de baja
cancelar mensajes
borren mi número
número equivocado
Revoco mi consentimiento
paren los mensajes
basta de mensajes
""".strip().splitlines()

# Some of these speak of stopping, none of them asks for no more messages.
WORDS = """
I can't stop the pain
when should I stop?
stop hurting
make it stop
please make it stop
It won't stop hurting
Should I stop exercise 3?
Can I stop the bridge?
I had to stop after 2 minutes
cancel my appointment on Friday
Can you cancel my appointment?
cancer
step
Top!
shop
The pain won't leave me alone
My back leaves me alone today
why did you stop texting me?
don't stop texting me
Please do not stop the messages
You don't text me anymore
I get no more texts, why?
I have received no more messages
don't text me before 10
please don't text me at night
stop sending me so many messages
It hurts, I stopped
stop please it hurts
When do the messages stop?
The end of the exercise hurts
I'm at my wits end
no more pain
no more exercises please
take me off the tablets
can I opt out of exercise 3
it takes my breath
I quit smoking
Quiet night
quite good
the weekend was hard
Don't worry
I did not get the message
Will the pain go away?
how do I stop the pain?
if it hurts should I stop
did I use the wrong number of sets?
I called the wrong number yesterday
I don't like the plank
I don't need a reminder today
send me more
Ich kann nicht aufhören
Der Schmerz hört nicht auf
Wann soll ich aufhören?
Die Schmerzen lassen mich in Ruhe
der Schmerz lässt mich nicht in Ruhe
ich bekomme keine Nachrichten mehr
Warum kommen keine Erinnerungen mehr?
ich kann nicht mehr schreiben vor Schmerz
ich kann nicht mehr
Ich muss mich für morgen abmelden
Warum schreiben Sie mir nicht mehr?
Sie schreiben mir nicht mehr
anmelden bei wem?
bitte nicht vor 9 schreiben
Ende der Woche komme ich
keine Schmerzen mehr
bitte keine Nachrichten vor 9
estoy de baja
sigo de baja
me dieron de baja en el trabajo
no puedo parar el dolor
el dolor no para
el dolor no me deja en paz
ya no me envían mensajes
no recibo mensajes
¿Cuándo paro?
espero que no me moleste
no más dolor
para mañana
baja el dolor
la espalda no me molesta
no me llegan los mensajes
hello
thanks
ok
👍
A
anna
7-8
7.5
11
-3
7?
around 7
at 7
70
2026
pain free
no pain
I am done with this
done?
not done
fertig?
ich bin fix und fertig
it was 7 yesterday but 3 today
3 4
half
help me please
can someone help
start tomorrow
when do I start?
I want to start again when better
yes but it hurts
null problem
1/2
10 minutes
""".strip().splitlines()

PAIN = {
    "7": 7,
    " 7 ": 7,
    "7!": 7,
    "7.": 7,
    "(6)": 6,
    "#6": 6,
    "7/10": 7,
    "7 / 10": 7,
    "10/10": 10,
    "0": 0,
    "10": 10,
    "pain 7": 7,
    "Pain: 7": 7,
    "pain 7/10": 7,
    "seven": 7,
    "ten": 10,
    "7 out of 10": 7,
    "my pain is 3 today": 3,
    "my pain is 7 of 10 thanks": 7,
    "Schmerz 4": 4,
    "sieben": 7,
    "fünf": 5,
    "4 von 10": 4,
    "dolor 5": 5,
    "cinco": 5,
    "5 de 10": 5,
    "7️⃣": 7,
    "٧": 7,
    "７": 7,
}
DONE = """
done
DONE!
Done ✅
did it
all done
finished
I did it
done today
Done for today
yes done
I have done my exercises
Done thanks
fertig
Erledigt!
habe alles gemacht
ich bin fertig
Übungen gemacht
hecho
ya está hecho
listo
he terminado
""".strip().splitlines()
START = "start,START!,Start again,unstop,please start,Starten,empezar,alta".split(",")
HELP = "help,HELP!,info,Hilfe,¡AYUDA!,h e l p".split(",")
YES = "yes,YES!,ja,Sí".split(",")

# Marks and space that may stand around any keyword.
around = st.text(alphabet=" \t\n.,!-–_*'\"()…🙏🛑👍\u200b\ufe0f", max_size=6)


@pytest.mark.parametrize("words", STOP)
def test_a_request_for_no_more_messages_is_a_stop(words):
    assert read(words).meaning is Meaning.STOP


@pytest.mark.parametrize("words", WORDS)
def test_anything_that_does_not_plainly_ask_is_for_a_person_to_read(words):
    assert read(words) == Reading(Meaning.WORDS, own_words=True)


@pytest.mark.parametrize(("words", "pain"), PAIN.items())
def test_a_number_from_0_to_10_is_the_pain_of_today(words, pain):
    assert read(words) == Reading(Meaning.PAIN, pain=pain)


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        *((words, Meaning.DONE) for words in DONE),
        *((words, Meaning.START) for words in START),
        *((words, Meaning.HELP) for words in HELP),
        *((words, Meaning.YES) for words in YES),
    ],
)
def test_a_keyword_is_the_whole_text_with_its_courtesies(words, meaning):
    assert read(words).meaning is meaning


def test_what_was_said_beyond_a_keyword_is_to_be_read_too():
    assert not read("Stop!").own_words
    assert not read("please stop").own_words
    assert read("Stop texting me, my back hurts").own_words
    assert read("STOP. Wrong number.").own_words


@pytest.mark.parametrize(
    ("words", "who"),
    [
        ("A", 0),
        ("b.", 1),
        ("(B)", 1),
        ("Anna", 0),
        ("ANNA!", 0),
        ("for Ben", 1),
        ("für Anna", 0),
        ("A for Anna", 0),
        ("It's Ben", 1),
        ("B for Anna", None),
        ("c", None),
        ("ann", None),
        ("A B", None),
        ("7", None),
        ("", None),
    ],
)
def test_a_family_answers_by_letter_or_by_name(words, who):
    assert choice(words, ["Anna", "Ben"]) == who


def test_a_name_that_two_of_a_family_share_chooses_nobody():
    assert choice("Hans", ["Hans", "Hans"]) is None


CARRIERS = "stop stopall unsubscribe cancel end quit optout revoke stopp alto".split()


@given(word=st.sampled_from(CARRIERS), before=around, after=around, data=st.data())
def test_a_carriers_keyword_counts_in_any_case_and_between_any_marks(word, before, after, data):
    cases = data.draw(st.lists(st.booleans(), min_size=len(word), max_size=len(word)))
    cased = "".join(c.upper() if up else c for c, up in zip(word, cases, strict=True))
    assert read(f"{before}{cased}{after}").meaning is Meaning.STOP


@given(number=st.integers(0, 10), before=around, after=around)
def test_a_number_counts_between_any_marks_but_a_minus(number, before, after):
    if before.rstrip().endswith(("-", "–")):
        return
    assert read(f"{before}{number}{after}").pain == number


@given(words=st.text(max_size=400))
def test_any_text_at_all_has_a_meaning(words):
    reading = read(words)
    assert (reading.pain is not None) == (reading.meaning is Meaning.PAIN)
    assert reading.pain is None or 0 <= reading.pain <= 10


@given(number=st.integers(11, 10**12))
def test_a_number_above_ten_is_never_a_pain(number):
    assert read(str(number)).meaning is Meaning.WORDS


@given(words=st.lists(st.sampled_from("the a pain hurts stop back when I my it".split())))
def test_the_word_pain_beside_a_stop_is_never_a_stop(words):
    said = " ".join([*words, "pain"])
    assert read(said).meaning is not Meaning.STOP


@pytest.mark.parametrize(
    "words", ["stop " * 300, "please " * 250, "don't " * 250, "keine sms " * 150, "no mas " * 200]
)
def test_a_text_as_long_as_a_carrier_takes_is_read_at_once(words):
    assert read(words[:1600]).meaning in Meaning
