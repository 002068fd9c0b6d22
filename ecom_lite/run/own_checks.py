"""The user's own checks in a run: taken again and again, with the newest result of each for the status and the metrics."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from msgspec.structs import asdict

from ..contract.events import utc_now
from ..observe.figures import CheckFigures
from ..settings.tree import Settings
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql

if TYPE_CHECKING:
    from ..supervise.schedule import Schedule

WELL: Final = ("pass", "skipped")
FORGOTTEN_WITHIN_S: Final = 5.0
TOLD_CHARS: Final = 1_000  # of a row that differs: it is in the status, which is written each second
ROLE: Final = "ecom_stream"
log = logging.getLogger("ecom_lite.check")


class OwnChecks:
    """`take` runs all .sql files of check.folder, as they are now; `where` is asked once the warehouse is up."""

    def __init__(self, settings: Settings, where: Callable[[], Address]) -> None:
        self._settings = settings
        self._where = where
        self.figures: Mapping[str, CheckFigures] = {}  # by the name of the check; replaced whole, for any thread

    def register(self, schedule: Schedule) -> None:
        """Without check.every_s nobody takes them any more: what was found the last time must not go on firing an alert."""
        if self._settings.check.every_s is not None:
            schedule.every("your own checks", self._settings.check.every_s, self.take)
        else:
            schedule.when("no checks of your own", FORGOTTEN_WITHIN_S, lambda: True, self._keep)

    def take(self) -> None:
        """One round; one that begins to fail is logged, and so is its mending. Raises where the warehouse does not answer."""
        from ..check.named import own_checks
        from ..check.reconcile import reconcile

        wanted = self._settings.check
        checks = own_checks(wanted.folder)
        if not checks:
            self.figures = {}
            self._keep()
            return
        reader = self._where().only("ecom_reader")
        report = reconcile(
            reader, [], dict, producing=False, catch_up_s=0, checks=checks, own_timeout_s=wanted.timeout_s
        )  # fmt: skip
        before, at = self.figures, utc_now().isoformat()
        self.figures = {
            result.check.name: CheckFigures(
                state=result.state,
                severity=result.check.severity,
                at=at,
                seconds=result.seconds,
                told=" ".join(result.told.split())[:TOLD_CHARS],
            )
            for result in report.results
        }
        self._keep()
        for name, now in self.figures.items():
            was_well = name not in before or before[name].state in WELL
            if was_well and now.state not in WELL:
                log.log(logging.ERROR if now.severity == "error" else logging.WARNING, "check %s fails: %s", name, now.told)
            elif not was_well and now.state in WELL:
                log.info("check %s passes again", name)

    def _keep(self) -> None:
        """In ops.check_results, where an alert looks."""
        kept = [{"name": name, **asdict(figures)} for name, figures in self.figures.items()]
        with self._where().connect(ROLE) as writer:
            writer.execute(read_sql(__package__, "forget_checks"), {"names": list(self.figures)})
            writer.cursor().executemany(read_sql(__package__, "keep_check"), kept)
