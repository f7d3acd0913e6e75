"""English, with the day first and 24 hours: one reading of every date."""
