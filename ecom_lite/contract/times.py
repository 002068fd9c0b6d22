"""The event time: ISO 8601 or epoch seconds or milliseconds, exact to the microsecond, and the limits that it keeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Context, Decimal
from typing import Final

from .rejected import Rejected, short

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST_AHEAD: Final = timedelta(days=1)
MILLISECONDS_FROM: Final = 100_000_000_000  # a smaller number is seconds: until the year 5138; from here on ms, since March 1973
EPOCH_BELOW: Final = 10_000_000_000_000  # 2286 in ms; what is larger is in another unit
BASIC_DATE_DIGITS: Final = 8  # so many digits are the date yyyymmdd, every other number of them is an epoch

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CUT: Final = Context(prec=28, rounding=ROUND_DOWN)  # 13 digits, 6 for the microsecond: the whole microseconds are exact
_FINER: Final = (("microseconds", "us", 10**6), ("nanoseconds", "ns", 10**9))

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The wall clock. Loops take a Clock, so that tests can bring their own."""
    return datetime.now(UTC)


def event_time(value: datetime | str | float | bytes, now: datetime) -> datetime:
    """The event time in UTC; raises Rejected where it is none, or not from EARLIEST to `now` + LATEST_AHEAD.

    ISO 8601 (no zone means UTC), or a number, also as a string of digits: below MILLISECONDS_FROM epoch seconds, else epoch
    milliseconds, either with a fraction. What is finer than a microsecond is cut off. Bytes are a JSON number as it was written:
    exact, where a float is as near as a float comes.
    """
    try:
        if isinstance(value, str):
            try:
                time = datetime.fromisoformat(value)
                # Python takes a digit for the T: to it 1704110100000 would be ten o'clock of a day in 1704.
                if time.tzinfo is None and value[4:5].isdecimal() and _is_number(value):
                    time = _from_epoch(Decimal(value))
            except ValueError:
                if not _is_number(value):
                    raise
                time = _from_epoch(Decimal(value))
        elif isinstance(value, int):
            time = _from_epoch(value)
        elif isinstance(value, datetime):
            time = value
        else:
            time = _from_epoch(Decimal(value.decode() if isinstance(value, bytes) else repr(value)))
        if time.tzinfo is not UTC:
            time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, ArithmeticError):
        raise _no_time(value, now) from None
    if time < EARLIEST or (time > now and time > now + LATEST_AHEAD):
        raise Rejected("bad_timestamp", f"{time.isoformat()} is outside 2000-01-01 .. now + 1 day")
    return time


def _is_number(text: str) -> bool:
    """Digits, and digits behind a point: no sign, no exponent, no blank; and not the date yyyymmdd."""
    whole, point, fraction = text.partition(".")
    return text.isascii() and whole.isdecimal() and (fraction.isdecimal() if point else len(whole) != BASIC_DATE_DIGITS)


def _from_epoch(number: int | Decimal) -> datetime:
    if not 0 <= number < EPOCH_BELOW:
        raise ValueError(number)
    scale = 1_000_000 if number < MILLISECONDS_FROM else 1_000
    micros = number * scale if isinstance(number, int) else int(_CUT.multiply(number, scale))
    return _EPOCH + timedelta(0, 0, micros)


def _no_time(value: object, now: datetime) -> Rejected:
    found = short(value.decode()).strip("'") if isinstance(value, bytes) else short(value)
    return Rejected("bad_timestamp", f"{found} is neither ISO 8601 nor epoch seconds or milliseconds{_hint(value, now)}")


def _hint(value: object, now: datetime) -> str:
    text = str(value)
    if text.isascii() and text.isdecimal() and len(text) < 30:
        for unit, short_name, per_second in _FINER:
            if EARLIEST <= _EPOCH + timedelta(seconds=min(int(text) // per_second, EPOCH_BELOW // 1000)) <= now + LATEST_AHEAD:
                return f'; it looks like epoch {unit}: set [events] time_unit = "{short_name}", or send milliseconds'
    return "; write it like 2026-01-31T12:00:00Z" if isinstance(value, str) else ""
