"""Why a reminder is not sent, in words that staff read."""

from clinic.models.messaging import Channel

SESSION_DONE = "Today's session is done."
SESSION_SKIPPED = "Today's session was skipped."
ANSWERED = "Something was recorded today."
HEARD_FROM = "The patient has been heard from."
SUSPENDED = "The program is suspended."
ENDED = "The program has ended."
NO_ROUTINE = "No routine falls on this day."
NOT_STARTED = "The program has not started yet."
OUTSIDE_HOURS = "Outside quiet hours."
TURNED_OFF = "Reminders to this address were turned off."
NOT_WANTED = "A second nudge is no longer wanted."
JUST_SENT = "The first reminder still waits, or has only just gone out."
CHANGED_AGAIN = "The routine has changed again since."
ALREADY_USED = "The patient has recorded a session with the new version."
NO_ADDRESS = "No address takes reminders."
TOO_LATE = "Planned too late."
NO_CONSENT = {
    Channel.EMAIL: "No consent to reminders by e-mail.",
    Channel.SMS: "No consent to reminders by text message.",
}
SUPPRESSED = "The address is suppressed: "
