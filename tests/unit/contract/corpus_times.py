"""The event times of the corpus: the spellings of ISO 8601, epoch seconds and milliseconds, and both sides of every limit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from .corpus_base import FACT, OTHER, Case, order, reversal, user


def times(latest: datetime, late: datetime) -> Iterator[Case]:
    texts = ["2026-01-01", "2026-01-01T10", "20260101", "20260101T100000Z", "2026-01-01 10:00:00", "2026-01-01T10:00:00,5Z"]
    texts += ["2026-01-01T10:00:00.123456789Z", "2026-01-01T10:00:00-11:30", "2026-W01-1", "2000-01-01T00:00:00Z", "2024-02-29"]
    texts += ["1999-12-31T23:59:59.999999-00:01", "2026-01-01T10:00:00+0530", "2026-01-01T10:00", "2026-01-01T1000"]
    texts += ["2026-01-01x10:00", "2026-01-01T10:00:00", "2026-01-01T10:00:00.5", "2026-01-01T10:00:00.1234567"]
    texts += ["2026-01-01T10:00:00.123456+02:00", "2026-01-01T10:00:00-02", "2026-01-01T10:00:00 Z", "2026-01-01T10:00:00 +02:00"]
    texts += ["2026-01-01T10:00:00-00:00", "2026-02-28T23:59:59.999999Z", "2026-01-01\\n10:00", "2026-01-01\u202810:00:00"]
    texts += ["2026-01-02T10:00:00+20:00", "2026-01-01T10:00:00+02:00:30", "2026-01-01T10:00:00.1239999Z"]
    for text in texts:
        yield Case(f"timestamp {text}", order(timestamp=f'"{text}"'), FACT)
    bad = [
        "",
        " ",
        "yesterday",
        "2026",
        "2026-01",
        "2026-02-30",
        "2025-02-29",
        "2026-13-01",
        "2026-00-10",
        "26-01-01",
        "2026-1-1",
        " 2026-01-01",
        "2026-0101",
        "2026-001",
        "2026-01-01T",
        "2026-01-01\\n",
        "2026-01-01T10:00:00Z\\n",
        "2026-01-01T10:00:00+02:00Z",
        "2026-01-01T10:00:00z",
        "2026-01-01T10:00:00.",
        "2026-01-01T10:00:60",
        "2026-01-01 10:00:00 UTC",
        "now",
        "epoch",
        "infinity",
    ]
    bad += [
        "2026-01-01T24:00:01",
        "2026-01-01T25:00",
        "2026-12-31T23:59:60Z",
        "2026-01-01T10:60",
        "2026-01-01T10:00:00 Europe/Paris",
    ]
    bad += ["1999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z"]
    bad += [
        "+12026-01-01",
        "-2026-01-01",
        "01/02/2026",
        "2026-01-01T10:00:00+25:00",
        "٢٠٢٦-٠١-٠١",
        "2026-01-01T10:00:00Z" * 5000,
    ]
    for text in bad:
        yield Case(f"timestamp '{text[:40]}'", order(timestamp=f'"{text}"'), "bad_timestamp")
    yield Case("NUL for the T", order(timestamp=r'"2026-01-01\u000010:00:00"'), "bad_timestamp", r"\x00")
    yield Case("NUL in a timestamp", order(timestamp=r'"2026-01-01T10:00\u0000"'), "bad_timestamp", r"\x00")
    yield from _epochs(latest, late)
    for text in ("true", "null", "{}", "[]"):
        yield Case(f"timestamp {text}", order(timestamp=text), "wrong_type", "timestamp")


def _epochs(latest: datetime, late: datetime) -> Iterator[Case]:
    """A number below 1e11 is seconds, from there on milliseconds; a fraction counts to the microsecond."""
    for name, moment, fate in (("the latest", latest, FACT), ("too late", late, "bad_timestamp")):
        yield Case(f"{name} timestamp", order(timestamp=f'"{moment.isoformat()}"'), fate)
        yield Case(f"{name} timestamp in seconds", order(timestamp=_epoch(moment)), fate)
        yield Case(f"{name} timestamp in milliseconds", order(timestamp=_epoch(moment, 1000)), fate)
        yield Case(f"{name} timestamp in digits", order(timestamp=f'"{_epoch(moment)}"'), fate)
        yield Case(f"{name} timestamp and less than a microsecond", order(timestamp=_epoch(moment) + "999"), fate)
    good = [
        "946684800",
        "946684800.0",
        "946684800.000001",
        "946684800.0000001",
        "1767225600",
        "1767225600.5",
        "1767225600.123456",
    ]
    good += ["1767225600.123456999999", "1767225600.999999999999", "1732454400.9999999", "1767225600.1000000000"]
    good += ["946684800000", "946684800000.0", "1767225600000", "1767225600000.5", "1767225600000.001"]
    good += ["1767225600123.4567", "1767225600123.9999999"]
    good += ["1732454400." + "9" * 25, "1732454400." + "0" * 25]
    bad = ["0", "0.5", "5", "946684799", "946684799.999999", "946684799.9999999999999", "946684799999", "946684799999.9999"]
    bad += ["99999999999", "99999999999.999999", "99999999999.9999999999999", "100000000000", "100000000000.000001"]
    bad += ["9999999999999"]
    bad += ["10000000000000", "253402300799000", "9223372036854775807", "9223372036854775808", "9" * 38, "9" * 39, "9" * 40]
    for text in good:
        yield Case(f"timestamp {text}", order(timestamp=text), FACT)
        yield Case(f"timestamp '{text}'", order(timestamp=f'"{text}"'), FACT)
    for text in bad:
        yield Case(f"timestamp {text}", order(timestamp=text), "bad_timestamp")
        yield Case(f"timestamp '{text}'", order(timestamp=f'"{text}"'), "bad_timestamp")
    # Only a JSON number has an exponent or a sign, only a string of digits leading zeros.
    for text in ("1.7672256e9", "1.7672256E12", "17672256e2", "1767225600123456e-6", "1.767225600123456E9"):
        yield Case(f"timestamp {text}", order(timestamp=text), FACT)
        yield Case(f"timestamp '{text}'", order(timestamp=f'"{text}"'), "bad_timestamp")
    for text in ("-0", "-1", "-0.0", "-1767225600", "-1767225600.5", "-1e300", "1e300", "1e-999", "1e-99999999999999999999"):
        yield Case(f"timestamp {text}", order(timestamp=text), "bad_timestamp")
    for text in ("1e999", "01767225600", "1767225600.", ".5", "+1767225600"):
        yield Case(f"timestamp {text}", order(timestamp=text), "not_json")
    for text in ("01767225600", "0001767225600000.5", "0" * 40 + "1767225600"):
        yield Case(f"timestamp '{text}'", order(timestamp=f'"{text}"'), FACT)
    odd = ["+1767225600", "-1767225600", " 1767225600", "1767225600 ", "1767225600.", ".5", "1767225600.5.5", "1,767,225,600"]
    odd += [
        "1_767_225_600",
        "1767225600,5",
        "1767225600\\n",
        "1767225600Z",
        "١٧٦٧٢٢٥٦٠٠",
        "１７６７２２５６００",
        "0x69574500",
        "NaN",
        "inf",
    ]
    odd += ["1767225600s", "٢٠٢٦٠١٠١"]
    for text in odd:
        yield Case(f"timestamp '{text}'", order(timestamp=f'"{text}"'), "bad_timestamp")
    # What Python would read as a date with a digit for the T.
    for text, fate in (("20260101110", "bad_timestamp"), ("20260101.10", "bad_timestamp"), ("1704110100000", FACT)):
        yield Case(f"timestamp '{text}'", order(timestamp=f'"{text}"'), fate)
    for text, says in (
        ("1767225600123456", "microseconds"),
        ("1767225600123456789", "nanoseconds"),
        ('"1767225600123456"', "microseconds"),
        ("20260101123000", "seconds or milliseconds"),
    ):
        yield Case(f"the timestamp {text}", order(timestamp=text), "bad_timestamp", says)
    yield Case("timestamp twice, the first a fraction", order(timestamp="1.5")[:-1] + b',"timestamp":1767225600.25}', FACT)
    yield Case("timestamp twice, the last a fraction too early", order()[:-1] + b',"timestamp":5.25}', "bad_timestamp")
    yield Case("a fraction with white space", order(timestamp=" \t1767225600.25\n "), FACT)
    yield Case("a fraction beside another in an object", order(timestamp="1767225600.25", x='{"timestamp":5.5}'), FACT)
    yield Case("a fraction under an escaped name", order(timestamp="1767225600.25").replace(b'"time', b'"t\\u0069me'), FACT)
    yield Case("order_returned at a fraction of a second", reversal(timestamp="1767225600.25"), OTHER)
    yield Case("user_updated at a second", user(timestamp="1767225600"), OTHER)
    yield Case("user_updated at digits", user(timestamp='"1767225600.000001"'), OTHER)


def _epoch(moment: datetime, per_second: int = 1) -> str:
    """Since 1970, with all digits of the microsecond."""
    micros = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    whole, rest = divmod(micros * per_second, 1_000_000)
    return f"{whole}.{rest:06d}"
