"""What a word of a statement may become: schemas, tables, columns and keywords, by where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from .catalogue import LAKE, Catalogue, Table
from .commands import NAMES
from .formats import FORMATS, PARQUET
from .near import tables_of
from .statements import open_in

FIRST: Final = ("SELECT", "FROM", "WITH", "VALUES", "DESCRIBE", "SHOW", "SUMMARIZE", "PIVOT", "UNPIVOT", "EXPLAIN", "TABLE")
FURTHER: Final = (
    "ALL", "ANALYZE", "AND", "ANTI", "ANY", "AS", "ASC", "ASOF", "BETWEEN", "BY", "CASE", "CAST", "CROSS", "CURRENT", "DESC",
    "DISTINCT", "ELSE", "END", "EXCEPT", "EXCLUDE", "EXISTS", "FALSE", "FILTER", "FIRST", "FOLLOWING", "FULL", "GROUP",
    "HAVING", "ILIKE", "IN", "INNER", "INTERSECT", "INTERVAL", "IS", "JOIN", "LAST", "LATERAL", "LEFT", "LIKE", "LIMIT", "NOT",
    "NULL", "NULLS", "OFFSET", "ON", "OR", "ORDER", "OUTER", "OVER", "PARTITION", "PRECEDING", "QUALIFY", "RANGE", "RECURSIVE",
    "REPLACE", "RIGHT", "ROLLUP", "ROW", "ROWS", "SAMPLE", "SEMI", "TABLES", "THEN", "TRUE", "UNBOUNDED", "UNION",
    "USING", "WHEN", "WHERE", "WINDOW",
)  # fmt: skip
KEYWORDS: Final = frozenset((*FIRST, *FURTHER))
TABLE_AFTER: Final = ("FROM", "JOIN", "DESCRIBE", "SUMMARIZE", "PIVOT", "UNPIVOT", "TABLE")
CLAUSES: Final = frozenset(("SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "ON", "USING", "LIMIT", "WINDOW", "QUALIFY"))
OWN: Final = "warehouse"  # its tables need no schema before them
_WORDS: Final = re.compile(r"[\w.]+|[^\w\s]")
_ALIAS: Final = re.compile(r"([\w.]+)\s+(?:as\s+)?(\w+)", re.IGNORECASE)
_WITH: Final = re.compile(r"\b(\w+)\s+as\s*(?:not\s+|materialized\s+)*\(", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]*")


def completions(before: str, word: str, after: str, catalogue: Catalogue) -> list[str]:
    """`before` and `after` it stand the rest of the statement. What it may become, in the order to show it; each begins with the
    word but for a table that is found in another schema."""
    if open_in(before):
        return []
    statement = f"{before} ; {after}"  # the word itself names nothing yet
    if "." in word:
        return _with_dot(word, statement, catalogue)
    if _wants_table(before):
        return _tables(word, statement, catalogue)
    words = FIRST if not before.strip() else sorted(KEYWORDS)
    keywords = [f"{_in_case_of(keyword, word)} " for keyword in words if keyword.lower().startswith(word.lower())]
    if not before.strip():
        return keywords
    known = tables_of(statement, catalogue)
    columns = (column.name for table in known or catalogue.shown() for column in table.columns)
    named = [*_aliases(statement, catalogue), *_made(statement), *(table.name for table in known)]
    return [*dict.fromkeys([*_like(word, columns), *_like(word, (f"{name}." for name in named))]), *keywords]


def commands(before: str, word: str, catalogue: Catalogue) -> list[str]:
    """The same for a line that begins with a dot."""
    if not before.strip():
        return [f"{name} " for name in NAMES if name.startswith(word.lower())]
    name = before.split()[0].lower()
    if name == ".schema":
        return _with_dot(word, "", catalogue) if "." in word else _tables(word, "", catalogue)
    if name == ".tables":
        return _like(word, [*catalogue.schemas, *(table.name for table in catalogue.shown())])
    return _like(word, (form for form in FORMATS if form != PARQUET)) if name == ".format" else []


def _wants_table(before: str) -> bool:
    words = _WORDS.findall(before.upper())
    if not words or words[-1] in TABLE_AFTER:
        return bool(words)
    clause = next((word for word in reversed(words) if word in CLAUSES), "")
    return words[-1] == "," and clause == "FROM"


def _tables(word: str, statement: str, catalogue: Catalogue) -> list[str]:
    """Those that need no schema, and the schemas; else those of that name in a schema."""
    shown = catalogue.shown()
    here = [*_made(statement), *(table.name for table in shown if table.schema == OWN)]
    if found := _like(word, [*here, *(f"{schema}." for schema in catalogue.schemas)]):
        return found
    return [table.qualified for table in shown if table.schema != LAKE and table.name.lower().startswith(word.lower())]


def _with_dot(word: str, statement: str, catalogue: Catalogue) -> list[str]:
    """`schema.`: its tables; `table.`, `schema.table.` or `alias.`: its columns."""
    owner = word.rpartition(".")[0]
    tables = _like(word, (table.qualified for table in catalogue.shown()))
    table = _aliases(statement, catalogue).get(owner.lower()) or catalogue.find(owner)
    columns = [] if table is None else _like(word, (f"{owner}.{column.name}" for column in table.columns))
    return list(dict.fromkeys([*tables, *columns]))


def _aliases(statement: str, catalogue: Catalogue) -> dict[str, Table]:
    """`f` of `FROM fact_sales f`."""
    found: dict[str, Table] = {}
    for match in re.finditer(rf"(?={_ALIAS.pattern})", statement, re.IGNORECASE):
        start = match.start(1)
        if start and re.match(r"[\w.]", statement[start - 1]):
            continue
        table = None if match[2].upper() in KEYWORDS else catalogue.find(match[1])
        if table is not None:
            found[match[2].lower()] = table
    return found


def _made(statement: str) -> list[str]:
    """`a` of `WITH a AS (...)`."""
    return [name for name in dict.fromkeys(_WITH.findall(statement)) if name.upper() not in KEYWORDS]


def _like(word: str, names: Iterable[str]) -> list[str]:
    """Names that need no quotation marks."""
    plain = (name for name in dict.fromkeys(names) if all(_PLAIN.fullmatch(part) for part in name.rstrip(".").split(".")))
    return [name for name in plain if name.lower().startswith(word.lower())]


def _in_case_of(keyword: str, word: str) -> str:
    return keyword.lower() if word[:1].islower() else keyword
