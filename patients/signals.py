"""What this room says upward; rooms above may listen."""

from django.dispatch import Signal

# Sent inside the transaction that opened the flag. Arguments: red_flag, at.
red_flag_raised = Signal()
