"""The end of a bounded run: stop the shop, load what is left, build the marts, take the count, and say what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from ..check.reconcile import Report, reconcile
from ..lake.counted import Counted
from ..lake.level import wait_level
from ..observe.meter import Meter
from ..settings.tree import Settings
from ..terminal.terminal import Terminal
from .loaders import stop_all, wait_loaded
from .servers import Servers
from .services import Services
from .status import processes

COUNTED: Final = ("sent", "facts", "duplicates", "other", "dead", "foreign", "lost")
# What the words of the summary mean: docs/summary.md is made of it. The last four are there only for a run that sends a past.
WORDS: Final = {
    "closes": "Whether the count closes: every line of `ecom_lite check`. The exit code is 1 where it is false.",
    "ready_s": "Seconds from the start until every part was ready.",
    "sent": "Records that the broker has acknowledged to the simulated shop, those sent wrong on purpose included.",
    "facts": "Order lines in `warehouse.fact_sales`.",
    "duplicates": "Records whose row was there already.",
    "other": "Events that are no order lines: cancellations, returns, customers' profiles.",
    "dead": "Records that broke the contract: rows of `ops.dead_letters`.",
    "foreign": "Records on the topic that the shop has not sent, whatever became of them.",
    "lost": "Offsets that Kafka's retention removed before they were loaded.",
    "revenue": "Sum of the facts' revenue, exact, as text.",
    "marts": "Order lines that the marts hold: `facts`, when they are up to date.",
    "lake": "Order lines that the lake holds: `facts`; not there with `lake.enabled = false`.",
    "gaps": "The ranges of the lost offsets, each in words; `[]` where there are none.",
    "dbt_runs": "Runs of dbt in this run, without those that ended in an error.",
    "load_rate": "Records loaded a second in this run, from the time that Kafka has for the first one to the last commit.",
    "rss_mb": "The most memory that all processes held together, in MB of 1,000,000 bytes, shared pages counted in each.",
    "restarts": "How often each part was started again, by its name; `{}` where none was.",
    "seconds": "Seconds from the start until the count was taken.",
    "seed": "The seed of the simulated shop.",
    "history_events": "Events of the past.",
    "history_sent_s": "Seconds from the first event of the past until all were sent.",
    "history_loaded_s": "Seconds from the first event of the past until all were loaded.",
    "history_marts_s": "Seconds from the first event of the past until all were in the marts.",
}


@dataclass(frozen=True)
class Ending:
    """Carried out once, while the servers are still up."""

    settings: Settings
    servers: Servers
    services: Services
    meter: Meter
    terminal: Terminal

    def carry_out(
        self, began: float, since: float, ready_s: float, *, doing: Callable[[str], None], measure: Callable[[], None]
    ) -> dict[str, Any]:
        """The summary, or {} where a part has failed for good meanwhile. `began` is in epoch seconds, `since` the same of
        time.monotonic()."""
        supervisor, reach = self.servers.supervisor, self.servers.reach
        doing("stopping the shop")
        supervisor.stop("produce")
        doing("loading what is left")
        ends = [reach.end_offsets()]  # the loaders drain up to here at least; others may go on sending
        # First all together: a loader that stops drains only what is its own, and a partition may be nobody's for a moment.
        limit_s = self.settings.run.stop_timeout_s
        wait_loaded(reach.address, ends[0], limit_s, supervisor.failed)
        stop_all(supervisor, [loader.name for loader in self.services.loaders])
        measure()
        if supervisor.failed.is_set():
            return {}
        doing("bringing the marts up to date")
        self.services.settle()
        if self.settings.lake.enabled:
            doing("bringing the lake up to date")
            if not wait_level(reach.address, limit_s + self.settings.lake.every_s, supervisor.failed):
                self.terminal.say("the lake has not taken in all facts: `ecom_lite logs lake` says why", "bold yellow")
        doing("taking the count")
        report = reconcile(
            reach.address, reach.topics, lambda: ends.pop() if ends else reach.end_offsets(), producing=False,
            lake=partial(Counted, reach.address) if self.settings.lake.enabled else None,
        )  # fmt: skip
        measure()
        self.meter.measure_memory(processes(supervisor))
        for line in report.lines:
            if not line.closes:
                self.terminal.say(f"does not close: {line.name}: {line.left} is not {line.right} {line.note}", "bold red")
        return self._summary(report, began, since, ready_s)

    def _summary(self, report: Report, began: float, since: float, ready_s: float) -> dict[str, Any]:
        figures, slots = report.figures, self.servers.supervisor.slots
        return {
            "closes": report.closes,
            "ready_s": round(ready_s, 1),
            **{name: int(figures[name]) for name in COUNTED},
            "revenue": str(figures["fact_revenue"]),
            "marts": int(figures["mart_lines"]),
            **({"lake": int(figures.get("lake_lines", 0))} if self.settings.lake.enabled else {}),
            "gaps": [str(gap) for gap in self.meter.gaps],
            **self.meter.this_run(self.servers.reach.address, began),
            "rss_mb": round(self.meter.peak_memory / 1e6),
            "restarts": {slot.name: slot.restarted for slot in slots if slot.restarted},
            "seconds": round(time.monotonic() - since, 1),
            "seed": self.settings.shop.seed,
            **self._past(),
        }

    def _past(self) -> dict[str, Any]:
        """For a shop with a history: its events, and the seconds from its first one to sent, loaded, and in the marts."""
        past = self.services.backfill
        if not past.expected:
            return {}
        return {"history_events": past.events, **{f"history_{what}_s": took for what, took in past.seconds.items()}}
