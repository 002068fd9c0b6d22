"""A file of rates as text: date, currency, rate, with or without a header. Every wrong line is named, and then none is taken."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Final, NamedTuple

from ..errors import UsageError
from ..settings.currencies import code_of

COLUMNS: Final = ("date", "currency", "rate")
NAMES: Final = {
    "day": "date",
    "datum": "date",
    "code": "currency",
    "currency_code": "currency",
    "value": "rate",
    "exchange_rate": "rate",
}
DELIMITERS: Final = ",;\t"
DECIMALS: Final = 12  # that are kept
LIMIT: Final = Decimal(10) ** 8  # exclusive
FIRST_DAY, LAST_DAY = date(1999, 1, 1), date(2200, 1, 1)
SHOWN: Final = 5  # wrong lines are named, all are counted


class Rate(NamedTuple):
    """Units of the reporting currency for one unit of `currency`, from `day` on."""

    currency: str
    day: date
    rate: Decimal


class _Wrong(ValueError):
    """What is wrong with a line."""


def read_rates(lines: Iterable[str], name: str, reporting: str) -> list[Rate]:
    """The rates of a file called `name`, each currency and day once. Raises UsageError."""
    found: dict[tuple[str, date], tuple[Rate, int]] = {}
    wrong: list[str] = []
    for number, cells in _rows(lines, name):
        try:
            rate = _rate(cells, reporting)
            if rate is None:
                continue
            known, before = found.setdefault((rate.currency, rate.day), (rate, number))
            if known.rate != rate.rate:
                raise _Wrong(f"{rate.currency} of {rate.day} has the rate {rate.rate}, and {known.rate} in line {before}")
        except _Wrong as problem:
            wrong.append(f"{name}, line {number}: {problem}")
    if wrong:
        more = [f"... and {len(wrong) - SHOWN:,} more lines"] if len(wrong) > SHOWN else []
        raise UsageError("\n".join([*wrong[:SHOWN], *more, "nothing was loaded"]))
    if not found:
        raise UsageError(f"{name} has no rates: give lines such as 2026-01-02,EUR,1.0850")
    return [rate for rate, _ in found.values()]


def _rows(lines: Iterable[str], name: str) -> Iterator[tuple[int, Sequence[str]]]:
    """The cells of each line in the order of COLUMNS, and the line's number."""
    order: Sequence[int] | None = None
    remaining = iter(lines)
    begin: list[str] = []  # up to the first line that says something
    try:
        for line in remaining:
            begin.append(line if begin else line.removeprefix("\ufeff"))
            if begin[-1].strip() and not begin[-1].lstrip().startswith("#"):
                break
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: not CSV in UTF-8: {error}") from None
    delimiter = next((mark for mark in DELIMITERS[::-1] if begin and mark in begin[-1]), ",")
    reader = csv.reader(chain(begin, remaining), delimiter=delimiter)
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if order is None:
                order = _header(cells, name, reader.line_num)
                if order is not None:
                    continue
                order = range(len(COLUMNS))
            yield reader.line_num, [cells[at] for at in order] if len(cells) > max(order) and _fits(cells, order) else cells
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{name}, line {reader.line_num + 1}: not a line of CSV in UTF-8: {error}") from None


def _fits(cells: Sequence[str], order: Sequence[int]) -> bool:
    return order != range(len(COLUMNS)) or len(cells) == len(COLUMNS)


def _header(cells: Sequence[str], name: str, line: int) -> Sequence[int] | None:
    """Where each of COLUMNS stands; None for a line that is a rate already."""
    names = [NAMES.get(cell.lower(), cell.lower()) for cell in cells]
    if not set(names) & set(COLUMNS):
        return None
    if missing := [column for column in COLUMNS if column not in names]:
        raise UsageError(f"{name}, line {line}: the header has no {' and no '.join(missing)}: it needs date, currency and rate")
    return [names.index(column) for column in COLUMNS]


def _rate(cells: Sequence[str], reporting: str) -> Rate | None:
    """None for the reporting currency at 1. Raises _Wrong."""
    if len(cells) != len(COLUMNS):
        hint = "; write the decimals behind a point" if len(cells) == len(COLUMNS) + 1 else ""
        raise _Wrong(f"{len(cells)} cells, where date, currency and rate should be{hint}")
    day, code, text = _day(cells[0]), code_of(cells[1]), cells[2]
    if code is None:
        raise _Wrong(f"{cells[1]!r} is no ISO 4217 code, such as EUR")
    try:
        rate = Decimal(text) if text.isascii() and "_" not in text else Decimal("nan")  # Python takes 1_08 for 108
    except InvalidOperation:
        rate = Decimal("nan")
    if not rate.is_finite():
        raise _Wrong(f"rate {text!r} is no number" + ("; write the decimals behind a point" if "," in text else ""))
    if not 0 < rate < LIMIT or rate.quantize(Decimal(1).scaleb(-DECIMALS)) <= 0:
        raise _Wrong(f"rate {text} is outside 0 .. {LIMIT:,}: it is what one {code} is worth in {reporting}")
    if code == reporting:
        if rate != 1:
            raise _Wrong(f"{code} is the reporting currency itself, its rate is 1 and not {text}")
        return None
    return Rate(code, day, rate.quantize(Decimal(1).scaleb(-DECIMALS)))


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _Wrong(f"{text!r} is no date such as 2026-01-31") from None
    if not FIRST_DAY <= day < LAST_DAY:
        raise _Wrong(f"{text} is outside {FIRST_DAY} .. {LAST_DAY}")
    return day
