"""The demo: a shop's past, its present, a promotion, a fault, a kill, an alert and the count, done step by step and told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg

from ..contract.events import utc_now
from ..errors import EcomLiteError
from ..observe.status import RunStatus
from ..observe.story import Chapter, Telling
from ..settings.override import FAULTS, ShopOverride
from ..supervise.supervisor import Supervisor
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .shop_control import ShopControl
from .story import Killed, await_back, await_quiet, counted, kill
from .teller import Teller

RATE: Final = 20.0  # orders a second, live
CAMPAIGN_RATE: Final = 60.0
HISTORY: Final = "28d"
SHORT_HISTORY: Final = "7d"  # for who has no time
PROMOTED: Final = "Electronics"
DISCOUNT: Final = 0.3
VICTIM: Final = "load"
ALERT: Final = "dead_letters"
# Of the settings: what a demo needs to be one. The rules of demo_alerts take the place of those with their names.
SETTINGS: Final[Mapping[str, Any]] = {
    "shop.rate": RATE, "shop.history": HISTORY, "faults.late_s": 8.0, "transform.every_s": 60,
    "alerts.folder": Path(__file__).parent / "demo_alerts",
}  # fmt: skip

LIVE_LINES: Final = 60  # order lines that must have come, each of them more than there were
SALE_LINES: Final = 400
TWICE: Final = 15
TROUBLE: Final = {"late": 0.2, "duplicate": 0.1, "out_of_order": 0.1}
BROKEN: Final = 0.1
NO_FAULTS: Final = ShopOverride(faults=dict.fromkeys(FAULTS, 0.0))

REALTIME: Final = "/d/realtime-operations"
# title, what happens now ({days}: of history), where to look, and the path there
STEPS: Final = (
    (
        "The past",
        "A shop of 300 products sends its past, {days} days, at full speed. It is loaded, and the marts are built from it.",
        "the board Business Intelligence, which fills",
        "/d/business-intelligence",
    ),
    (
        "Live",
        f"From here the shop sells {RATE:g} orders a second. Each goes through Kafka into the warehouse.",
        "Real-Time Operations: orders per minute, and the delay to the warehouse",
        REALTIME,
    ),
    (
        "A promotion",
        f"{PROMOTED} are {DISCOUNT:.0%} off from the next order on, and the campaign brings {CAMPAIGN_RATE:g} orders a second.",
        "Real-Time Operations: revenue per minute by category",
        REALTIME,
    ),
    (
        "Late and twice",
        "Of the events 20% come late, 10% twice, 10% out of order. The way is disturbed; the shop is not.",
        "the start page, The count: duplicates, taken once",
        "/",
    ),
    (
        "A kill",
        f"The process that loads ({VICTIM}) gets SIGKILL, in the middle of its work. Events go on coming in.",
        "the start page: the loader's box, and the records that wait in Kafka",
        "/",
    ),
    (
        "It comes back",
        "Nobody does anything: the supervisor starts it again, and it goes on where the last commit was.",
        "the start page: the loader is well again, and nothing waits",
        "/",
    ),
    (
        "An alert",
        "10% of the events are sent once more, broken. They become dead letters with their reason, and an alert watches them.",
        "the start page: Alerts",
        "/",
    ),
    (
        "The count",
        "All faults are off, and the shop pauses. Every event that was ever sent must now be accounted for, exactly once.",
        "the start page: The count",
        "/",
    ),
)


@dataclass(frozen=True)
class Limits:
    """Seconds that a step may take until it shows, and how long it is left to be looked at."""

    step_s: float = 120.0
    settle_s: float = 120.0
    look_s: float = 0.0
    poll_s: float = 0.25


class Demo:
    """Told by the run's one teller. A step that fails is said, and the next one goes on; `failed` has their titles.

    `past` are the seconds that sending, loading and building took, as far as they are over; `go_on` is asked after each step, and
    waits until somebody wants the next one.
    """

    def __init__(
        self, teller: Teller, supervisor: Supervisor, shop: ShopControl, status: Callable[[], RunStatus],
        where: Callable[[], Address],
        past: Callable[[], Mapping[str, float]], days: int, limits: Limits = Limits(),
        go_on: Callable[[Teller], None] = lambda teller: None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:  # fmt: skip
        self._teller = teller
        self._supervisor = supervisor
        self._shop = shop
        self._status = status
        self._where = where
        self._past = past
        self._days = days
        self._limits = limits
        self._go_on = go_on
        self._clock = clock
        self._killed: Killed | None = None
        self._afterwards = ShopOverride()
        self.failed: list[str] = []

    @property
    def over(self) -> bool:
        return self._teller.telling().state not in ("none", "telling")

    @property
    def well(self) -> bool:
        """No step has failed; ended by hand is no failure."""
        return self._teller.telling().state != "failed"

    def begin(self) -> None:
        """Returns at once."""
        steps = [Chapter(title=title, look=look, link=link) for title, _, look, link in STEPS]
        self._teller.begin(Telling(kind="demo", chapters=steps), self._tell)

    def _tell(self) -> str:
        start = RunStatus()  # nothing: the folder is new
        tell: list[Callable[[int], None]] = [
            self._past_step, self._live, self._promotion, self._trouble, self._kill, self._back, self._alert,
            lambda place: self._count(place, start),
        ]  # fmt: skip
        for place, step in enumerate(tell):
            try:
                with self._teller.chapter(place, STEPS[place][1].format(days=self._days)):
                    step(place)
                if step != self._kill:  # how it comes back is watched at once: its seconds are not those of who looks on
                    self._teller.let_pass(self._limits.look_s)
                    self._go_on(self._teller)
            except (EcomLiteError, psycopg.Error):  # the chapter has said why
                self.failed.append(STEPS[place][0])
            finally:  # only now: what it has begun is still there to be looked at
                self._take_back()
        if self.failed:
            raise EcomLiteError(f"{len(self.failed)} of {len(STEPS)} steps failed: {', '.join(self.failed)}")
        return "The count closes. `ecom_lite check` takes it now once more, from the broker's own offsets to the last mart."

    def _past_step(self, place: int) -> None:
        self._teller.until(
            lambda: {"sent", "loaded", "marts"} <= self._past().keys(), self._limits.step_s, "the past is not in the marts"
        )
        took, now = self._past(), self._status()
        self._teller.say(
            place,
            f"{now.facts:,} order lines and {now.other:,} other events: sent after {took['sent']:.0f} s, loaded after"
            f" {took['loaded']:.0f} s, in the marts after {took['marts']:.0f} s.",
        )  # fmt: skip

    def _live(self, place: int) -> None:
        before = self._status().facts
        self._shop.change(ShopOverride(rate=RATE, paused=False))
        self._more(lambda now: now.facts >= before + LIVE_LINES, "no orders arrive")
        now = self._status()
        self._teller.say(
            place, f"{now.facts - before:,} order lines have come meanwhile; {now.delay_ms:,} ms from the shop to the warehouse."
        )

    def _promotion(self, place: int) -> None:
        began = self._clock()
        self._do(
            ShopOverride(rate=CAMPAIGN_RATE, campaigns={PROMOTED: DISCOUNT}), ShopOverride(rate=RATE, campaigns={PROMOTED: 0.0})
        )
        self._more(lambda now: PROMOTED in now.campaigns, "the shop does not begin the promotion")
        before = self._share(began - timedelta(days=7), began)
        begun, during = self._clock(), (0, 0)

        def seen(_: RunStatus) -> bool:
            nonlocal during
            during = self._share(begun, self._clock())
            return during[1] >= SALE_LINES

        self._more(seen, "its orders do not arrive")
        self._teller.say(
            place,
            f"{PROMOTED} were {_percent(before)} of all order lines in the week before, and are {_percent(during)} of the"
            f" {during[1]:,} since it began.",
        )

    def _trouble(self, place: int) -> None:
        before, held = self._status(), 0
        self._do(ShopOverride(faults=TROUBLE), NO_FAULTS)

        def seen(now: RunStatus) -> bool:
            nonlocal held
            held = max(held, now.held)
            return now.duplicates >= before.duplicates + TWICE and held > 0

        self._more(seen, "nothing comes late or twice")
        now = self._status()
        self._teller.say(
            place,
            f"{now.duplicates - before.duplicates:,} came twice, and were counted once; up to {held:,} were held back at a time."
            " Facts and marts are the same as without.",
        )

    def _kill(self, place: int) -> None:
        self._killed = None
        self._killed = kill(self._teller, place, self._supervisor, VICTIM, self._limits.step_s)

    def _back(self, place: int) -> None:
        if self._killed is None:
            raise EcomLiteError("nothing was killed: there is nothing that could come back")
        await_back(self._teller, place, self._killed, self._status, self._limits.step_s)

    def _alert(self, place: int) -> None:
        before, began = self._status().dead, self._teller.clock()
        self._do(ShopOverride(faults={"malformed": BROKEN}), NO_FAULTS)
        self._more(lambda now: ALERT in now.alerts and now.alerts[ALERT].state == "firing", "no alert fires")
        now = self._status()
        alert = now.alerts[ALERT]
        self._teller.say(
            place,
            f"{alert.title}: {alert.told}. It fired {self._teller.clock() - began:.0f} s after the first broken event, at"
            f" {now.dead - before:,} dead letters. What to do: {alert.what_to_do}",
        )

    def _count(self, place: int, start: RunStatus) -> None:
        self._shop.change(ShopOverride(paused=True, faults=NO_FAULTS.faults))
        await_quiet(self._teller, place, self._status, self._limits.settle_s)
        self._teller.say(place, f"{counted(start, self._status())[1]}.")

    def _do(self, change: ShopOverride, back: ShopOverride) -> None:
        """`back` is what takes it back, once the step is over."""
        self._afterwards = back
        self._shop.change(change)

    def _take_back(self) -> None:
        back, self._afterwards = self._afterwards, ShopOverride()
        self._shop.change(back)

    def _more(self, holds: Callable[[RunStatus], bool], otherwise: str) -> None:
        self._teller.until(lambda: holds(self._status()), self._limits.step_s, otherwise)

    def _share(self, since: datetime, until: datetime) -> tuple[int, int]:
        """Order lines of what is promoted, and all."""
        with self._where().connect("ecom_reader") as reader:
            row = reader.execute(
                read_sql(__package__, "demo_share"), {"category": PROMOTED, "since": since, "until": until}
            ).fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)


def _percent(share: tuple[int, int]) -> str:
    return f"{share[0] / max(1, share[1]):.0%}"
