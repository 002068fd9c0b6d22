"""The end of a bounded run: stop the shop, load what is left, build the marts, take the count, and say what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ..check.reconcile import Report, reconcile
from ..observe.meter import Meter
from ..settings.tree import Settings
from ..terminal.terminal import Terminal
from .loaders import stop_all, wait_loaded
from .servers import Servers
from .services import Services
from .status import processes

COUNTED: Final = ("sent", "facts", "duplicates", "other", "dead", "foreign", "lost")


@dataclass(frozen=True)
class Ending:
    """Carried out once, while the servers are still up."""

    settings: Settings
    servers: Servers
    services: Services
    meter: Meter
    terminal: Terminal

    def carry_out(
        self, began: float, ready_s: float, *, doing: Callable[[str], None], measure: Callable[[], None]
    ) -> dict[str, Any]:
        """The summary, or {} where a part has failed for good meanwhile. `began` is in epoch seconds."""
        supervisor, reach = self.servers.supervisor, self.servers.reach
        doing("stopping the shop")
        supervisor.stop("produce")
        doing("loading what is left")
        ends = [reach.end_offsets()]  # the loaders drain up to here at least; others may go on sending
        # First all together: a loader that stops drains only what is its own, and a partition may be nobody's for a moment.
        limit_s = self.settings.run.stop_timeout_s
        wait_loaded(reach.address, reach.kafka.topic, ends[0], limit_s, supervisor.failed)
        stop_all(supervisor, [loader.name for loader in self.services.loaders])
        measure()
        if supervisor.failed.is_set():
            return {}
        doing("bringing the marts up to date")
        self.services.settle()
        doing("taking the count")
        report = reconcile(reach.address, reach.kafka.topic, lambda: ends.pop() if ends else reach.end_offsets(), producing=False)
        measure()
        self.meter.measure_memory(processes(supervisor))
        for line in report.lines:
            if not line.closes:
                self.terminal.say(f"does not close: {line.name}: {line.left} is not {line.right} {line.note}", "bold red")
        return self._summary(report, began, ready_s)

    def _summary(self, report: Report, began: float, ready_s: float) -> dict[str, Any]:
        figures, slots = report.figures, self.servers.supervisor.slots
        return {
            "closes": report.closes,
            "ready_s": round(ready_s, 1),
            **{name: int(figures[name]) for name in COUNTED},
            "revenue": str(figures["fact_revenue"]),
            "marts": int(figures["mart_lines"]),
            "gaps": [str(gap) for gap in self.meter.gaps],
            **self.meter.this_run(self.servers.reach.address, began),
            "rss_mb": round(self.meter.peak_memory / 1e6),
            "restarts": {slot.name: slot.restarted for slot in slots if slot.restarted},
            "seconds": round(time.time() - began, 1),
            "seed": self.settings.shop.seed,
            **self._past(),
        }

    def _past(self) -> dict[str, Any]:
        """For a shop with a history: its events, and the seconds from its first one to sent, loaded, and in the marts."""
        past = self.services.backfill
        if not past.expected:
            return {}
        return {"history_events": past.events, **{f"history_{what}_s": took for what, took in past.seconds.items()}}
