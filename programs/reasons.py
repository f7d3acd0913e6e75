"""What each rule says to the patient: short, calm, without a diagnosis. Pure data.

The sentences are kept in English with what was decided; ``programs.retelling`` says them in the
reader's language.
"""

from clinic.marking import gettext_noop as _

REASONS: dict[str, str] = {
    "R01": _("Please get urgent medical help now. Don’t exercise."),
    "R02": _("This needs a health professional today before you exercise."),
    "R03": _("Pain this strong should be checked first."),
    "R04": _(
        "A pull on one side that keeps coming back is worth checking. Pause, and talk to your "
        "physiotherapist."
    ),
    "R05": _("Your pain has gone up for two weeks. Let’s look at it together."),
    "R06": _("We take a step back while this settles."),
    "R07": _("That level was too much for now. We make it one step easier."),
    "R08": _("Your back was still sorer the next morning, so we do a little less for now."),
    "R09": _("Feeling stiffer is an early signal. We ease off and keep you moving gently."),
    "R10": _("A pull on one side: we pause what may have set it off and watch it closely."),
    "R11": _("Your neck worked too hard. We go back to the basics and let it rest."),
    "R12": _("Good form comes first, so we make it one step easier."),
    "R13": _("One sore morning can happen. We stay at this level."),
    "R14": _("A bit stiffer once: stay at this level and take longer to warm up."),
    "R15": _("Your neck felt tense once. Let it rest and keep your breath calm."),
    "R16": _("We don’t have enough answers yet to change anything. Tell us how it goes."),
    "R17": _("Even soreness usually fades in two or three days. We wait until it has."),
    "R18": _("Small and often works best. We stay here until it fits your days."),
    "R19": _(
        "Moving is safe at a level that suits you. Your physiotherapist can help with worries."
    ),
    "R20": _("Little sleep or a lot of stress: an easy week is training too."),
    "R21": _(
        "Your pain has not changed enough yet. It is time for a review with your physiotherapist."
    ),
    "R22": _("The next step needs a yes from your physiotherapist first."),
    "R23": _("That level is fine, just not easy yet. We stay here."),
    "R24": _("A little longer at this level before the next step."),
    "R25": _("Your physiotherapist has paused changes for now."),
    "R26": _("Two good sessions in a row: you are ready for the next step."),
    "R27": _("You have reached the top step. Keep it up."),
    "R28": _("Keep going. We look again after your next answers."),
}

WAITS = _("Your physiotherapist looks at this before anything changes.")
PAUSED = _("Your exercises are paused until your physiotherapist has spoken with you.")
NEXT_PART = _("You are ready for the next part of your program.")
STAYS = _("Your physiotherapist has looked at your answers: your routine stays as it is for now.")
CHANGED = _("Your physiotherapist has changed your routine.")
UNCHANGED = _("Your physiotherapist has looked at your program. Your routine stays as it is.")
NEW_ORDER = _("Your exercises come in a new order.")
PART_BACK = _("We go one part of your program back for now.")
UPKEEP = _("You have come far. From now on your routine keeps up what you have built.")
BUILDING = _("We build on your routine again, step by step.")
FAREWELL = _(
    "Your program ends here. You know your exercises now: what you have built, you can keep up "
    "by yourself. If your back bothers you again, get in touch with us."
)
REOPENED = _("Your physiotherapist has looked into it. You can go on with your routine.")
# What else is said of a program, beside the rules.
SAID: tuple[str, ...] = (
    WAITS,
    PAUSED,
    NEXT_PART,
    STAYS,
    CHANGED,
    REOPENED,
    UNCHANGED,
    NEW_ORDER,
    PART_BACK,
    UPKEEP,
    BUILDING,
    FAREWELL,
)
