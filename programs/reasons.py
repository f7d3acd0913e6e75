"""What each rule says to the patient: short, calm, without a diagnosis. Pure data."""

REASONS: dict[str, str] = {
    "R01": "Please get urgent medical help now. Don’t exercise.",
    "R02": "This needs a health professional today before you exercise.",
    "R03": "Pain this strong should be checked first.",
    "R04": "A pull on one side that keeps coming back is worth checking. Pause, and talk to your "
    "physiotherapist.",
    "R05": "Your pain has gone up for two weeks. Let’s look at it together.",
    "R06": "We take a step back while this settles.",
    "R07": "That level was too much for now. We make it one step easier.",
    "R08": "Your back was still sorer the next morning, so we do a little less for now.",
    "R09": "Feeling stiffer is an early signal. We ease off and keep you moving gently.",
    "R10": "A pull on one side: we pause what may have set it off and watch it closely.",
    "R11": "Your neck worked too hard. We go back to the basics and let it rest.",
    "R12": "Good form comes first, so we make it one step easier.",
    "R13": "One sore morning can happen. We stay at this level.",
    "R14": "A bit stiffer once: stay at this level and take longer to warm up.",
    "R15": "Your neck felt tense once. Let it rest and keep your breath calm.",
    "R16": "We don’t have enough answers yet to change anything. Tell us how it goes.",
    "R17": "Even soreness usually fades in two or three days. We wait until it has.",
    "R18": "Small and often works best. We stay here until it fits your days.",
    "R19": "Moving is safe at a level that suits you. Your physiotherapist can help with worries.",
    "R20": "Little sleep or a lot of stress: an easy week is training too.",
    "R21": "Your pain has not changed enough yet. It is time for a review with your "
    "physiotherapist.",
    "R22": "The next step needs a yes from your physiotherapist first.",
    "R23": "That level is fine, just not easy yet. We stay here.",
    "R24": "A little longer at this level before the next step.",
    "R25": "Your physiotherapist has paused changes for now.",
    "R26": "Two good sessions in a row: you are ready for the next step.",
    "R27": "You have reached the top step. Keep it up.",
    "R28": "Keep going. We look again after your next answers.",
}
