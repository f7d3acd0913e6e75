"""What this room says to the rooms above, which it does not know."""

from django.dispatch import Signal

# Sent with ``messages`` (a list of OutboxMessage) and ``at`` just before they go out. A receiver
# answers with a dict from the id of each message it objects to, to its reason in words; or to the
# moment (aware, later than ``at``) until which it only waits, when it is asked about once more.
before_sending = Signal()

# Sent inside the transaction with ``channel``, ``address`` and ``at`` when the owner of an
# address has said no to messages, and when they have said yes again. ``way``: "text", "web",
# "link" (in a mail) or "carrier" (which was told).
#
# ``address_stopped`` also has ``subject``: None when the no is for everybody who is reached by the
# address, or the (type, id) of the one person whose mail it was. A receiver that knows of somebody
# else who wants messages there answers True, after it has withdrawn the consent of that person
# only: then the address stays open, and what waits for the one person is held back.
#
# ``address_started`` may have ``subject`` too: then only that one of a family has said yes again.
address_stopped = Signal()
address_started = Signal()

# Asked with ``channel`` and ``address``: whose is it? A receiver answers with a list of
# ``clinic.messaging.persons.Person``, in the order in which a family is asked to choose.
whose_address = Signal()

# Asked with ``channel`` and ``address``: who signs in by a code sent there? A receiver answers with
# a list of ``clinic.sign_in_codes.Account``; closed accounts and staff are left out by the asker.
who_signs_in = Signal()

# Asked with ``user``: where can a code be sent to this person? A receiver answers with a list of
# pairs of channel and address.
where_codes_go = Signal()

# Sent inside the transaction when a known person wrote to the practice something that this room
# does not answer itself. Arguments: ``text`` (an IncomingText), ``person`` (a ``Person``), ``pain``
# (0-10 where the text says that) and ``at``. A receiver does what the text asks for and answers
# with the purpose of the reply (``clinic.messaging.reply_words``), or None: then a person reads it.
text_received = Signal()

# Asked with ``person`` (a ``Person``), ``address`` and ``at`` when somebody ends messages by a word
# that is said of appointments too ("cancel"). A receiver that knows of an appointment they may
# mean answers True.
may_mean_appointment = Signal()

# Asked before the words of a message are kept. A receiver answers with a list of names that no
# message may say, such as those of exercises.
names_not_to_say = Signal()
