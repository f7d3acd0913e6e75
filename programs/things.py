"""What an exercise needs, in words a patient reads."""

from collections.abc import Iterable

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

_WORDS = {
    "ball": gettext_noop("a big exercise ball"),
    "band": gettext_noop("an exercise band"),
    "bench": gettext_noop("a bench or a firm sofa"),
    "cable": gettext_noop("a cable machine"),
    "chair": gettext_noop("a firm chair"),
    "dowel": gettext_noop("a long stick"),
    "roller": gettext_noop("a foam roller"),
    "small_ball": gettext_noop("a small ball"),
    "step": gettext_noop("a low step"),
    "strap": gettext_noop("a strap or a towel"),
    "wall": gettext_noop("a wall"),
    "weight": gettext_noop("a weight"),
}


def things(names: Iterable[str]) -> str:
    """The names of the library as one line, each thing once; "" for nothing."""
    said = [_(_WORDS[name]) if name in _WORDS else name.replace("_", " ") for name in names]
    return capfirst(", ".join(dict.fromkeys(said)))
