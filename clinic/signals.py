"""What this room says to the rooms above, which it does not know."""

from django.dispatch import Signal

# Sent with ``message`` and ``at`` just before a message goes out. A receiver that objects answers
# with its reason in words, and the message is held back; None means it has nothing against it.
before_sending = Signal()
