"""What a verb refused, said in the form that asked for it: for every door with a form."""

from django.core.exceptions import ValidationError
from django.forms import BaseForm


def put_errors(
    form: BaseForm, error: ValidationError, *, also: dict[str, str] | None = None
) -> None:
    """Say what a verb refused at the fields it speaks of; ``also`` maps the verb's names to the
    form's. What fits no field stands above the form."""
    also = also or {}
    if not hasattr(error, "error_dict"):
        form.add_error(None, error.messages)
        return
    for name, messages in error.message_dict.items():
        field = also.get(name, name)
        form.add_error(field if field in form.fields else None, messages)
