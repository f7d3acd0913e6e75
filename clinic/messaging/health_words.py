"""Finding words that give somebody's health away. Pure: no Django, no clock.

A text message lights up on a table and a subject stands in a list of mails, so neither may say
what somebody is treated for, what they do about it or how it goes. The words are looked for in
every language messages are written in at once, without accents and capitals, and also when a
word is split by dots or spaces, written with figures for letters, or with letters of another
alphabet that look the same. ``docs/wording.md`` says what this cannot see.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# A word ends with * where any ending counts, begins with it where any beginning counts.
# Bodies, complaints and what is done to them.
CONDITIONS = """
    backs backache* backpain* spine* spinal disc discs disk disks discogen* sciatic* lumba*
    lumbo* vertebra* coccyx tailbone sacrum sacral sacroiliac pelvi* pain pains pained painful*
    painkiller* painless ache aches ached aching achy headache* hurt* injur* sore sores sorer
    soreness stiff* spasm* numb numbness tingl* herni* prolaps* bulging slipped scolio* kypho*
    stenosis spondyl* arthrit* arthros* osteo* rheuma* fibromyalg* fractur* surger* surgical*
    surgeon* sprain* strain* inflam* nerve nerves muscle* muscul* joint joints neck necks
    shoulder* knee knees hip hips leg legs ankle* glute glutes gluteal gluteus hamstring*
    buttock* abdom* diaphragm* multifid* condition conditions conditioned diagnos* symptom*
    disease* illness* disorder* patholog* chronic* acute medication* medicine* depress* anxi*
    stress* incontinen* bladder bowel* pregnan* cancer* tumor* tumour* flare flares relapse*
    suffer* tendon* tendin* ligament* menisc* cartilage* cruciate achilles whiplash* concuss*
    dislocat* bruis* contusion* trauma* swollen swelling torn scar scars accident* a.fall your.fall
    after.the.fall you.fell foot feet heel heels toe toes thigh* calf calves groin* elbow* forearm*
    upper.arm* wrist* chest chests rib ribs ribcage jaw jaws bone bones diabet* migraine* asthma*
    epilep* hypertens* blood.pressure heart.attack parkinson* sclerosis bursit* fasciit* neural*
    schmerz* *schmerz *schmerzen *schmerzt rucken* ruecken* wirbel* *wirbelsaule bandscheibe*
    ischias* hexenschuss kreuzweh lendenwirbel* lenden* nacken* hals* schulter* knie knies huft*
    hueft* becken* bein beine beinen verletz* *verletzung entzund* entzuend* arthrose* rheuma
    krampf* taubheit* kribbel* steif* muskel* *muskel *muskulatur *gelenk* nerven diagnose*
    beschwerde* erkrank* krank* symptom* bandscheibenvorfall leiden depressiv* angst* operation*
    operiert
    schwanger* krebs* weh wehtun tut.weh kopfweh sehne sehnen *sehne bander kreuzband* menisk*
    knorpel* knochen* schleudertrauma* gehirnersch* unfall* *unfall sturz* gesturzt prellung*
    zerrung* verstauch* verrenk* gebrochen* fraktur* narbe* schwellung* geschwollen* nach.op
    ihre.op der.op fuss fusse fussen ferse fersen zehe zehen wade waden oberschenkel*
    unterschenkel* oberarm* unterarm* ellbogen* ellenbogen* rippe* brust* zuckerkrank* migrane*
    schlaganfall* bluthochdruck*
    dolor* duele* doler dolió espalda* columna* vertebral* disco discos ciatic* lumbar* lumbal*
    cervical* cuello* hombro* rodilla* cadera* pierna* lesion* inflamac* artros* artrit*
    sintoma* enferm* diagnostic* musculo* muscular* nervio* molestia* contractura* escoliosis
    fractura* cirugia* rigidez hormigueo* embaraz* cancer ansiedad estres depresion* cartilago*
    latigazo* esguince* torcedura* desgarro* rotura* luxac* operacion* operado operada operaron
    accidente* caida caidas golpe golpes cicatri* hinchaz* hinchad* tu.pie el.pie pies talon
    talones tobillo* muslo* pantorrilla* ingle codo codos muneca* brazo* antebrazo* costilla*
    pecho hueso* migrana* jaqueca* asma hipertens*
"""
# Exercises by the words people use; the library's own names come in from above.
EXERCISES = """
    plank planks planking squat* deadlift* crunch crunches sit.up sit.ups push.up push.ups
    press.up press.ups curl.up curl.ups lunge* pallof dead.bug* bird.dog* cat.cow* bridging
    bridges glute.bridge* pelvic.tilt* hip.hinge* hip.thrust* belly.breathing core
    kniebeuge* liegestutz* unterarmstutz* kreuzheben beckenheben katze.kuh vierfussler*
    sentadilla* plancha planchas abdominales estiramiento* peso.muerto gato.vaca
