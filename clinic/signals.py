"""What this room says to the rooms above, which it does not know."""

from django.dispatch import Signal

# Sent with ``messages`` (a list of OutboxMessage) and ``at`` just before they go out. A receiver
# answers with a dict from the id of each message it objects to, to its reason in words.
before_sending = Signal()

# Sent inside the transaction with ``channel``, ``address`` and ``at`` when the owner of an
# address has said no to messages, and when they have said yes again. ``way``: "text" or "web".
address_stopped = Signal()
address_started = Signal()

# Sent inside the transaction with ``text`` (an IncomingText) when somebody wrote to the practice.
# The one receiver that knows whose number it is answers with a reply to send, or None.
text_received = Signal()
