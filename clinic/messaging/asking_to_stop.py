"""Whether somebody asks for no more messages in words of their own. Pure: no Django, no clock.

The law wants any reasonable way of saying so to count (in the USA 47 CFR 64.1200(a)(10)), and a
patient who writes about a pain that will not stop must be heard. So the words have to ask: a verb
of ending with messages as what is to end, or an order to be left alone. Told, asked about or
limited ("not before nine") it is something for a person to read. Whoever reads a text as such a
request passes its words on as well, so that nothing is lost either way.

English, German and Spanish, all tried on every text: people write in the language they think in.
"""

import re
import unicodedata

_MARKS = re.compile(r"[.!?;\n¡¿…]+")
_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = re.compile("['’‘`´]")


def folded(words: str) -> str:
    """Words of one spelling: small letters without accents, apostrophes or marks, one space
    between them."""
    return " ".join(_WORD.findall(_plain(words)))


def sentences(words: str) -> list[tuple[str, bool]]:
    """The sentences, each folded, and whether it asks something."""
    plain = _plain(words)
    found: list[tuple[str, bool]] = []
    start = 0
    for mark in _MARKS.finditer(plain):
        found.append((plain[start : mark.start()], "?" in mark.group()))
        start = mark.end()
    found.append((plain[start:], False))
    folds = [(" ".join(_WORD.findall(text)), asks) for text, asks in found]
    return [(text, asks) for text, asks in folds if text]


def _plain(words: str) -> str:
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", words).casefold())
    # Accents, what turns a letter into an emoji, and characters nobody sees.
    text = "".join(c for c in text if unicodedata.category(c) not in ("Mn", "Me", "Cf"))
    return _APOSTROPHES.sub("", text)


def asks_to_stop(words: str) -> bool:
    """Whether one of the sentences asks for no more messages."""
    return any(_asks(sentence, question) for sentence, question in sentences(words))


def _asks(sentence: str, question: bool) -> bool:
    if _LIMITED.search(sentence) or (question and not _POLITE.match(sentence)):
        return False
    if any(pattern.search(sentence) for pattern in _ALWAYS):
        return True
    for pattern in _UNLESS_TOLD:
        found = pattern.search(sentence)
        # What comes after the request no longer makes a story of it.
        if found and not _TOLD.search(sentence[: found.end()]):
            return True
    if any(pattern.search(sentence) for pattern in _UNLESS_MISSED):
        return bool(_WISH.search(sentence)) or not _MISSED.search(sentence)
    if _SIGN_OFF_CORE.search(sentence):
        return _SIGN_OFF_WORDS.issuperset(sentence.split())
    return False


def _any(*patterns: str) -> list[re.Pattern[str]]:
    return [re.compile(pattern) for pattern in patterns]


# --- the parts of speech ------------------------------------------------------------------------

_COURTESY = (
    r"(?:please|pleas|pls|plz|plse|kindly|just|now|immediately|at once|thanks|thank you|thx|ok|okay"
    r"|hi|hello|hey|sorry|dear all|and|so|again"
    r"|bitte|danke|hallo|guten tag|jetzt|sofort|endlich|mal|doch|und|ab sofort"
    r"|por favor|porfavor|porfa|gracias|hola|ya|ahora|y)"
)
_END = rf"(?: {_COURTESY})*$"
_FIRST = (
    rf"^(?:(?:{_COURTESY}|can|could|would|will|you|u|i|we|want|need|wish|would like|id like|to"
    r"|asked|told|said|already|must"
    r"|konnen|konnten|konnt|konntet|kannst|sie|ihr|du|ich sagte"
    r"|pueden?|podrian?|quiero que) )*"
)
_FILL = (
    r"(?:the|all|all of|any|these|those|this|your|ur|my|sending|getting|receiving|with|me|us|to"
    r"|such|more|future|further|other|daily|constant|stupid|annoying|silly|automated|automatic"
    r"|bloody|damn|fucking|please|pls|now|from|you|practice)"
)
_MESSAGES = (
    r"(?:text(?:s|ing)?|txts?|messages?|messaging|msgs?|sms|reminders?|notifications?|subscription"
    r"|nachrichten?|textnachrichten?|erinnerungen?|mitteilungen?|benachrichtigungen?"
    r"|mensaj\w*|recordatorios?|avisos|notificaciones)"
)
_NACHRICHTEN = (
    r"(?:nachrichten?|sms|texte|textnachrichten?|erinnerungen?|mitteilungen?|messages?"
    r"|benachrichtigungen?|meldungen)"
)
_MENSAJES = r"(?:mensaj\w*|sms|textos?|recordatorios?|avisos?|notificaciones|alertas)"
_FUELL = (
    r"(?:sie|ihr|bitte|mit|den|die|das|der|diese|diesen|dieser|alle|allen|ihre|ihren|eure|euren"
    r"|deine|deinen|sofort|jetzt|endlich|mir|uns|zu|weiteren?|mehr|solchen?|sms|automatischen?)"
)
_RELLENO = (
    r"(?:mas|recibir|sus|tus|los|las|estos|esos|que|me|nos|envien|manden|de|ningun|todos|con|a|por"
    r"|favor|ya|el|envio)"
)

