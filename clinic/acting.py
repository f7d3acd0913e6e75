"""Who acts for somebody else at this moment: a carer, while a request of theirs is answered."""

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager

from clinic.models import User

_acting: contextvars.ContextVar[User | None] = contextvars.ContextVar("acting", default=None)


def acting() -> User | None:
    """The person who acts for another one now; None while everybody speaks for themselves."""
    return _acting.get()


@contextmanager
def acting_as(user: User | None) -> Iterator[None]:
    """Whatever is kept inside is known to be this person's doing."""
    token = _acting.set(user)
    try:
        yield
    finally:
        _acting.reset(token)
