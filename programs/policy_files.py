"""Reads changed thresholds from a JSON file, with one clear error for whatever does not fit.

Pure: no Django, no clock. The file holds ``{"pathway": "desk", "thresholds": {…}}``, or the
thresholds alone when the pathway is named elsewhere. Only what differs has to be named.
"""

from collections.abc import Mapping
from typing import Any

from programs.policy_checks import nonsense
from programs.thresholds import DEFAULT_POLICIES

_ENVELOPE = frozenset({"pathway", "thresholds", "reason"})


class PolicyFileError(ValueError):
    """A file that cannot be rehearsed; the message names what is wrong with it."""


def read_policy(given: Any, pathway: str | None) -> tuple[str, dict[str, Any]]:
    """The pathway and the thresholds that are named. ``pathway`` comes before the file's own."""
    if not isinstance(given, dict):
        raise PolicyFileError("The file must hold an object with the thresholds.")
    thresholds = given
    if "thresholds" in given:
        unknown = sorted(set(given) - _ENVELOPE)
        if unknown:
            raise PolicyFileError(f"Unknown field “{unknown[0]}” beside the thresholds.")
        thresholds = given["thresholds"]
        pathway = pathway or given.get("pathway")
        if not isinstance(thresholds, dict):
            raise PolicyFileError("“thresholds” must be an object.")
    if not thresholds:
        raise PolicyFileError("The file names no threshold.")
    if pathway is None:
        raise PolicyFileError("Name the pathway, in the file or with --pathway.")
    if pathway not in DEFAULT_POLICIES:
        known = ", ".join(DEFAULT_POLICIES)
        raise PolicyFileError(f"There is no pathway “{pathway}”: it is one of {known}.")
    return pathway, thresholds


def completed(
    pathway: str, in_force: Mapping[str, Any], thresholds: Mapping[str, Any]
) -> dict[str, Any]:
    """The whole set on top of the one in force. Raises PolicyFileError for nonsense."""
    whole = {**in_force, **thresholds}
    for name, words in nonsense(pathway, whole).items():
        raise PolicyFileError(f"{name}: {words}")
    return whole