# --- what asks ----------------------------------------------------------------------------------

_ALWAYS = _any(
    # English
    rf"{_FIRST}(?:stop|quit|cease)(?: {_FILL})* (?:contacting|bothering|annoying|harassing"
    r"|pestering|spamming|calling|writing|sending|nagging|reminding|notifying|e ?mailing)\b",
    rf"{_FIRST}(?:stop|end|cancel) (?:it|this|that|these|those|everything|it all|all this){_END}",
    rf"^(?:{_COURTESY} )*(?:no|enough)(?: of)?(?: {_FILL})* {_MESSAGES}{_END}",
    rf"{_FIRST}(?:(?:take|get|sign|drop) me (?:off|out|from)|(?:remove|delete|unsubscribe|opt)"
    r" (?:me|my (?:phone )?number)(?: off| out| from)?)"
    r"(?: (?:of|off|from|the|your|this|these|all|any|ur|mailing|text|texting|sms|texts|messages"
    rf"|reminders|list|lists|database|system|service|it|here|everything))*{_END}",
    rf"{_FIRST}(?:leave me (?:alone|be)|let me be|go away|lose my number|(?:fuck|piss|sod|bugger"
    rf"|f) off){_END}",
    rf"\bopt(?:ing)? out(?: (?:of|from|the|your|these|this|all|any|more|{_MESSAGES}))*{_END}",
    r"\b(?:revoke|withdraw|retract)(?: (?:my|all|the|any))* (?:consent|permission)\b",
    # German
    rf"{_FIRST}(?:hore?|hort|horen sie|hoer|hoert|hoeren sie)(?: {_COURTESY})* auf"
    r"(?: (?:damit|mir|mich|uns|mit|zu|den|die|das|diesen|standig|immer|schreiben|schicken|senden"
    rf"|texten|nerven|simsen|anschreiben|anzuschreiben|belastigen|kontaktieren|{_NACHRICHTEN}))*"
    rf"{_END}",
    rf"{_FIRST}lass(?:t|en sie)? (?:mich|uns)(?: {_COURTESY})* in (?:ruhe|frieden){_END}",
    rf"^(?:{_COURTESY} )*(?:schreib\w*|schick\w*|send\w*|kontaktier\w*|text\w*)"
    r"(?: (?:sie|mir|mich|uns|bitte|doch|endlich))* (?:nicht mehr|nie wieder|nie mehr|nichts mehr)",
    r"\bwiderruf\w*\b.*\b(?:einwilligung|zustimmung|einverstandnis)\b",
    r"\b(?:einwilligung|zustimmung|einverstandnis)\b.*\b(?:widerruf\w*|zuruck)\b",
    # Spanish
    rf"{_FIRST}(?:deje[sn]?|deja|dejad|pare[sn]?|para|parad|basta)(?: ya)? (?:de|con)"
    rf"(?: {_RELLENO})* (?:envi\w*|mand\w*|escrib\w*|molest\w*|contact\w*|llam\w*|{_MENSAJES})\b",
    rf"{_FIRST}(?:dejen ?me|dejeme|dejame|dejadme)(?: ya)? (?:en paz|tranquil[oa]){_END}",
    r"(?:(?<!que )|(?<=quiero que ))\bno (?:me|nos) (?:vuelv\w+ a )?(?:envie[sn]?|mande[sn]?"
    r"|escriba[sn]?|contacte[sn]?|moleste[sn]?|texte\w*|escribir|enviar|mandar)\b",
    rf"(?<!que )\bno (?:envie[sn]?|mande[sn]?|escriba[sn]?|enviar|mandar)(?: {_RELLENO})*"
    rf"(?: {_MENSAJES}| mas)\b",
    r"^(?!.*\b(?:medic|doctor|trabajo|laboral|mutua))(?=.*\b(?:darme|darnos|dame|deme|denme|dadme"
    r"|me doy) de baja\b)",
    rf"{_FIRST}(?:eliminen?|borren?|quiten?|saquen?|elimina|borra|quita|saca)(?:me)?"
    r"(?: (?:mi|de|la|el|su|tu|esta))* (?:numero|lista|telefono)"
    rf"(?: (?:de|la|su|tu|lista|telefono))*{_END}",
    r"\b(?:revoco|retiro)(?: (?:mi|el))? (?:consentimiento|permiso|autorizacion)\b",
)

