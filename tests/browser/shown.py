"""Whether a text on a dashboard shows a figure: `$1,234`, `12.3K`, `45.6%`, `3 min 5 s` read back, to the digit that is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_NUMBER: Final = re.compile(
    r"(?P<sign>[-−–])?\s*[$€£¥]?\s*(?P<whole>\d[\d,\u202f\xa0]*\d|\d)(?:\.(?P<part>\d+))?"
    r"(?:e(?P<power>[+-]?\d+))?\s*(?P<unit>[A-Za-zµμ%]*)"
)
_SCALES: Final = {
    "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12, "mil": 1e6, "bil": 1e9, "tri": 1e12, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
    "kib": 1024.0, "mib": 1024.0**2, "gib": 1024.0**3, "tib": 1024.0**4,
}  # fmt: skip
_SECONDS: Final = {
    **dict.fromkeys(("µs", "μs"), 1e-6), "ms": 1e-3, **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0), **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0), **dict.fromkeys(("w", "week", "weeks"), 604_800.0),
}  # fmt: skip
TIME_UNITS: Final = {"s": 1.0, "ms": 1e-3, "m": 60.0, "h": 3600.0, "d": 86400.0}  # of a field -> seconds


def readings(text: str) -> Iterator[tuple[float, float]]:
    """What a text may stand for: (value, worth of its last digit)."""
    found = list(_NUMBER.finditer(text))
    for match in found:
        digits, part = re.sub(r"\D", "", match["whole"]), match["part"] or ""
        value = float(f"{digits}.{part or 0}") * 10 ** int(match["power"] or 0) * (-1 if match["sign"] else 1)
        last = 10.0 ** -len(part)
        yield value, last
        unit = match["unit"].lower()
        for scale in {_SCALES.get(unit, 1.0), 1024.0 ** {"kb": 1, "mb": 2, "gb": 3, "tb": 4}.get(unit, 0)}:
            yield value * scale, last * scale
        if unit in _SECONDS and len(found) == 1:
            yield value * _SECONDS[unit], last * _SECONDS[unit]
    units = [_SECONDS[match["unit"].lower()] for match in found if match["unit"].lower() in _SECONDS]
    if len(found) > 1 and len(units) == len(found):  # 3 min 5 s
        parts = [float(re.sub(r"\D", "", match["whole"]) + "." + (match["part"] or "0")) for match in found]
        yield sum(part * unit for part, unit in zip(parts, units, strict=True)), min(units)


def shows(text: str, value: float, unit: str = "", before: float | None = None) -> bool:
    """True where `text` is `value`, a figure of this unit of Grafana's, rounded to the digits that are there; of one that goes on
    with the clock, where it lies between `before` and `value`."""
    low, high = sorted((value, value if before is None else before))
    scales = {1.0} | ({100.0} if unit == "percentunit" else set()) | ({TIME_UNITS[unit]} if unit in TIME_UNITS else set())
    return any(
        low * scale - last * 1.0000001 <= found <= high * scale + last * 1.0000001
        for found, last in readings(text)
        for scale in scales
    )
