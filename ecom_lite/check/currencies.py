"""The line about amounts: each order line is worth something in the reporting currency, or is named as one without a rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from ..warehouse.currency import Missing, tell_missing
from .lines import Line, equal

OF_OTHER_RATES: Final = "the rates have changed since: `ecom_lite refresh` builds the marts anew"


def currency_line(currencies: Mapping[str, Any], figures: dict[str, Any]) -> Line:
    """Add `reporting_currency` and `missing_rates` to the figures. What has no rate is counted, and is no difference."""
    missing = [
        Missing(m["currency"], m["reporting"], m["lines"], date.fromisoformat(m["first_day"]), date.fromisoformat(m["last_day"]))
        for m in currencies["missing"]
    ]
    figures["reporting_currency"] = currencies["reporting"]
    figures["missing_rates"] = [dict(m._asdict()) for m in missing]
    counted = figures["priced_rows"] + sum(m.lines for m in missing)
    name = f"lines with an amount in {currencies['reporting']} + without a rate = facts"
    return equal(name, counted, figures["fact_rows"], tell_missing(missing))


def of_other_rates(lines: list[Line], currencies: Mapping[str, Any]) -> list[Line]:
    """The lines of the marts, those that are open with the reason, where it is that rates have changed."""
    if not currencies["marts_of_other_rates"]:
        return lines
    return [one if one.closes else replace(one, note=OF_OTHER_RATES) for one in lines]
