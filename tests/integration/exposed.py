"""What the boards' panels read, as PostgreSQL itself plans them, held against the exposures that dbt's project declares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
import yaml

from ecom_lite.contract.events import utc_now
from ecom_lite.dashboards.board import Board
from ecom_lite.dashboards.macros import Expanded, expand
from ecom_lite.dashboards.queries import options_in
from ecom_lite.dashboards.timerange import parse_range, step_ms
from ecom_lite.dashboards.values import values_of
from ecom_lite.warehouse.connect import Address

REF: Final = re.compile(r"ref\('(\w+)'\)")
SOURCE: Final = re.compile(r"source\('(\w+)', '(\w+)'\)")
# The tables and views that a view names itself, and of all columns those that it names.
NAMED: Final = """
SELECT DISTINCT n.nspname || '.' || c.relname, a.attname
FROM pg_rewrite r
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
JOIN pg_class c ON c.oid = d.refobjid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0
WHERE r.ev_class = 'pg_temp.panel'::regclass AND d.refobjid <> r.ev_class AND n.nspname !~ '^pg_'
"""


@dataclass(frozen=True)
class Read:
    """What one query names: relations, and of each its columns."""

    columns: Mapping[str, frozenset[str]]

    @property
    def relations(self) -> frozenset[str]:
        return frozenset(self.columns)


def reads(admin: psycopg.Connection, sql: str) -> Read:
    """PostgreSQL's own parser on the query, a view for a moment. Raises psycopg.Error for a name that there is not."""
    found: dict[str, set[str]] = {}
    with admin.transaction(force_rollback=True):
        admin.execute(f"CREATE TEMP VIEW panel AS {sql.strip().rstrip(';')}".encode())
        for relation, column in admin.execute(NAMED).fetchall():
            found.setdefault(relation, set()).update([column] if column else [])
    return Read({relation: frozenset(columns) for relation, columns in found.items()})


def written(connection: psycopg.Connection, query: Expanded) -> str:
    """The SQL with its parameters in it: a view takes none."""
    return psycopg.ClientCursor(connection).mogrify(query.sql, query.parameters) if query.parameters else query.sql


def asked_beside(board: Board) -> list[tuple[str, str]]:
    """What a board asks beside its panels: names and SQL."""
    variables = [(f"variable {each.name}", each.sql) for each in board.variables if each.sql]
    return variables + [(f"annotation {each.name}", each.query.raw_sql) for each in board.annotations]


def panels(warehouse: Address, boards: Mapping[str, Board]) -> tuple[dict[tuple[str, str], Read], list[str]]:
    """What each panel reads, by board and title, and what is wrong: a query that PostgreSQL cannot plan, as the reader."""
    read: dict[tuple[str, str], Read] = {}
    wrong = []
    with warehouse.connect("admin", autocommit=True) as admin, warehouse.connect("ecom_reader", autocommit=True) as reader:
        for board in boards.values():
            time_range = parse_range(board.start, board.end, utc_now(), None)
            values = values_of(board.variables, {}, lambda variable: options_in(reader, variable))
            for name, text in asked_beside(board):
                read[board.uid, name] = reads(admin, written(reader, expand(text, time_range, 60_000, values)))
            for panel in board.panels:
                step = step_ms(time_range, panel.points, panel.least_step_ms)
                for query in panel.queries:
                    try:
                        sql = written(reader, expand(query.raw_sql, time_range, step, values))
                        reader.execute(f"EXPLAIN {sql}".encode())
                        one = reads(admin, sql)
                    except psycopg.Error as error:
                        wrong.append(f"{board.uid}, {panel.title}: {str(error).splitlines()[0]}")
                        continue
                    before = read.get((board.uid, panel.title), Read({})).columns
                    read[board.uid, panel.title] = Read({**before, **one.columns})
    return read, wrong


def declared_columns(project: Path) -> dict[str, frozenset[str]]:
    """Of each mart the columns that its YAML declares."""
    found = {}
    for path in (project / "models").rglob("*.yml"):
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", []):
            found[f"marts.{model['name']}"] = frozenset(column["name"] for column in model.get("columns", []))
    return found


def exposures(project: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load((project / "models/marts/exposures.yml").read_text("utf-8"))["exposures"])


def exposed(exposure: Mapping[str, Any]) -> frozenset[str]:
    """The relations that an exposure depends on."""
    found = set()
    for text in exposure["depends_on"]:
        if ref := REF.fullmatch(text):
            found.add(f"marts.{ref[1]}")
        elif source := SOURCE.fullmatch(text):
            found.add(f"{source[1]}.{source[2]}")
        else:
            raise AssertionError(f"{exposure['name']} depends on {text!r}: neither a ref nor a source")
    return frozenset(found)


def differences(boards: Mapping[str, Board], read: Mapping[tuple[str, str], Read], project: Path) -> list[str]:
    """Where the exposures and the panels do not say the same, one line each."""
    wrong = []
    declared, by_uid = declared_columns(project), {each["meta"]["uid"]: each for each in exposures(project)}
    for uid in sorted(boards.keys() ^ by_uid.keys()):
        wrong.append(f"{uid}: {'no exposure of it' if uid in boards else 'an exposure of no board'}")
    for (uid, title), one in read.items():
        for relation, columns in one.columns.items():
            if relation.startswith("marts."):
                stray = sorted(columns - declared.get(relation, frozenset()))
                wrong += [f"{uid}, {title}: {relation}.{column} is declared by no model" for column in stray]
    for uid in sorted(boards.keys() & by_uid.keys()):
        exposure, board = by_uid[uid], boards[uid]
        mine: frozenset[str] = frozenset().union(*(one.relations for (of, _), one in read.items() if of == uid))
        named = exposed(exposure)
        wrong += [f"{uid}: panels read {relation}, its exposure does not name it" for relation in sorted(mine - named)]
        wrong += [f"{uid}: its exposure names {relation}, no panel reads it" for relation in sorted(named - mine)]
        told = " ".join(exposure["description"].split())
        listed = told.partition("Panels: ")[2].rstrip(".").split(", ")
        titles = [panel.title for panel in board.panels if panel.queries]
        wrong += [f"{uid}: its exposure does not list the panel {title!r}" for title in titles if title not in listed]
        wrong += [f"{uid}: its exposure lists {title!r}, which is no panel" for title in listed if title not in titles]
        if board.source.name not in told or board.title != exposure["label"]:
            wrong.append(f"{uid}: its exposure has another file or title")
    return wrong
