"""Formats of Django's template language; see its ``date`` filter."""

DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i"
SHORT_DATE_FORMAT = "j M Y"
SHORT_DATETIME_FORMAT = "j M Y, H:i"
MONTH_DAY_FORMAT = "j F"
YEAR_MONTH_FORMAT = "F Y"
# Ours: a day with its weekday, and with its year.
LONG_DAY_FORMAT = "l j F"
FULL_DATE_FORMAT = "j F Y"