# Asked for, unless the same words stand in a question, a story or a "please do not".
_UNLESS_TOLD = _any(
    rf"\b(?:stop|quit|cease|end|cancel|halt|discontinue|turn off|switch off)(?: {_FILL})*"
    rf" {_MESSAGES}\b",
    r"\bunsubscribe\b",
    r"(?<!\bi )(?<!\bwe )(?<!\byou )(?<!\bu )(?<!\bthey )\b(?:dont|do not|never|dnt)"
    r"(?: (?:ever|please|pls|dare|you))* (?:send|text|txt|message|msg|contact|write|sms|remind"
    r"|bother|email|spam|notify)\b",
    r"\b(?:dont|do not|no longer|never) (?:want|need|wish|like)(?: (?:to|any|you|u|these|those|the"
    r"|your|ur|all|more|get|getting|receive|receiving|be|being|sent|have|sending|me|of|from|texts?"
    rf"|such|further|future))* (?:{_MESSAGES}|texted|messaged|contacted|reminded|notified)\b",
    rf"\b(?:stopp?|stoppt|stoppe|stoppen|beende|beenden|beendet)(?: {_FUELL})* {_NACHRICHTEN}\b",
    rf"\b{_NACHRICHTEN}(?: (?:bitte|sofort|jetzt|endlich|alle|zu))* (?:stoppen|beenden"
    r"|abbestellen|abstellen|einstellen|loschen|canceln|kundigen)\b",
    r"\b(?:nicht mehr|nie wieder|nie mehr|nichts mehr)(?: (?:an|mich|mir|uns))* (?:schreib\w*"
    r"|schick\w*|send\w*|texten|simsen|kontaktier\w*|anschreib\w*|anzuschreib\w*|angeschrieben"
    r"|belastig\w*|zusend\w*|zuschick\w*)\b",
    rf"\b(?:parar|paren?|cancelar?|cancelen?|detener|detengan?|suspender|alto|stop|terminar)"
    rf"(?: {_RELLENO})* {_MENSAJES}\b",
    # Somebody else has this number now: for them every message is one too many.
    r"^(?!.*\b(?:dialled|dialed|called|rang|gewahlt|angerufen|marque)\b).*\b(?:wrong (?:number"
    r"|person)|falsche (?:nummer|person)|numero equivocado|persona equivocada)\b(?! of\b)",
)
_TOLD = re.compile(
    r"\b(?:dont|do not|not to|never) (?:ever )?(?:stop|quit|cease|end|cancel|turn off"
    r"|unsubscribe)\b"
    r"|\b(?:why|when|if|whether|did|didnt|cant|cannot|had|unless|after|used to)\b.*\b(?:stop|quit"
    r"|cease|end|cancel|unsubscribe|text|message|send)"
    r"|\b(?:warum|wieso|weshalb|wann|wenn|falls|ob)\b|\bich (?:kann|konnte|darf|soll|weiss)\b"
    r"|\bkann ich\b|\b(?:por que|cuando|si) "
)

