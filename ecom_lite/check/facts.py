"""The facts that checks compare with: what the lake holds and what came since; or all of them, from PostgreSQL."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .moment import Moment


class LakeLines(Protocol):
    """Order lines of one currency and UTC day, loaded after so many of the cuts."""

    @property
    def segment(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def day(self) -> date: ...
    @property
    def lines(self) -> int: ...
    @property
    def revenue(self) -> Decimal: ...


class Lake(AbstractContextManager[Any], Protocol):
    """One snapshot of the lake; `ecom_lite.lake.counted` is one."""

    problem: str
    below: int
    returns: int
    changes: int

    def sales(self, cuts: Sequence[int]) -> Sequence[LakeLines]: ...
    def converted(
        self, cuts: Sequence[int], rates: Iterable[tuple[str, date, Decimal]], decimals: int
    ) -> list[tuple[int, int, Decimal]]: ...


@dataclass(frozen=True)
class FromLake:
    """That the facts of a report are the lake's: how many, how many came since, and for how many seconds they have waited."""

    facts: int
    since: int
    behind_s: float

    def __str__(self) -> str:
        age = f", which is {self.behind_s:.1f} s behind: {self.since:,} facts since are PostgreSQL's" if self.since else ""
        return f"{self.facts:,} facts are read from the lake{age}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Facts:
    """What one moment reads of them, once. The lake's snapshot is older than the moment: all that is in it is there."""

    def __init__(self, moment: Moment, lake: Lake | None) -> None:
        self._moment = moment
        self._lake = lake
        self._sales: Sequence[LakeLines] | None = None
        self.told: FromLake | None = None

    def read(self, anew: bool) -> str:
        """As JSON, by cut of the dbt runs. `anew`: all from PostgreSQL."""
        found, since = ([], 0) if anew or self._lake is None or not self._kept() else self._of_lake(self._lake)
        values = {"facts_of_lake": json.dumps(found, default=str), "facts_since": str(since)}
        if since:
            ((newer, seconds),) = self._moment.rows("since_lake", below=since)
            self.told = FromLake(sum(part["lines"] for part in found), newer, round(seconds or 0.0, 2))
        return self._moment.json("facts", **values)

    def lake(self) -> dict[str, Any]:
        """What the lake holds, by currency."""
        lake = self._lake
        if lake is None:
            return {"problem": "there is none"}
        lines: Counter[str] = Counter()
        revenue: dict[str, Decimal] = {}
        for found in self._read_sales(lake):
            lines[found.currency] += found.lines
            revenue[found.currency] = revenue.get(found.currency, Decimal(0)) + found.revenue
        if lake.problem:
            return {"problem": lake.problem}
        sales = [{"currency": currency, "lines": lines[currency], "revenue": revenue[currency]} for currency in lines]
        return {"below": lake.below, "sales": sales, "returns": lake.returns, "changes": lake.changes}

    def _kept(self) -> bool:
        """Whether facts were only ever added: else the lake may have some as they were."""
        ((_, changed),) = self._moment.rows("kept")
        return not changed

    def _of_lake(self, lake: Lake) -> tuple[list[dict[str, Any]], int]:
        sales = self._read_sales(lake)
        ((reporting, decimals),) = self._moment.rows("reporting")
        parts = [
            {"segment": one.segment, "lines": one.lines, "priced": one.lines if one.currency == reporting else 0,
             "revenue": one.revenue if one.currency == reporting else 0}
            for one in sales
        ]  # fmt: skip
        pairs = [{"currency": one.currency, "day": one.day} for one in sales if one.currency != reporting]
        if pairs:
            found = self._moment.rows("rates_on", pairs=json.dumps(pairs, default=str))
            rates = {(currency, day): rate for currency, day, rate in found if rate is not None}
            converted = lake.converted(self._cuts(), ((*pair, rate) for pair, rate in rates.items()), decimals)
            parts += [
                {"segment": segment, "lines": 0, "priced": priced, "revenue": worth} for segment, priced, worth in converted
            ]
        return ([], 0) if lake.problem or not lake.below else (parts, lake.below)

    def _read_sales(self, lake: Lake) -> Sequence[LakeLines]:
        if self._sales is None:
            self._sales = lake.sales(self._cuts())
        return self._sales

    def _cuts(self) -> list[int]:
        return sorted(int(run["load_xid_below"]) for run in json.loads(self._moment.value("runs")))
