"""When each moving part of the practice was last heard of."""

from django.db import models


class Heartbeat(models.Model):
    """One row per part, written over and over: the database knows of a silence that the queue,
    being away itself, cannot tell of."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.at:%Y-%m-%d %H:%M:%S}"
