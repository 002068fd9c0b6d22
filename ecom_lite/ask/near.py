"""Says of a name that is not there which ones are near it, in whatever schema: DuckDB's messages, made short and helpful."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Final

from .catalogue import Catalogue, Table

NEAR: Final = 0.7  # difflib's ratio
SHOWN: Final = 3
_NO_TABLE: Final = re.compile(r'Table with name "?(?P<name>[^"\n]+?)"? does not exist')
_NO_CATALOG: Final = re.compile(r'Catalog "(?P<name>[^"]+)" does not exist')
_NO_COLUMN: Final = re.compile(
    r'Referenced column "(?P<a>[^"]+)" not found|does not have a column named "(?P<b>[^"]+)"'
    r'|Column "(?P<c>[^"]+)" does not exist on (?:left|right) side of join'
)
_NO_FROM: Final = re.compile(r'Referenced column "(?P<name>[^"]+)" was not found because the FROM clause is missing')
_NO_ALIAS: Final = re.compile(r'Referenced table "(?P<name>[^"]+)" not found')
_NO_FUNCTION: Final = re.compile(r"(?P<kind>\w+) Function with name (?P<name>\S+) does not exist!")
_MEANT: Final = re.compile(r'Did you mean "(?P<name>[^"]+)"|Candidate (?:bindings|tables): :? ?(?P<names>[^\n]+)')
_KIND: Final = re.compile(r"^(?:Catalog|Binder|Parser|Conversion|Invalid Input|Invalid|IO|Permission|Not implemented) Error: ")
_PIVOT: Final = re.compile(r'\n\nLINE 1: CREATE OR REPLACE TEMP TYPE "__pivot_enum.*', re.DOTALL)


def explained(said: str, statement: str, catalogue: Callable[[], Catalogue]) -> str:
    """The message of a question that failed; the catalogue is only asked for where a name was not found."""
    if found := _NO_TABLE.search(said) or _NO_CATALOG.search(said):
        return no_table(_as_written(found["name"], statement), catalogue())
    if found := _NO_COLUMN.search(said):
        name = next(text for text in found.groups() if text)
        return _no_column(name, said, tables_of(statement, catalogue()), catalogue())
    if found := _NO_FROM.search(said):
        return f"no column {found['name']}: the question has no FROM"
    if found := _NO_ALIAS.search(said):
        return f"no table {found['name']} in this question{did_you_mean(_meant(said))}"
    if found := _NO_FUNCTION.search(said):
        return f"no function {found['name']}{did_you_mean(_meant(said))}"
    return _PIVOT.sub("", _KIND.sub("", said))


def tables_of(text: str, catalogue: Catalogue) -> list[Table]:
    """The tables that the words of a statement name."""
    words = dict.fromkeys(re.findall(r"[\w.]+", text))
    found = [catalogue.find(word) for word in words if word.count(".") < 2 or word.startswith("ecom.")]
    return list(dict.fromkeys(table for table in found if table is not None))


def near(name: str, names: Iterable[str]) -> list[str]:
    """Those of the names that are like it, the most like first; case does not matter."""
    lower = {each.lower(): each for each in names}
    return [lower[match] for match in get_close_matches(name.lower(), lower, SHOWN, NEAR)]


def near_tables(name: str, catalogue: Catalogue) -> list[str]:
    """`schema.table` of those that are like it: of that very name in another schema, or of one like it."""
    schema, _, own = name.lower().rpartition(".")
    tables = catalogue.shown()
    same = [table for table in tables if table.name.lower() == own]
    like = same or [table for match in near(own, {table.name for table in tables}) for table in tables if table.name == match]
    schemas = near(schema, catalogue.schemas) if schema else []
    like.sort(key=lambda table: table.schema not in schemas)  # stable: of equals that of the schema that was meant
    return [table.qualified for table in like[:SHOWN]]


def no_table(name: str, catalogue: Catalogue) -> str:
    """For a table that is not there."""
    meant = near_tables(name.removeprefix("ecom."), catalogue)
    return f"no table {name}{did_you_mean(meant)}" + ("" if meant else "; `ecom_lite tables` lists what there is")


def none_listed(word: str, catalogue: Catalogue) -> str:
    """For a word that no list of tables has anything for: a table's full name, or a part of a name, or a schema."""
    if "." in word:
        return no_table(word, catalogue)
    meant = [*near(word, catalogue.schemas), *near_tables(word, catalogue)][:SHOWN]
    return f"no table has {word!r} in its name, and no schema is called so" + (
        did_you_mean(meant) or "; without a word all are listed"
    )


def _no_column(name: str, said: str, asked: list[Table], catalogue: Catalogue) -> str:
    here = [column.name for table in asked for column in table.columns]
    if meant := near(name, here):
        return f"no column {name}{did_you_mean(meant)}"
    there = [table for table in catalogue.shown() if any(column.name == name for column in table.columns)]
    if there:
        return f"no column {name} here; it is in {_listed([table.qualified for table in there[:SHOWN]])}"
    elsewhere = near(name, {column.name for table in catalogue.shown() for column in table.columns})
    if elsewhere and not asked:
        return f"no column {name}{did_you_mean(_meant(said))}"
    has = f"; {asked[0].qualified} has {', '.join(here)}" if len(asked) == 1 else did_you_mean(_meant(said))
    return f"no column {name}{has}"


def _as_written(name: str, statement: str) -> str:
    """With the schema that the statement has before it: DuckDB leaves it out."""
    if "." in name:
        return name
    found = re.search(rf'(?:"?\w+"?\.)+"?{re.escape(name)}\b', statement, re.IGNORECASE)
    return found[0].replace('"', "") if found else name


def _meant(said: str) -> list[str]:
    """What DuckDB itself proposes."""
    found = _MEANT.search(said)
    if found is None:
        return []
    return [found["name"]] if found["name"] else re.findall(r'"([^"]+)"', found["names"])[:SHOWN]


def did_you_mean(names: list[str]) -> str:
    """The end of a message about a name that is not there; "" without one that is near."""
    return f"; did you mean {_listed(names, 'or')}?" if names else ""


def _listed(names: list[str], last: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"
