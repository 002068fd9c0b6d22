"""What a setting may be, as people write it: durations, rates, shares, times. Readers raise ValueError with what to give."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field

from .currencies import code_of

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def duration_s(value: Any) -> float:
    """Seconds from a number, or from a text such as 60s, 5m, 2h or 90d. Raises ValueError."""
    text = str(value).strip()
    number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS_S else (text, "s")
    try:
        seconds = float(number) * UNITS_S[unit]
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= 11_000 * UNITS_S["d"]:
        raise ValueError("give a time such as 60s, 5m, 2h or 90d, above 0 and at most 11000d")
    return seconds


def duration_text(seconds: float) -> str:
    """The shortest way to write it that `duration_s` reads back: 30d, 90m, 2.5s."""
    unit = next((name for name, size in reversed(UNITS_S.items()) if seconds % size == 0), "s")
    return f"{seconds / UNITS_S[unit]:.15g}{unit}"


def rate_of(value: Any) -> float | str:
    """A finite number above 0, or the word max or natural. Raises ValueError."""
    if value in ("max", "natural"):
        return str(value)
    try:
        number = 0.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number < 1e9:
        raise ValueError("give a number of orders per second above 0, or max, or natural")
    return number


def share_of(value: Any) -> float:
    """A share from 0 to 0.5, from a number or from a text such as 5%. Raises ValueError."""
    text = str(value).strip()
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 0.5:
        raise ValueError("give a share from 0 to 0.5, or from 0% to 50%")
    return share


def _words(value: Any) -> Any:
    """A text such as `US, DE` as its words: environment variables have no lists."""
    return [word.strip() for word in value.split(",")] if isinstance(value, str) else value


def _moment(value: Any) -> datetime:
    """A time in UTC from ISO 8601; no zone means UTC."""
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("give a time such as 2026-01-01T00:00Z") from None
    if time.year < 2000 or time.year > 2200:
        raise ValueError("give a time from the year 2000 to 2200")
    return time


Rate = Annotated[float | Literal["max", "natural"], BeforeValidator(rate_of)]
READ_DURATION = BeforeValidator(duration_s)
Duration = Annotated[float, READ_DURATION]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Share = Annotated[float, BeforeValidator(share_of)]
Unit = Annotated[float, Field(ge=0, le=1)]
Countries = Annotated[tuple[Literal["US", "GB", "DE", "FR", "ES", "NL"], ...], BeforeValidator(_words)]

EventField = Literal[  # a test holds it equal to the table of fields, which stands on a higher floor
    "order_id", "user_id", "product_id", "product_title", "category", "price", "quantity", "revenue", "timestamp",
    "currency", "event_id", "event_type", "schema_version", "list_price", "reason", "name", "email", "city", "country",
]  # fmt: skip
_STEPS: Final = r"[^.\[\]]+(\.[^.\[\]]+)*"
_PATH: Final = re.compile(rf"{_STEPS}(\[\](\.{_STEPS})?)?")


def path_of(value: Any) -> str:
    """A dotted path into a document, through one list at most. Raises ValueError."""
    if not isinstance(value, str) or not _PATH.fullmatch(value):
        raise ValueError('give a path such as "orderId", "customer.id" or "items[].sku"')
    return value


EventPath = Annotated[str, BeforeValidator(path_of)]


def currency_of(value: Any) -> str:
    """An ISO 4217 code. Raises ValueError."""
    code = code_of(value.strip()) if isinstance(value, str) else None
    if code is None:
        raise ValueError("give the ISO 4217 code of a currency, such as USD, EUR or JPY")
    return code


CurrencyCode = Annotated[str, BeforeValidator(currency_of)]


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


EventPaths = Annotated[tuple[EventPath, ...], BeforeValidator(_several), Field(min_length=1)]


def source_name_of(value: Any) -> str:
    """The name of a further source. Raises ValueError."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", str(value)):
        raise ValueError("name a source by up to 31 of a-z, 0-9 and _, beginning with a letter")
    return str(value)


SourceName = Annotated[str, BeforeValidator(source_name_of)]


def zone_of(value: Any) -> str:
    """The name of a time zone. Raises ValueError."""
    try:
        return ZoneInfo(str(value)).key
    except (OSError, KeyError, ValueError):
        raise ValueError("give the name of a time zone, such as UTC or Europe/Berlin") from None


Zone = Annotated[str, BeforeValidator(zone_of)]
