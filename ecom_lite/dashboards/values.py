"""What a board's variables are for one viewer: chosen values, each checked against the variable's list, to be bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ..errors import DashboardError
from .board import EVERY_VALUE, Option, Variable

MAX_VALUES: Final = 100  # of one variable
MAX_CHARS: Final = 200  # of one value
MAX_OPTIONS: Final = 5_000
ALL_TEXT: Final = "All"  # as Grafana shows EVERY_VALUE, and takes it from an address
TEXT: Final = "__text"
VALUE: Final = "__value"

Chosen = Mapping[str, tuple[str, ...]]
Lists = Callable[[Variable], Sequence[Option]]


class NotAmong(DashboardError):
    """A value that is not in the variable's list."""


def values_of(variables: Sequence[Variable], chosen: Chosen, lists: Lists) -> dict[str, tuple[str, ...]]:
    """What each variable's place in a query gets, at least one value. `lists` gives the options of one that is no textbox.

    Raises DashboardError for a value that it may not have.
    """
    return {each.name: _values(each, chosen, lists) for each in variables}


def _values(variable: Variable, asked: Chosen, lists: Lists) -> tuple[str, ...]:
    name = variable.name
    chosen: Sequence[str] = asked.get(name) or variable.current
    if len(chosen) > MAX_VALUES:
        raise DashboardError(f"variable {name} has {len(chosen):,} values: at most {MAX_VALUES} may be chosen")
    for value in chosen:
        if len(value) > MAX_CHARS or "\0" in value:
            raise DashboardError(f"variable {name} = {value[:40]!r}: at most {MAX_CHARS} characters, none of them NUL")
    if len(chosen) > 1 and not variable.multi:
        raise DashboardError(f"variable {name} has {len(chosen)} values: it takes one")
    if variable.type == "textbox":
        return tuple(chosen) or ("",)
    if variable.include_all and variable.all_value is not None and EVERY_VALUE in chosen:
        return (variable.all_value,)  # whatever the list is: it may be read from as many rows as there are customers
    options = [option.value for option in lists(variable)]
    known = frozenset(options)
    if variable.include_all and (EVERY_VALUE in chosen or (ALL_TEXT in chosen and ALL_TEXT not in known)):
        return (variable.all_value,) if variable.all_value is not None else tuple(options) or ("",)
    if name not in asked:  # the board's own, which a young warehouse may not have
        chosen = [value for value in chosen if value in known]
    for value in chosen:
        if value not in known:
            raise NotAmong(f"variable {name} = {value!r}: it is not among the {len(known):,} values that {name} may have")
    return tuple(sorted(set(chosen))) or tuple(options[:1]) or ("",)


def options_of(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> tuple[Option, ...]:
    """The result of a variable's query: one column, or `__text` and `__value`. A value counts once, null is none.

    Raises DashboardError for other columns.
    """
    if len(columns) == 1:
        text = value = 0
    elif TEXT in columns and VALUE in columns:
        text, value = columns.index(TEXT), columns.index(VALUE)
    else:
        raise DashboardError(f"a variable's query gives one column, or {TEXT} and {VALUE}, not {', '.join(columns)}")
    found: dict[str, Option] = {}
    for row in rows:
        if row[value] is not None:
            one = Option(str(row[text]), str(row[value]))
            found.setdefault(one.value, one)
    return tuple(found.values())
