"""Questions to the database whose SQL is written once.

Django writes the SQL of a query anew each time it is asked, which costs several times what the
database needs to answer a small one, and the database plans it anew as well. For the few questions
that stand behind every page of a patient, both are done once per connection: the statement is kept
and prepared, and only its values change. What comes back are the same objects as from the query.
"""

import contextlib
import datetime as dt
import inspect
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Generic, ParamSpec, TypeVar, get_type_hints

import psycopg
from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.query import (
    FlatValuesListIterable,
    ModelIterable,
    ValuesListIterable,
    get_related_populators,
)

Values = ParamSpec("Values")
Row = TypeVar("Row")

_OF_THE_QUERY = (ModelIterable, ValuesListIterable, FlatValuesListIterable)


class WrittenOnce(Generic[Values, Row]):
    """A question whose SQL is kept. Calling it asks; ``first`` asks for the first row only.

    The function it stands on builds the query from its arguments. Each is of type ``uuid.UUID``,
    ``datetime.date``, ``datetime.datetime``, ``int`` or ``str``, is never None, and is a value in
    a filter: it may not choose between queries. Only reading queries, without
    ``prefetch_related``.
    """

    def __init__(self, build: Callable[Values, QuerySet[Any, Row]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __call__(self, *args: Values.args, **kwargs: Values.kwargs) -> list[Row]:
        statement = self._statement()
        connection.ensure_connection()
        with connection.wrap_database_errors, statement.asked(args, kwargs) as cursor:
            return statement.made(cursor.fetchall())

    def about(self, *args: Values.args, **kwargs: Values.kwargs) -> "Asked[Row]":
        """The same question for ``together``."""
        return Asked(self._statement(), args, kwargs)

    def _statement(self) -> "_Statement":
        kept = connection.__dict__.setdefault("_written_once", {})
        statement = kept.get(self)
        if statement is None:
            statement = kept[self] = _write(self._build)
        return statement

    def first(self, *args: Values.args, **kwargs: Values.kwargs) -> Row | None:
        rows = self(*args, **kwargs)
        return rows[0] if rows else None


def written_once(build: Callable[Values, QuerySet[Any, Row]]) -> WrittenOnce[Values, Row]:
    """Keep the SQL of the query that ``build`` returns (see ``WrittenOnce``)."""
    return WrittenOnce(build)


@dataclass(frozen=True)
class Asked(Generic[Row]):
    """A question that is still to be asked."""

    statement: "_Statement"
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def together(*questions: Asked[Any]) -> tuple[list[Any], ...]:
    """The answers to several questions in one round to the database and back."""
    connection.ensure_connection()
    with connection.wrap_database_errors, contextlib.ExitStack() as open_ones:
        with connection.connection.pipeline():
            cursors = [
                open_ones.enter_context(one.statement.asked(one.args, one.kwargs))
                for one in questions
            ]
        return tuple(
            one.statement.made(cursor.fetchall())
            for one, cursor in zip(questions, cursors, strict=True)
        )


def all_but(model: type[Model], *names: str) -> list[str]:
    """The fields of ``model`` to ``defer`` where a question needs only these and the key."""
    fields = (field.name for field in model._meta.concrete_fields if not field.primary_key)
    return [name for name in fields if name not in names]


class _Prepared(psycopg.Cursor[Any]):
    """A cursor that lets the server keep the plan."""

    def execute(self, query: Any, params: Any = None, **how: Any) -> "_Prepared":
        return super().execute(query, params, prepare=True)

    def _convert_query(self, query: Any, params: Any = None) -> Any:
        # Django reads here what was asked, for whoever looks at the queries of a page; of a
        # prepared statement nobody else would tell.
        self._query = super()._convert_query(query, params)
        return self._query


@dataclass(frozen=True)
class _Statement:
    """``places`` are the names of the values, or the constants, in the order of the SQL."""

    sql: str
    places: Sequence[tuple[str, Any]]
    names: Sequence[str]
    made: Callable[[Iterable[Any]], list[Any]]

    def asked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A cursor on the rows; for an open connection."""
        given = dict(zip(self.names, args, strict=False)) | kwargs
        values = [given[name] if name else constant for name, constant in self.places]
        # Through Django's own wrapper: what watches, counts or forbids queries sees these as well.
        cursor = connection._prepare_cursor(_Prepared(connection.connection))
        cursor.execute(self.sql, values)
        return cursor


def _write(build: Callable[..., QuerySet[Any, Any]]) -> _Statement:
    hints = get_type_hints(build)
    names = list(inspect.signature(build).parameters)
    stand_ins = {name: _stand_in(hints[name], number) for number, name in enumerate(names)}
    queryset = build(**stand_ins)
    if queryset._prefetch_related_lookups or queryset._iterable_class not in _OF_THE_QUERY:
        raise TypeError("This kind of query cannot be written once.")
    compiler = queryset.query.get_compiler(connection=connection)
    sql, params = compiler.as_sql()
    found = {value: name for name, value in stand_ins.items()}
    places = [(found.get(value, ""), value) for value in params]
    missing = set(names) - {name for name, _ in places}
    if missing:
        raise TypeError(f"{missing} is not a value of the query.")
    return _Statement(sql, places, names, _maker(queryset, compiler))


def _stand_in(kind: Any, number: int) -> Any:
    """A value that no query has of its own, to find the place where the real one belongs."""
    if kind is uuid.UUID:
        return uuid.UUID(int=0xDECADE << 96 | number)
    if kind is dt.datetime:
        return dt.datetime(1601, 1, 1 + number, tzinfo=dt.UTC)
    if kind is dt.date:
        return dt.date(1602, 1, 1 + number)
    if kind is int:
        return 31_601 + number
    if kind is str:
        return f"stands in for number {number}"
    raise TypeError(f"A value of type {kind} cannot be a place.")


def _maker(queryset: QuerySet[Any, Any], compiler: Any) -> Callable[[Iterable[Any]], list[Any]]:
    """What turns rows of the database into what the query would have returned."""
    columns = [column[0] for column in compiler.select[: compiler.col_count]]
    converters = compiler.get_converters(columns)

    def converted(rows: Iterable[Any]) -> Iterable[Any]:
        return compiler.apply_converters(rows, converters) if converters else rows

    if queryset._iterable_class is FlatValuesListIterable:
        return lambda rows: list(map(itemgetter(0), converted(rows)))
    if queryset._iterable_class is ValuesListIterable:
        return lambda rows: list(map(tuple, converted(rows)))
    return lambda rows: list(_instances(compiler, converted(rows), queryset.db))


def _instances(compiler: Any, rows: Iterable[Any], db: str) -> Iterator[Any]:
    found = compiler.klass_info
    first, end = found["select_fields"][0], found["select_fields"][-1] + 1
    fields = [column[0].target.attname for column in compiler.select[first:end]]
    related = get_related_populators(found, compiler.select, db)
    for row in rows:
        one = found["model"].from_db(db, fields, row[first:end])
        for populator in related:
            populator.populate(row, one)
        for name, place in compiler.annotation_col_map.items():
            setattr(one, name, row[place])
        yield one