"""
# What tells that somebody is treated at all: not where others read along.
TREATMENT = """
    exercis* workout* stretch* physio* physical.therap* therap* rehab* treatment* treated posture*
    ubung* *ubung *ubungen uebung* *uebung *uebungen dehn* behandl* *behandlung therapie*
    krankengymnast* haltung*
    ejercicio* estirar terapia* terapeut* tratamiento* fisio* rehabilita* postura*
"""
# Movement classes, phases and exercises whose names are also words of every day or of a street:
# not where others read along. Left out is what greets and explains more often than it tells:
# "strength" alone, "balance", "activate", "release", "function", a telephone's "extension".
PROGRAMS = """
    bridge bridges superman supermans hinge hinges breathing breathe mobility mobilis* mobiliz*
    stabil* strengthen* strength.train* strength.work* strength.routine* strength.session*
    strength.program* your.strength isometr* anti.extension* anti.rotation* rotation* flexion*
    activation daily.life
    brucke brucken bruecke bruecken atmung atmen atemzug* beweglichkeit* mobilitat* kraftigung*
    kraftigen krafttraining* kraftubung* beugung* streckung* aktivierung*
    puente puentes bisagra* respiracion* respirar movilidad moviliz* estabil* fortalec* rotacion*
    activacion vida.diaria entrenamiento*
"""
SCORES = """
    score* scoring rating ratings percent* phase phases
    prozent* punktzahl* punktestand* bewertung* phasen
    porcentaje* por.ciento puntuacion* puntaje* fase fases
