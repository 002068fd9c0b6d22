"""Order lines written as nearly everybody writes them: told by one pattern over the texts of their fields.

A JSON reader that takes any value as text does not say whether it stood in quotes. Of what is admitted here it does not matter,
or the text can only have stood in quotes, for it is no number, no word and no beginning of a list or an object.
"""

from __future__ import annotations

from typing import Final

from ..contract.fields import MAX_TEXT, OrderLine, fields_of

BETWEEN: Final = "\x01"  # behind each field's text
ABSENT: Final = "\x02"  # the text of a field that is missing, or null

_END: Final = rf"(?={BETWEEN})"
_POSITIVE: Final = "[1-9][0-9]{0,17}"
_NUMBER: Final = "(?:0|[1-9][0-9]{0,17})"
_AMOUNT: Final = r"(?:0|[1-9][0-9]{0,7})(?:\.[0-9]{1,4})?"
# With a letter that no number has, or with a hyphen where a number has none.
_WORD: Final = rf"(?!(?:true|false){_END})(?=[^{BETWEEN}]*(?:[A-DF-Za-df-z_:#/]|[0-9]-))[A-Za-z0-9_.:#/-]{{1,64}}"
_TEXT: Final = rf"(?!-?[0-9][0-9.eE+-]*{_END}|(?:true|false){_END}|[\[{{])[^\x00{BETWEEN}{ABSENT}]{{0,{MAX_TEXT}}}"
_TIME: Final = (
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?"
    r"|\d{10,16}(?:\.\d{1,6})?"
)
_OF: Final = {
    "order_id": f"{_NUMBER}|{_WORD}",
    "user_id": f"{_POSITIVE}|{_WORD}",
    "product_id": f"{_POSITIVE}|{_WORD}",
    "product_title": f"{_TEXT}|{ABSENT}",
    "category": f"{_TEXT}|{ABSENT}",
    "price": _AMOUNT,
    "quantity": "[1-9][0-9]{0,8}",
    "revenue": rf"{_AMOUNT.replace('7', '11')}|{ABSENT}",
    "timestamp": _TIME,
    "currency": f"[A-Za-z]{{3}}|{ABSENT}",
    "event_id": f"{_WORD}|{ABSENT}",
    "event_type": f"order|{ABSENT}",
    "schema_version": f"{_NUMBER}|{ABSENT}",
    "list_price": f"{_AMOUNT}|{ABSENT}",
}
NAMES: Final = [one.name for one in fields_of(OrderLine)]
PATTERN: Final = "^" + "".join(f"(?:{_OF[name]}){BETWEEN}" for name in NAMES) + r"(?![\s\S])"


def texts() -> str:
    """The fields as Spark declares them, each a text."""
    return ", ".join(f"{name} string" for name in NAMES)


def joined(row: str) -> str:
    """Spark's SQL for what the pattern is matched with, of the texts in `row`."""
    return "concat(" + ", ".join(f"coalesce({row}.{name}, :absent), :between" for name in NAMES) + ")"
