"""The lines about the sums that are kept of all facts: with the tail since their cut they are the facts, at every moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .lines import Line, equal


def sum_lines(sums: Mapping[str, Any], figures: Mapping[str, Any]) -> list[Line]:
    """Compare the totals that the dashboards show with the facts of the same moment, and what they rest on with each other."""
    tail = f"{sums['lines'] - sums['kept_lines']:,} lines are newer than the kept sums"
    kept = sums["kept_revenue"]
    return [
        equal(
            "lines in the totals = facts",
            sums["lines"],
            figures["fact_rows"],
            tail if sums["lines"] != sums["kept_lines"] else "",
        ),
        equal("revenue in the totals = facts", sums["revenue"], figures["fact_revenue"]),
        *(
            equal(f"kept revenue by {what} = kept total", sums[f"{what}_revenue"], kept)
            for what in ("category", "product", "customer")
        ),
    ]
