"""All checks of one moment: one PostgreSQL transaction reads the whole warehouse, so a live one too is counted exactly.

DuckDB would read it by several connections, and where one query scans two tables those share no snapshot.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.types.json import set_json_loads

from ..contract.events import FAULT_HEADER, PRODUCER_HEADER
from ..errors import CheckFailed, first_line
from ..observe.gaps import read_gaps, tell
from ..warehouse.currency import Missing, tell_missing
from ..warehouse.mark import read_mark
from ..warehouse.sqlfiles import fill_sql, read_sql
from .facts import Facts, Lake
from .named import Check
from .verdict import COUNTED_ROWS, ERROR, FAIL, SKIPPED, Result, judged

OURS_S: Final = 1_800.0  # the longest that one of ours may take
TRIES: Final = 20  # to hold the marts: dbt may drop one that was there a moment ago

# What a check may be given of what is kept: sums by load order, and the lake. A failure by these alone is none: the check is then
# carried out anew on the facts themselves.
KEPT: Final = frozenset({"facts", "kept_below"})

Value = Callable[["Moment"], Any]


class Moment:
    """Within `at_one_moment`: runs checks. `given` are values known outside; others are read when a check asks for them.

    `full`: nothing that is kept is believed.
    """

    def __init__(
        self, reader: psycopg.Connection, given: Mapping[str, Any], own_timeout_s: float, lake: Lake | None = None,
        full: bool = False,
    ) -> None:  # fmt: skip
        self._reader = reader
        self._own_timeout_s = own_timeout_s
        self._values: dict[str, Any] = {"producer_header": PRODUCER_HEADER, "fault_header": FAULT_HEADER, **given}
        self._anew = full
        self._of_facts: dict[str, Any] = {}  # the values that KEPT names, read anew
        self.facts = Facts(self, lake)

    def give(self, **values: Any) -> None:
        """What has become known meanwhile."""
        self._values |= values

    def run(self, check: Check) -> Result:
        """Raises psycopg.OperationalError where the connection breaks; whatever else goes wrong is in the result."""
        began = time.perf_counter()
        try:
            result = self._alone(check)
            if result.state == FAIL and check.values & KEPT and not self._anew:
                self._anew = True
                try:
                    result = self._alone(check)
                finally:
                    self._anew = False
        except psycopg.Error as error:
            if self._reader.broken:
                raise
            result = Result(check, ERROR, reason=_told(check, error, self._own_timeout_s))
        took = time.perf_counter() - began
        return Result(check, result.state, result.lines, result.reason, took, result.rows, result.figures)

    def _alone(self, check: Check) -> Result:
        """An error, also one of what it needs, must not end the transaction of the others."""
        with self._reader.transaction():
            return self._run(check)

    def _run(self, check: Check) -> Result:
        if check.problem:
            return Result(check, ERROR, reason=check.problem)
        for relation, columns in check.needs:
            there = {name for (name,) in self.rows("columns", relation=relation)}
            missing = [column for column in columns if column not in there]
            if missing or not there:
                what = f"{relation} does not exist yet" if not there else f"{relation} has no {', '.join(missing)} yet"
                return Result(check, SKIPPED, reason=what)
        if check.file is not None:
            return self._run_own(check)
        values = {name: self.value(name) for name in check.values}
        with self._reader.transaction():
            cursor = self._reader.execute(check.sql.encode(), values)
            return judged(check, [column.name for column in cursor.description or ()], cursor.fetchmany(COUNTED_ROWS + 1))

    def _run_own(self, check: Check) -> Result:
        """By a cursor of the server's: that takes one statement that reads, and no other."""
        with self._reader.transaction():
            self._reader.execute(_limit(self._own_timeout_s))
            with self._reader.cursor(name="own_check") as cursor:
                cursor.execute(check.sql.encode())
                found = judged(check, [column.name for column in cursor.description or ()], cursor.fetchmany(COUNTED_ROWS + 1))
            self._reader.execute(_limit(OURS_S))
        return found

    def value(self, name: str) -> Any:
        """A value that SQL may name; read once, and the same for all."""
        values = self._of_facts if self._anew and name in KEPT else self._values
        if name not in values:
            read = READ.get(name)
            found = self.json(name) if read is None else read(self)
            values[name] = found if isinstance(found, str) else json.dumps(found, default=str)
        return values[name]

    @property
    def anew(self) -> bool:
        """Whether all facts are to be read."""
        return self._anew

    def rows(self, name: str, **values: object) -> list[tuple[Any, ...]]:
        """What one of our statements gives."""
        return self._reader.execute(read_sql(__package__, name), values or None).fetchall()

    def json(self, name: str, **given: str) -> str:
        """The same as a JSON list, by PostgreSQL: exact decimals stay exact. The statement may name other values."""
        query = read_sql(__package__, name).decode()
        values = {**{inside: self.value(inside) for inside in ("runs",) if f"%({inside})s" in query}, **given}
        found = self._reader.execute(
            f"SELECT coalesce(jsonb_agg(to_jsonb(found)), '[]')::text FROM (\n{query}) AS found".encode(), values
        )
        row = found.fetchone()
        assert row is not None, "an aggregate is always one row"
        return str(row[0])

    @property
    def reader(self) -> psycopg.Connection:
        return self._reader


