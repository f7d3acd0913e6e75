"""Statements for the few places where the database is asked thousands of times a second."""

from typing import Any, LiteralString

import psycopg
from django.db import connection


def prepared_rows(statement: LiteralString, values: list[Any]) -> list[tuple[Any, ...]]:
    """What a statement with ``%s`` places returns, in the transaction that is open.

    For the few statements that run many times a second with many values. Django's cursor writes
    the values into the statement, has it read and planned anew each time, and reads moments from
    text; this one prepares it once on its connection and speaks binary both ways.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(statement, values, prepare=True, binary=True).fetchall()
