"""What the tests of alerts share: an evaluator on the test's warehouse, moved on by simulated times, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ecom_lite.alerts.delivery import Delivery
from ecom_lite.alerts.evaluator import Evaluator, Limits
from ecom_lite.alerts.question import Given
from ecom_lite.alerts.rules import Rule, read_rule, read_rules
from ecom_lite.settings.bundled import bundled
from ecom_lite.warehouse.connect import Address
from tests.unit.alerts.rule_text import rule_text

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def shipped(*names: str, **changes: Any) -> list[Rule]:
    """Rules that come with the program, some of them changed."""
    return [rule.model_copy(update=changes) for rule in read_rules(bundled("alerts")) if not names or rule.name in names]


def own(folder: Path, **changes: object) -> Rule:
    """A rule of a user's."""
    file = folder / f"{changes.get('name', 'mine')}.toml"
    file.write_text(rule_text(**changes), "utf-8")
    return read_rule(file)


class Watch:
    """An evaluator whose clock is the test's."""

    def __init__(
        self, warehouse: Address, rules: Sequence[Rule], data_dir: Path, *, up_since: datetime = LONG_AGO,
        deliveries: Sequence[tuple[str, Delivery]] = (), marts_every_s: float = 300, timeout_s: float = 60, zone: str = "UTC",
    ) -> None:  # fmt: skip
        limits = Limits(every_s=0, timeout_s=timeout_s, zone=zone, given=Given(marts_every_s=marts_every_s))
        self.warehouse = warehouse

        def wake() -> None:
            for _, delivery in deliveries:
                delivery.wake()

        self.evaluator = Evaluator(warehouse, rules, limits, data_dir, up_since, [name for name, _ in deliveries], wake)

    def states(self, now: datetime) -> dict[str, str]:
        """After one round at this moment."""
        self.evaluator.round(now)
        return {name: alert.state for name, alert in self.evaluator.figures.items()}

    def state(self, now: datetime, rule: str) -> str:
        return self.states(now)[rule]

    def over(self, start: datetime, end: datetime, every: timedelta) -> list[tuple[str, str, datetime]]:
        """(rule, state, when) of each change between two moments, with a round every so often."""
        known: dict[str, str] = {}
        found = []
        while start <= end:
            for rule, state in self.states(start).items():
                if known.get(rule) != state:
                    found.append((rule, state, start))
                known[rule] = state
            start += every
        return found

    def settled(self, start: datetime, end: datetime, every: timedelta) -> list[tuple[str, datetime]]:
        """The same of the one rule without what is on the way: a "pending" that passes leaves things as they were."""
        found: list[tuple[str, datetime]] = []
        for _, state, at in self.over(start, end, every):
            if state != "pending" and (not found or found[-1][0] != state):
                found.append((state, at))
        return found

    def changes(self) -> list[tuple[str, str | None, str]]:
        with self.warehouse.connect("ecom_reader") as reader:
            return [tuple(row) for row in reader.execute("SELECT rule, before, after FROM ops.alert_changes ORDER BY change_id")]
