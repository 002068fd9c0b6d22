"""The cases of the corpus that another judge than the loader sees otherwise, each with why that is allowed.

A test fails for a difference that is not here, and for one that is here and does not occur.
"""

from __future__ import annotations

from typing import Final

# Whether a record is a valid order line, and what it says. All are outside what a JSON writer produces.
_PYTHON = "what only Python reads as a date: weeks, offsets of more than 18 hours or with seconds"
SPARK: Final[dict[str, str]] = {
    "timestamp 2026-W01-1": _PYTHON,
    "timestamp 2026-01-02T10:00:00+20:00": _PYTHON,
    "timestamp 2026-01-01T10:00:00+02:00:30": _PYTHON,
    "a schema_version beyond 64 bits": "Spark has it as a decimal",
}

# By the harness's own SQL: validity, reason and fields. Nothing that the harness sends is among them.
_FIRST_KEY = "DuckDB takes the first of equal keys"
_LENIENT = "DuckDB's JSON reader accepts what JSON does not have"
_EXTENDED = "the harness reads ISO 8601 in its extended format only, with T or a blank, to the minute or finer"
_WRITTEN = "DuckDB has a fraction as a float: its text is looked for by the name, in all of the record"
RECOUNT: Final[dict[str, str]] = {
    "a comma at the end": _LENIENT,
    "timestamp 1e999": "beyond a float the decoder gives up; DuckDB keeps the digits, and finds no time in them",
    "price 1e-999": "to DuckDB it is 0: then it is the revenue that is wrong",
    "price with a digit behind the 18th decimal": "DuckDB has a fraction as a float",
    "list_price 24.9900000000000000001": "DuckDB has a fraction as a float",
    "list_price 1e-999": "to DuckDB it is 0",
    "quantity 3.00000000000000001": "DuckDB has a fraction as a float",
    "user_id 9007199254740993.0": "DuckDB has a fraction as a float",
    "a key twice: the last one counts": _FIRST_KEY,
    "a key twice, the last one wrong": _FIRST_KEY,
    "a key twice, the first one of a wrong type": _FIRST_KEY,
    "a key twice, the first one a list": _FIRST_KEY,
    "keys twice, the first of wrong types": _FIRST_KEY,
    "keys twice, the first out of range": _FIRST_KEY,
    "a key twice, the last one of a wrong type": _FIRST_KEY,
    "a key twice, the first one beyond all floats": _FIRST_KEY,
    "a key twice, the last one beyond all floats": _FIRST_KEY,
    "all keys twice, the first ones null": _FIRST_KEY,
    "all keys twice, the first ones lists": _FIRST_KEY,
    "a key twice, the first with an escape": _FIRST_KEY,
    "timestamp twice, the last a fraction too early": _FIRST_KEY,
    "event_type twice": _FIRST_KEY,
    "order, then order_returned": _FIRST_KEY,
    "order_returned, then null": _FIRST_KEY,
    "a fraction beside another in an object": _WRITTEN,
    "a fraction under an escaped name": _WRITTEN,
    "timestamp 2026-01-01T10": _EXTENDED,
    "timestamp 20260101": _EXTENDED,
    "timestamp 20260101T100000Z": _EXTENDED,
    "timestamp 2026-01-01T10:00:00,5Z": _EXTENDED,
    "timestamp 2026-W01-1": _EXTENDED,
    "timestamp 2026-01-01T1000": _EXTENDED,
    "timestamp 2026-01-01x10:00": _EXTENDED,
    "timestamp 2026-01-01T10:00:00 Z": _EXTENDED,
    "timestamp 2026-01-01T10:00:00 +02:00": _EXTENDED,
    "timestamp 2026-01-01\\n10:00": _EXTENDED,
    "timestamp 2026-01-01\u202810:00:00": _EXTENDED,
    "timestamp 2026-01-01T10:00:00+02:00:30": _EXTENDED,
}
