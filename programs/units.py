"""Loads in the unit somebody likes. The record knows kilograms only. Pure: no Django."""

from decimal import ROUND_HALF_UP, Decimal

KG, LB = "kg", "lb"
# The international pound, exactly (NIST Handbook 44, appendix C).
KG_PER_LB = Decimal("0.45359237")
_HALF = Decimal("0.5")


def load_in(kilograms: Decimal, units: str) -> Decimal:
    """The load in ``units`` ("kg" or "lb"); pounds to the nearest half, as weights are sold."""
    if units != LB:
        return kilograms
    halves = (kilograms / KG_PER_LB / _HALF).quantize(Decimal(1), ROUND_HALF_UP)
    return halves * _HALF


def load_text(kilograms: Decimal, units: str, point: str = ".") -> str:
    """Such as "12.5 kg" or "27.5 lb"; ``point`` is the reader's decimal sign."""
    number = f"{load_in(kilograms, units).normalize():f}"
    return f"{number.replace('.', point)} {LB if units == LB else KG}"
