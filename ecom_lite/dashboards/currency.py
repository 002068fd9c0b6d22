"""The boards of one shop: copies of the bundled files, with the sign of its currency for the dollar's, and its time zone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from ..settings.data_dir import naming, write_plain

DOLLAR: Final = "currencyUSD"  # Grafana's name of the unit, as the bundled files have it
CURRENCY: Final = "currency:"  # ... and of one with any other sign, which follows
SIGNS: Final = {
    "AUD": "A$", "BRL": "R$", "CAD": "C$", "CNY": "CN\N{YEN SIGN}", "EUR": "\N{EURO SIGN}", "GBP": "\N{POUND SIGN}", "HKD": "HK$",
    "ILS": "\N{NEW SHEQEL SIGN}", "INR": "\N{INDIAN RUPEE SIGN}", "JPY": "\N{YEN SIGN}", "KRW": "\N{WON SIGN}", "MXN": "MX$",
    "NGN": "\N{NAIRA SIGN}", "NZD": "NZ$", "PHP": "\N{PESO SIGN}", "TRY": "\N{TURKISH LIRA SIGN}", "UAH": "\N{HRYVNIA SIGN}",
    "VND": "\N{DONG SIGN}",
}  # fmt: skip


def unit_of(currency: str) -> str:
    """Grafana's unit for amounts in an ISO 4217 currency: its sign, or its code, before the number."""
    return DOLLAR if currency == "USD" else CURRENCY + SIGNS.get(currency, f"{currency}\N{NO-BREAK SPACE}")


def write_boards(bundled: Path, folder: Path, currency: str, time_zone: str = "UTC") -> None:
    """Write the boards of `bundled` to `folder`, and no others, with amounts in `currency`. Raises OSError, which names the file.

    Where the shop has a time zone of its own, they show it; else the browser's, as the bundled ones do.
    """
    with naming(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for old in set(folder.glob("*.json")) - {folder / path.name for path in bundled.glob("*.json")}:
            old.unlink()
    for path in sorted(bundled.glob("*.json")):
        board = _with_unit(json.loads(path.read_text("utf-8")), unit_of(currency))
        if time_zone != "UTC":
            board["timezone"] = time_zone
        write_plain(folder / path.name, json.dumps(board, indent=2, ensure_ascii=False) + "\n")


def _with_unit(part: Any, unit: str) -> Any:
    if isinstance(part, dict):
        return {name: _with_unit(value, unit) for name, value in part.items()}
    if isinstance(part, list):
        return [_with_unit(value, unit) for value in part]
    return unit if part == DOLLAR else part