# "No more texts": asked for, unless they are what somebody misses.
_UNLESS_MISSED = _any(
    rf"\bno more(?: {_FILL})* {_MESSAGES}\b",
    rf"\b{_MESSAGES} no more\b",
    rf"\bkeine[nr]?(?: {_FUELL})* {_NACHRICHTEN}(?: \w+)? mehr\b",
    rf"\bkeine[nr]? (?:weiteren?|mehr)(?: {_FUELL})* {_NACHRICHTEN}\b",
    rf"^(?=.*\b(?:mochten?|will|wollen|wunschen?|bitte|brauche)\b).*\bkeine[nr]?(?: {_FUELL})*"
    rf" {_NACHRICHTEN}\b",
    rf"^(?:{_COURTESY} )*keine(?: {_FUELL})* {_NACHRICHTEN}{_END}",
    rf"\bno (?:mas|quiero|deseo|necesito|queremos)(?: {_RELLENO})* {_MENSAJES}\b",
    rf"^(?:{_COURTESY} )*no(?: {_RELLENO})* {_MENSAJES}{_END}",
)
_WISH = re.compile(r"\b(?:want|wish|like|mochten?|will|wollen|wunschen?|quiero|deseo|queremos)\b")
_MISSED = re.compile(
    r"\b(?:get|got|gets|getting|receive|received|receiving|have|had|there|come|came|are|were|been"
    r"|why|bekomm\w*|bekam\w*|erhalt\w*|krieg\w*|kommen|kam|kamen|habe|hatte|warum|wieso|recibo"
    r"|recibi|reciben|llegan?|llego|llegaron|hay|tengo|porque)\b"
)

# "Ich möchte mich abmelden", but not "ich muss mich für morgen abmelden".
_SIGN_OFF_CORE = re.compile(
    r"\b(?:abmelden|abbestellen|austragen)\b|\bmelden? (?:sie )?mich ab\b|\bmeldet mich ab\b"
    r"|\b(?:von|aus) (?:der|dem|ihrer|ihrem|eurer|eurem) (?:liste|verteiler)\b"
    r"|\b(?:losch\w*|entfern\w*|streich\w*)(?: sie)? meine (?:handy|telefon)?nummer\b"
    r"|\bmeine (?:handy|telefon)?nummer (?:losch\w*|entfern\w*|streich\w*)\b"
)
_SIGN_OFF_WORDS = frozenset(
    """ich mochte mochten will wollen wurde gern gerne mich uns meine nummer handynummer
    telefonnummer hiermit von vom aus der dem den die ihrer ihrem ihren eurer eurem eure liste
    verteiler nehmt nehmen nimm streichen streicht loschen losche loscht entfernen entfernt tragen
    tragt melden melde meldet sie mir abmelden abbestellen austragen ab raus system datenbank
    service dienst bitte danke hallo jetzt sofort endlich nachrichten sms erinnerungen
    mitteilungen benachrichtigungen diese diesen alle wieder""".split()
)

# Not this one, not so early: a person has to read it.
_LIMITED = re.compile(
    r"\b(?:before|until|till|unless|except|while|during|tonight|today|tomorrow|weekends?"
    r"|at night|next week|this (?:week|morning|evening|weekend)|in the (?:morning|evening"
    r"|afternoon|night)|(?:too|so) (?:early|late|many|often)|(?:mon|tues|wednes|thurs|fri|satur"
    r"|sun)days?|by e?mail|instead"
    r"|vor|bis|solange|wahrend|heute|morgen|wochenende|abends|morgens|nachts|stattdessen"
    r"|(?:zu|so) (?:fruh|spat|viele?|oft)|(?:diese|nachste) woche"
    r"|antes|hasta|mientras|despues|hoy|manana|tantos|demasiados|tan (?:temprano|tarde)"
    r"|(?:por|de) la (?:noche|tarde)|fin(?:es)? de semana|esta semana)\b"
)
# A question may be a polite order; any other question is for a person to answer.
_POLITE = re.compile(
    rf"^(?:{_COURTESY} )*(?:can|could|would|will) (?:you|u)\b|^how (?:do|can) i\b|^how to\b"
    rf"|^(?:{_COURTESY} )*(?:konnen|konnten|wurden) sie\b|^(?:konnt|konntet) ihr\b|^kannst du\b"
    rf"|^wie kann ich\b|^(?:{_COURTESY} )*(?:pueden?|podrian?)\b|^como (?:puedo|cancelo|paro)\b"
)
