"""What a text message means. Pure: no Django, no clock.

A keyword is the whole text, whatever its case, marks, emoji and courtesies; one wrong letter in a
STOP is forgiven, unless it makes another word. A STOP may also be said in words of one's own
(``asking_to_stop``). Everything that is not plainly one of these is words for a person to read:
"I can't stop the pain", "when should I stop?".

English, German and Spanish, all tried on every text.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from clinic.messaging.asking_to_stop import asks_to_stop, folded, sentences


class Meaning(StrEnum):
    STOP = "stop"
    START = "start"
    YES = "yes"  # START for somebody who has stopped, for anybody else a word to read
    HELP = "help"
    DONE = "done"
    PAIN = "pain"
    WORDS = "words"


@dataclass(frozen=True)
class Reading:
    """``pain`` is 0–10 for PAIN only. ``own_words``: more was said than a keyword, so that a
    person should read it too. ``cancels``: a STOP by a word that is said of appointments too."""

    meaning: Meaning
    pain: int | None = None
    own_words: bool = False
    cancels: bool = False


def read(words: str) -> Reading:
    """The meaning of one whole text."""
    spelled = _spelled(folded(words))
    if spelled in _STOP or _is_typo_of_stop(spelled):
        return Reading(Meaning.STOP, cancels=_cancels(spelled))
    if _begins_or_ends_with_stop(words) or asks_to_stop(words):
        return Reading(Meaning.STOP, own_words=True)
    for meaning, keys in ((Meaning.START, _START), (Meaning.YES, _YES)):
        if spelled in keys:
            return Reading(meaning)
    if folded(words).replace(" ", "") in _HELP:
        return Reading(Meaning.HELP)
    if "?" not in words and "¿" not in words:
        if _is_done(folded(words).split()):
            return Reading(Meaning.DONE)
        pain = _pain(words)
        if pain is not None:
            return Reading(Meaning.PAIN, pain=pain)
    return Reading(Meaning.WORDS, own_words=True)


def choice(words: str, names: Sequence[str]) -> int | None:
    """Which of a family answers "A", "b.", or with the first name; counted from 0. None when it
    is neither, or could be two of them."""
    said = folded(words)
    tokens = [token for token in said.split() if token not in _BESIDE_A_NAME]
    letters = [chr(ord("a") + number) for number in range(len(names))]
    folds = [folded(name) for name in names]
    if said in letters:
        return letters.index(said)
    if len(tokens) > 1 and tokens[0] in letters:
        # "A for Anna": the name must be the letter's own.
        number = letters.index(tokens[0])
        return number if " ".join(tokens[1:]) == folds[number] else None
    named = " ".join(tokens)
    return folds.index(named) if folds.count(named) == 1 else None


# --- keywords -----------------------------------------------------------------------------------

_COURTESY = frozenset(
    """please pleas pls plz plse kindly just now immediately thanks thank you thx ty ok okay hi
    hello hey sorry bitte danke hallo jetzt sofort endlich por favor porfavor porfa gracias hola ya
    ahora""".split()
)
_STOP = frozenset(
    """stop stops stopall stopit stoptexts stopsms stopmessages smsstop unsubscribe unsubscribeme
    cancel cancelall end endall quit quitall optout optmeout revoke remove removeme halt arret
    stopp stoppen stoppt aufhoren aufhoeren abmelden abmeldung abbestellen abbestellung austragen
    kundigen kuendigen ende beenden widerruf widerrufe widerrufen
    alto parar pare paren para baja cancelar cancela cancelen detener detenganse basta anular
    darmedebaja darsedebaja dardebaja debaja desuscribir desuscribirme""".split()
)
# Carriers demand that these stop, and people answer them to the reminder of an appointment.
_CANCEL = frozenset(
    """cancel cancelar cancela cancelen anular
    abmelden abmeldung abbestellen abbestellung""".split()
)
_START = frozenset(
    """start startagain restart unstop resume subscribe optin starttexts startmessages starttexting
    textmeagain unmute
    starten neustart wiederstarten anmelden weitermachen wiederanmelden
    empezar iniciar reanudar alta comenzar suscribir reiniciar""".split()
)
_YES = frozenset("yes y yeah yep yup ja jawohl si claro".split())
_HELP = frozenset("help info hilfe ayuda helpinfo aiuto aide".split())

# Forgiven one letter. Shorter ones and those of Spanish are too close to other words.
_TYPOS_OF = (
    "stop stopp stopall unsubscribe cancel cancelar optout revoke aufhoren aufhoeren abbestellen"
).split()
_OTHER_WORDS = frozenset(
    """step steps shop slop swop stow stoa stot stob stomp stoop stoup strop top sop atop stopf
    stopft topp stoss spot cancer chancel evoke revoked canceled cancelan
    sto stopped stopping soap slap snap stok stab""".split()
)
_STRONG = frozenset("stop stopp stopall unsubscribe optout stoptexts stopsms stopmessages".split())


# "Stooop": no word of ours has a letter three times in a row.
_SHOUTED = re.compile(r"(.)\1{2,}")


def _spelled(fold: str) -> str:
    """The text without courtesies and repetitions, as one word: "please, S T O P" is "stop"."""
    rest = [_SHOUTED.sub(r"\1", word) for word in fold.split() if word not in _COURTESY]
    if len(set(rest)) == 1:
        rest = rest[:1]
    return "".join(rest)


def _is_typo_of_stop(spelled: str) -> bool:
    if len(spelled) < 3 or spelled in _OTHER_WORDS or not spelled.isalpha():
        return False
    return any(_one_apart(spelled, key) for key in _TYPOS_OF)


def _cancels(spelled: str) -> bool:
    return any(_one_apart(spelled, key) for key in _CANCEL)


def _one_apart(said: str, meant: str) -> bool:
    """Whether one letter was left out, put in, changed, or changed places with its neighbour."""
    if said == meant:
        return True
    if abs(len(said) - len(meant)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(said, meant, strict=False)) if a != b), None)
    if at is None:
        return True
    rest, wanted = said[at:], meant[at:]
    return (
        rest[1:] == wanted[1:]
        or rest[1:] == wanted
        or rest == wanted[1:]
        or (rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:])
    )


def _begins_or_ends_with_stop(words: str) -> bool:
    """“STOP. Wrong number.”: the keyword is a sentence of its own, and not a question."""
    said = sentences(words)
    return len(said) > 1 and any(
        not question and _spelled(sentence) in _STRONG for sentence, question in (said[0], said[-1])
    )


# --- the day's report ---------------------------------------------------------------------------

_DONE = frozenset(
    """done did finished completed complete
    fertig erledigt gemacht geschafft absolviert abgeschlossen
    hecho hecha hechos hechas listo lista terminado terminada completado completada
    termine""".split()
)
_BESIDE_DONE = (
    frozenset(
        """i im ive have am all it my the today todays already exercises exercise routine session
        workout ten minutes for
        ich bin habe hab es alles alle meine die ubungen uebungen ubung heute schon gerade ist war
        zehn minuten fur
        lo he esta todo todos los las mis ejercicios la rutina de hoy sesion""".split()
    )
    | _COURTESY
    | _YES
)


def _is_done(tokens: Sequence[str]) -> bool:
    said = set(tokens)
    return bool(said & _DONE) and said <= _DONE | _BESIDE_DONE


_NUMBERS = {
    word: number
    for number, spellings in enumerate(
        (
            "0 zero null cero",
            "1 one eins uno",
            "2 two zwei dos",
            "3 three drei tres",
            "4 four vier cuatro",
            "5 five funf fuenf cinco",
            "6 six sechs seis",
            "7 seven sieben siete",
            "8 eight acht ocho",
            "9 nine neun nueve",
            "10 ten zehn diez",
        )
    )
    for word in spellings.split()
}
_PAIN_WORDS = frozenset("pain schmerz schmerzen dolor".split())
_BESIDE_PAIN = (
    frozenset(
        """my is its the today usual level score at about around a i have now of
        mein meine ist sind heute ublicher ubliche ca etwa um habe
        mi el es de hoy habitual nivel tengo un""".split()
    )
    | _COURTESY
)
_OUT_OF_TEN = re.compile(r"(\w+)\s*(?:/|out of|of|von|auf|de|sobre)\s*(?:10|ten|zehn|diez)\b")
_DECIMAL = re.compile(r"\d\s*[.,:\-–]\s*\d|[-−–+]\s*\d")


def _pain(words: str) -> int | None:
    """0–10 when the text says that and nothing else; "7-8" and "7.5" are for a person to read."""
    text = _digits(unicodedata.normalize("NFKC", words))
    if _DECIMAL.search(text):
        return None
    spelled = folded(text)
    if spelled in _NUMBERS:
        return _NUMBERS[spelled]
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in plain if unicodedata.category(c) not in ("Mn", "Me", "Cf"))
    plain, out_of_ten = _OUT_OF_TEN.subn(r"\1 ", plain)
    tokens = folded(plain).split()
    numbers = [_NUMBERS[token] for token in tokens if token in _NUMBERS]
    rest = {token for token in tokens if token not in _NUMBERS}
    if len(numbers) != 1 or not (out_of_ten == 1 or rest & _PAIN_WORDS):
        return None
    return numbers[0] if rest <= _PAIN_WORDS | _BESIDE_PAIN else None


def _digits(text: str) -> str:
    """Digits of every script as 0–9."""
    return "".join(
        str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text
    )


_BESIDE_A_NAME = (
    frozenset(
        """for its it is this im i am me from says
        fur ich bin es ist das hier von
        para soy es de""".split()
    )
    | _COURTESY
)