"""
_NUMBER = (
    r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|zero"
    r"|eins?|zwei|drei|vier|funf|fuenf|sechs|sieben|acht|neun|zehn|null"
    r"|uno?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|cero)"
)
_GRADED = (
    r"(?:levels?|stages?|grades?|points?|reps?|repetitions?|sets?"
    r"|stufen?|grad|punkten?|wiederholungen|saetze|satze"
    r"|nivel(?:es)?|grados?|etapas?|puntos?|repeticiones|series)"
)
_LINK_WORDS = r"(?:is |at |to |of |ist |auf |von |es |de |a )?"
# "7/10" and "7 out of 10", but no telephone number (030/12 34 56) and not "24/7".
_FRACTION = re.compile(r"(?<![\d/+])(?!24\s*/\s*7\b)(?!0\d)\d{1,3}\s*/\s*\d{1,3}(?![\d/])")
# "One of two sites" counts nothing.
_OUT_OF = re.compile(
    rf"\b(?!(?:one|eine?|uno?) (?!out)){_NUMBER} (?:out of|of|von|aus|de|sobre|auf) {_NUMBER}\b"
    # "De 9 a 14" are hours.
    r"(?! (?:a|bis|to) \d)"
)
_RATED = re.compile(rf"\b(?:(?:{_GRADED}|step|paso) {_LINK_WORDS}{_NUMBER}|{_NUMBER} {_GRADED})\b")
# A dose: "3 x 10", "5x", "10 seconds", "zweimal"; but not "24x7", "once" and "one time".
_SETS = re.compile(
    rf"\b(?!24\s*[x×]\s*7\b){_NUMBER}\s*[x×✕✖*]\s*{_NUMBER}\b|\b\d{{1,2}}[x×✕✖](?!\w)"
)
_COUNTED = re.compile(
    rf"\b(?!one|ein|un){_NUMBER}\s*"
    r"(?:seconds?|secs?|times|breaths|sekunden?|sek|mal|atemzuege|segundos?|seg|veces)\b"
)
_PERCENT = re.compile(r"\d*\s?%")

# "We call you back" speaks of no back; "your back" and "back exercises" do.
_BACK = re.compile(r"\bback\b")
_RETURNING = re.compile(
    r"\b(?:calls?|called|ring|phone|text|write|comes?|coming|gets?|go|going|welcome|hears?|be"
    r"|reply|report|speak|send|turn|looks?|you(?: re| are)) (?:(?:you|us|me|them|right) )?back\b"
    r"(?! (?:exercis|routine|program|care|class|train|health|stretch|session|school|muscle|problem"
    r"|trouble|strength|work|plan|check|pain|ache|clinic|day|is|feel))"
)

_LOOKS_LIKE = str.maketrans(
    "авеіјкмнорстухѕԁӏьᴀαβεικνορτυχηɑıłøđßæœþð",
    "abeijkmhopctyxsdlbaabeiknoptuxnailodsaopd",
)
_FIGURES = str.maketrans("0134578@$!|", "oieastbasil")


@dataclass(frozen=True)
class _Reading:
    """One way to read a text: its letters, and where each stood in what was typed."""

    letters: str
    places: tuple[int, ...]

    def span(self, found: re.Match[str]) -> tuple[int, int]:
        """Where the letters that were found stand in what was typed."""
        return self.places[found.start()], self.places[found.end() - 1] + 1


def given_away(
    text: str, *, names: Iterable[str] = (), others_read_along: bool = False
) -> list[str]:
    """The words of ``text`` that tell of a condition, an exercise or a score.

    As they were typed, in their order, each once. ``names`` are further exercises. Where
    ``others_read_along`` the words of treatment and of programs count too.
    """
    plain = _plain(text)
    patterns = [_KNOWN, *([_TREATMENT] if others_read_along else [])]
    own = _of_names(names)
    if own is not None:
        patterns.append(own)
    counts = [
        _FRACTION,
        _PERCENT,
        _OUT_OF,
        _RATED,
        _SETS,
        *([_COUNTED] if others_read_along else []),
    ]
    spans = {plain.span(found) for pattern in counts for found in pattern.finditer(plain.letters)}
    for reading in _readings(plain):
        innocent = {found.end() for found in _RETURNING.finditer(reading.letters)}
        for found in _BACK.finditer(reading.letters):
            if found.end() not in innocent:
                spans.add(reading.span(found))
        for pattern in patterns:
            spans |= {reading.span(found) for found in pattern.finditer(reading.letters)}
    said, done = [], 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= done:
            said.append(text[start:end].strip())
            done = end
    return list(dict.fromkeys(said))


# --- reading ---------------------------------------------------------------------------------


def _plain(text: str) -> _Reading:
    """Small letters without accents, as one reads them; everything else stays as it is."""
    letters: list[str] = []
    places: list[int] = []
    for place, typed in enumerate(text):
        if unicodedata.category(typed) == "Cf" or typed == "\u0301":
            continue
        for part in unicodedata.normalize("NFKD", typed.casefold()):
            if unicodedata.combining(part):
                continue
            letters.append("/" if part in "⁄∕" else part.translate(_LOOKS_LIKE))
            places.append(place)
    return _Reading("".join(letters), tuple(places))


def _readings(plain: _Reading) -> list[_Reading]:
    """Word by word, with what splits words taken out, spelled letter by letter, with figures."""
    figures = _Reading(plain.letters.translate(_FIGURES), plain.places)
    found = []
    for reading in (plain, figures):
        words = _spaced(reading)
        tight = _spaced(_without(reading, r"(?<=[^\W_])[^\w\s]+(?=[^\W_])|_"))
        found += [words, tight]
        for between in (r"\W", r"\W{1,3}"):
            found.append(_spaced(_without(reading, rf"(?<=\b\w){between}(?=\w\b)")))
    return found


def _spaced(reading: _Reading) -> _Reading:
    """Everything between words becomes one space."""
    spaces = _Reading(re.sub(r"[\W_]", " ", reading.letters), reading.places)
    return _without(spaces, r"(?<= ) ")


def _without(reading: _Reading, pattern: str) -> _Reading:
    gone = {
        place
        for found in re.finditer(pattern, reading.letters)
        for place in range(found.start(), found.end())
    }
    kept = [place for place in range(len(reading.letters)) if place not in gone]
    return _Reading(
        "".join(reading.letters[place] for place in kept),
        tuple(reading.places[place] for place in kept),
    )


# --- patterns --------------------------------------------------------------------------------


def _of_words(words: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(_of_word(word) for word in words))


def _of_word(word: str) -> str:
    start = r"\b\w*" if word.startswith("*") else r"\b"
    end = r"\w*" if word.endswith("*") else r"\b"
    middle = " ?".join(re.escape(_folded(part)) for part in word.strip("*").split("."))
    return f"{start}{middle}{end}"


def _of_names(names: Iterable[str]) -> re.Pattern[str] | None:
    found = []
    for name in names:
        parts = _folded(name.split("(")[0]).split()
        if sum(map(len, parts)) >= 4:
            found.append(r"\b" + " ?".join(_in_any_number(part) for part in parts) + r"(?:ing)?\b")
    return re.compile("|".join(found)) if found else None


def _in_any_number(word: str) -> str:
    """One or several of it: each word of a name may take an ending, or lose the one it has."""
    if len(word) < 3:
        return re.escape(word)
    if word.endswith("en"):
        word = word.removesuffix("n")
    elif not word.endswith("ss"):
        word = word.removesuffix("s")
    return re.escape(word) + "(?:e[sn]?|s|n)?"


def _folded(word: str) -> str:
    return _spaced(_plain(word)).letters.strip()


_KNOWN = _of_words([*CONDITIONS.split(), *EXERCISES.split(), *SCORES.split()])
_TREATMENT = _of_words([*TREATMENT.split(), *PROGRAMS.split()])
