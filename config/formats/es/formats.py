"""Formats of Django's template language; see its ``date`` filter."""

DATE_FORMAT = r"j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i"
SHORT_DATE_FORMAT = "j M Y"
SHORT_DATETIME_FORMAT = "j M Y, H:i"
MONTH_DAY_FORMAT = r"j \d\e F"
YEAR_MONTH_FORMAT = r"F \d\e Y"
# Ours: a day with its weekday, and with its year.
LONG_DAY_FORMAT = r"l j \d\e F"
FULL_DATE_FORMAT = r"j \d\e F \d\e Y"

DECIMAL_SEPARATOR = ","
THOUSAND_SEPARATOR = "\xa0"
