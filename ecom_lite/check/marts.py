"""The lines about the marts: each holds exactly the facts below the cut of one dbt run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from .lines import Line, equal


@dataclass(frozen=True)
class Cut:
    """One dbt run, and the facts below its cut."""

    run_id: int
    status: str
    lines: int
    revenue: Decimal


def mart_lines(
    marts: Mapping[str, Any] | None, attributes: Sequence[Mapping[str, Any]], cuts: Sequence[Cut], figures: dict[str, Any]
) -> list[Line]:
    """Compare, and add `mart_lines` to the figures.

    `cuts` are those of the last good run and of the runs since. A run commits model by model: while one is at work, or after one
    that failed, a mart may have come further than the last good run. It must still hold what one of them has taken, to the cent.
    """
    figures["mart_lines"] = 0 if marts is None else int(marts["mart_lines"])
    if marts is None:
        return [Line("marts = facts", "no dbt run yet", "", figures["fact_rows"] == 0, "run `ecom_lite refresh`")]
    good = min(cuts, key=lambda cut: cut.run_id)
    lines, revenue = marts["mart_lines"], marts["daily_revenue"]
    daily = _held(cuts, lambda cut: (cut.lines, cut.revenue) == (lines, revenue)) or _held(cuts, lambda cut: cut.lines == lines)
    daily = daily or good
    found = [
        equal("lines in daily_sales = facts", lines, daily.lines, _note(daily, figures["fact_rows"] - daily.lines)),
        equal("revenue in daily_sales = facts", revenue, daily.revenue),
    ]
    for mart, value in (("product_performance", marts["product_revenue"]), ("customer_ltv", marts["customer_revenue"])):
        cut = _held(cuts, partial(_sums_to, value)) or good
        found.append(equal(f"revenue in {mart} = facts", value, cut.revenue, _note(cut, 0) if cut is not daily else ""))
    if attributes:
        found.append(_attribute_line(attributes, cuts, good))
    return found


def _attribute_line(attributes: Sequence[Mapping[str, Any]], cuts: Sequence[Cut], good: Cut) -> Line:
    """Each attribute must hold a cut's facts: one line of all, of the first that does not, by its name."""

    def cut_of(one: Mapping[str, Any]) -> Cut | None:
        return _held(cuts, lambda cut: (cut.lines, cut.revenue) == (one["lines"], one["revenue"]))

    one = next((one for one in attributes if cut_of(one) is None), attributes[0])
    cut = cut_of(one)
    expected = cut or good
    found = f"{one['attribute']}: {one['lines']:,} of {expected.lines:,} lines"
    note = found if cut is None else f"by each attribute ({len(attributes)})"
    return Line("revenue in sales_by_attribute = facts", one["revenue"], expected.revenue, cut is not None, note)


def _sums_to(revenue: Decimal, cut: Cut) -> bool:
    return cut.revenue == revenue


def _held(cuts: Sequence[Cut], holds: Callable[[Cut], bool]) -> Cut | None:
    return next((cut for cut in sorted(cuts, key=lambda cut: cut.run_id) if holds(cut)), None)


def _note(cut: Cut, newer: int) -> str:
    state = {"running": ", which is at work", "error": ", which failed"}.get(cut.status, "")
    return f"of dbt run {cut.run_id}{state}" + (f"; {newer:,} facts are newer" if newer else "")