@contextmanager
def at_one_moment(
    reader: psycopg.Connection, checks: Sequence[Check], given: Mapping[str, Any], own_timeout_s: float, lake: Lake | None = None,
    full: bool = False,
) -> Iterator[Moment]:  # fmt: skip
    """One transaction for all of them; `reader` is in autocommit. Raises CheckFailed where the database refuses."""
    set_json_loads(partial(json.loads, parse_float=Decimal), reader)
    try:
        _begin(reader, any("marts." in check.sql for check in checks))
        try:
            yield Moment(reader, given, own_timeout_s, lake, full)
        finally:
            if not reader.closed:
                reader.execute("ROLLBACK")
    except psycopg.Error as error:
        raise CheckFailed(f"the count could not be taken: {str(error).strip()}") from None


def _begin(reader: psycopg.Connection, hold_marts: bool) -> None:
    """A mart that is swapped for a new table after our moment was taken would look empty: so it is held until we are done."""
    for left in reversed(range(TRIES)):
        marts = [name for (name,) in reader.execute(read_sql(__package__, "mart_tables")).fetchall()] if hold_marts else []
        reader.execute("BEGIN")
        reader.execute(read_sql(__package__, "session"))
        if not marts:
            return
        names = sql.SQL(", ").join(sql.Identifier("marts", name) for name in marts)
        try:  # before the first query: that one fixes the moment
            reader.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(names))
            return
        except psycopg.errors.UndefinedTable:
            reader.execute("ROLLBACK")
            if not left:
                raise


def _limit(seconds: float) -> bytes:
    return f"SET LOCAL statement_timeout = {max(1, round(seconds * 1000))}".encode()


def _told(check: Check, error: psycopg.Error, own_timeout_s: float) -> str:
    """The database's message; of a user's file with its name and the line."""
    if check.file is None:
        return f"it could not be run: {str(error).strip()}"
    if isinstance(error, psycopg.errors.QueryCanceled):
        return f"{check.file}: it took longer than check.timeout_s = {own_timeout_s:g}"
    place = error.diag.statement_position
    prefix = len('DECLARE "own_check" CURSOR FOR ')
    line = f", line {check.sql.count(chr(10), 0, max(0, int(place) - 1 - prefix)) + 1}" if place else ""
    hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
    return f"{check.file}{line}: {error.diag.message_primary or first_line(error)}{hint}"


def _number(name: str, moment: Moment) -> int:
    ((found,),) = moment.rows(name)
    return int(found)


def _kept_below(moment: Moment) -> int:
    """Facts below it are in the kept sums; where all are to be read none are."""
    ((below, _),) = moment.rows("kept")
    return 0 if moment.anew else int(below)


def _gaps(moment: Moment) -> dict[str, Any]:
    gaps = read_gaps(moment.reader)
    return {"told": tell(gaps) if gaps else "", "gaps": [gap.as_json() for gap in gaps]}


def _missing_rates(moment: Moment) -> dict[str, Any]:
    ((reporting, found),) = moment.rows("missing_rates")
    missing = [
        Missing(m["currency"], m["reporting"], m["lines"], date.fromisoformat(m["first_day"]), date.fromisoformat(m["last_day"]))
        for m in found
    ]
    return {"reporting": reporting, "told": tell_missing(missing), "missing": [one._asdict() for one in missing]}


def _attribute_orphans(moment: Moment) -> list[dict[str, Any]]:
    found = []
    for (name,) in moment.rows("attribute_dimensions"):
        row = moment.reader.execute(fill_sql(__package__, "orphans_of_attribute", attribute=name)).fetchone()
        found.append({"name": name, "orphans": row[0] if row else 0})
    return found


READ: Final[Mapping[str, Value]] = {
    "facts": lambda moment: moment.facts.read(moment.anew),
    "kept_below": _kept_below,
    "fact_rows": partial(_number, "fact_rows"),
    "light_below": partial(_number, "light_below"),
    "lake": lambda moment: moment.facts.lake(),
    "mark": lambda moment: read_mark(moment.reader),
    "gaps": _gaps,
    "missing_rates": _missing_rates,
    "attribute_orphans": _attribute_orphans,
}
