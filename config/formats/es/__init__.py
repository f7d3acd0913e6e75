"""Spanish: day first, 24 hours, a decimal comma."""
