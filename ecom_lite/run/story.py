"""The fault story: a part is killed, late and broken events come, and the count closes again; told in chapters, by one thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from ..errors import EcomLiteError, UsageError
from ..observe.status import RunStatus
from ..observe.story import Telling
from ..settings.override import FAULTS, ShopOverride
from ..supervise.supervisor import Slot, Supervisor
from .shop_control import ShopControl
from .teller import Teller, chapters

VICTIMS: Final = ("load", "postgres")  # that a story may kill, and no others
NO_SHOP: Final = "this run has no simulated shop (shop.enabled is false): there would be no events to tell of"
TROUBLE: Final = {"late": 0.10, "malformed": 0.05, "duplicate": 0.05, "out_of_order": 0.05}
LIVELY_PER_S: Final = 20.0  # a slower shop sells so many orders a second while the story is told
CALM_LAG: Final = 500  # records; a loader that is back has caught up with all others
MOST_LATE_S: Final = 60.0  # where events may be held back for longer, none is: nobody waits for that
TITLES: Final = ("All is calm", "A part is killed", "It comes back", "Late, broken, twice", "The shop pauses", "The count")


@dataclass(frozen=True)
class Limits:
    """How long each chapter may take, in seconds; `trouble_s` is how long it does."""

    calm_s: float = 4.0
    back_s: float = 90.0
    trouble_s: float = 30.0
    settle_s: float = 90.0  # beyond the time that events may be held back
    poll_s: float = 0.25


class FaultStory:
    """At most one is told at a time. Methods may be called from any thread; none waits for the story but `stop`."""

    def __init__(
        self, supervisor: Supervisor, shop: ShopControl | None, status: Callable[[], RunStatus], late_s: float,
        limits: Limits = Limits(), teller: Teller | None = None,
    ) -> None:  # fmt: skip
        self._supervisor = supervisor
        self._shop = shop
        self._status = status
        self._limits = limits
        self._late_s = late_s
        self.teller = teller or Teller(poll_s=limits.poll_s)

    @property
    def parts(self) -> list[str]:
        """Those of VICTIMS that are processes of this run."""
        there = {slot.name for slot in self._supervisor.slots}
        return [name for name in VICTIMS if name in there]

    def telling(self) -> Telling:
        """As far as it has come; the last one, when none is told now."""
        return replace(self.teller.telling(), parts=self.parts)

    def begin(self, part: str) -> None:
        """Tell it. Raises UsageError for a part that is never killed, EcomLiteError where it cannot be told now."""
        if part not in VICTIMS:
            raise UsageError(f"part = {part[:40]!r}: a story kills one of {', '.join(VICTIMS)}")
        self.teller.begin(
            Telling(part=part, chapters=chapters(TITLES)), lambda: self._tell(part, self._there()), lambda: self._require(part)
        )

    def end(self) -> None:
        """End it early: what it has changed is put back. Safe when none is told."""
        self.teller.end()

    def stop(self) -> None:
        """The run ends: as `end`, and wait for it a few seconds. Safe to repeat."""
        self.teller.stop()

    def _there(self) -> ShopControl:
        if self._shop is None:
            raise EcomLiteError(NO_SHOP)
        return self._shop

    def _require(self, part: str) -> None:
        self._there()
        if part not in self.parts:
            raise EcomLiteError(f"{part} is no process of this run: it is a server of yours")
        now = self._status()
        if reasons := now.not_ready():
            raise EcomLiteError(f"not all is well now: {', '.join(f'{r.part} {r.detail}' for r in reasons)}; wait until it is")
        if now.history == "sending":
            raise EcomLiteError("the shop is still sending its past: wait until it has")

    def _tell(self, part: str, shop: ShopControl) -> str:
        before = shop.change(ShopOverride())
        try:
            return self._chapters(part, shop)
        finally:
            faults = {**dict.fromkeys(FAULTS, 0.0), **before.faults}
            shop.change(ShopOverride(rate=before.rate, paused=before.paused, faults=faults))

    def _chapters(self, part: str, shop: ShopControl) -> str:
        limits, start, teller = self._limits, self._status(), self.teller
        pace = shop.change(ShopOverride()).rate
        slow = (not isinstance(pace, str) and (pace or 0) < LIVELY_PER_S) or pace == "natural"
        with teller.chapter(0):
            text = f"{start.facts:,} order lines are in the warehouse, {start.lag:,} records wait."
            if slow:
                text += f" So that there is something to see, the shop sells {LIVELY_PER_S:g} orders a second for a while."
            teller.say(0, text)
            shop.change(ShopOverride(rate=LIVELY_PER_S if slow else None, paused=False))
            teller.let_pass(limits.calm_s)
        with teller.chapter(1):
            back = kill(teller, 1, self._supervisor, part, limits.back_s)
        with teller.chapter(2):
            await_back(teller, 2, back, self._status, limits.back_s)
        with teller.chapter(3):
            calm = self._status()
            late = self._late_s <= MOST_LATE_S
            faults = {name: share for name, share in TROUBLE.items() if late or name != "late"}
            shop.change(ShopOverride(faults=faults))
            teller.let_pass(
                limits.trouble_s,
                lambda left: teller.say(3, f"{_trouble(faults)} {_since(calm, self._status())} {left:.0f} s more."),
            )
            shop.change(ShopOverride(faults=dict.fromkeys(TROUBLE, 0.0)))
            teller.say(3, f"{_trouble(faults)} {_since(calm, self._status())}")
        with teller.chapter(4):
            shop.change(ShopOverride(paused=True))
            await_quiet(teller, 4, self._status, self._late_s + limits.settle_s)
        with teller.chapter(5):
            sent, sum_ = counted(start, self._status())
            teller.say(5, f"Since the story began: {sum_}.")
        return f"The count closes: of {sent:,} events none was lost, and none counted twice."


@dataclass(frozen=True)
class Killed:
    """A part of this run that was killed on purpose; `at` by the teller's clock."""

    part: str
    slot: Slot
    restarted: int  # how often before
    at: float

    def back(self) -> bool:
        return self.slot.restarted > self.restarted


def kill(teller: Teller, place: int, supervisor: Supervisor, part: str, limit_s: float) -> Killed:
    """SIGKILL, and wait until it is dead."""
    slot = supervisor.slot(part)
    killed = Killed(part, slot, slot.restarted, teller.clock())
    supervisor.kill(part)
    teller.say(place, f"The process of {part} got SIGKILL: no goodbye, whatever it was doing. Events go on coming in.")
    teller.until(lambda: slot.state != "ready" or killed.back(), limit_s, f"{part} did not die")
    return killed


def await_back(teller: Teller, place: int, killed: Killed, status: Callable[[], RunStatus], limit_s: float) -> None:
    """Until it is back, and has caught up."""
    most, part = 0, killed.part

    def back() -> bool:
        nonlocal most
        now = status()
        most = max(most, now.lag)
        teller.say(place, f"The supervisor starts it again; {now.lag:,} records wait meanwhile.")
        return killed.back() and not now.not_ready() and now.lag <= CALM_LAG

    teller.until(back, limit_s, f"{part} was not back and caught up in time")
    took = teller.clock() - killed.at
    away = f"{part} was away, and behind, for {took:.0f} s; up to {most:,} records waited."
    teller.say(place, f"{away} It went on where the last commit was.")


def await_quiet(teller: Teller, place: int, status: Callable[[], RunStatus], limit_s: float) -> None:
    """With the shop paused: until all that was held back has come, and nothing waits."""

    def quiet() -> bool:
        now = status()
        teller.say(place, f"Nothing new is sold. {now.held:,} events that were held back still come, {now.lag:,} records wait.")
        return now.paused and now.held == 0 and now.lag == 0 and _open(now) == 0

    teller.until(quiet, limit_s, "the last events did not arrive in time")
    teller.say(place, "All that was held back has come, and nothing waits any more.")


def counted(start: RunStatus, now: RunStatus) -> tuple[int, str]:
    """What was sent since then, and the sum that it is equal to, in words. Raises EcomLiteError where it is not."""
    sent = now.sent - (start.own + start.lost)  # what was on the way when it began belongs to it
    if sent + _others(now) - _others(start) != (now.records + now.lost) - (start.records + start.lost):
        raise EcomLiteError(f"the count does not close, {sent:,} events sent = {_parts_of(start, now)}: see `ecom_lite check`")
    return sent, f"{sent:,} events sent = {_parts_of(start, now)}"


def _trouble(faults: dict[str, float]) -> str:
    words = {
        "late": "come late",
        "malformed": "are sent once more, broken",
        "duplicate": "come twice",
        "out_of_order": "are overtaken",
    }
    return f"Of all events {', '.join(f'{share:.0%} {words[name]}' for name, share in faults.items())}."


def _since(then: RunStatus, now: RunStatus) -> str:
    return (
        f"So far {now.dead - then.dead:,} dead letters, {now.duplicates - then.duplicates:,} duplicates, {now.held:,} held back."
    )


def _others(status: RunStatus) -> int:
    return status.records - status.own


def _open(status: RunStatus) -> int:
    """The shop's events that no loader has counted yet."""
    return status.sent - status.own - status.lost


def _parts_of(then: RunStatus, now: RunStatus) -> str:
    names = {"facts": "order lines", "other": "other events", "duplicates": "duplicates", "dead": "dead letters"}
    counts = {words: getattr(now, name) - getattr(then, name) for name, words in names.items()}
    others = _others(now) - _others(then)
    return " + ".join(f"{count:,} {words}" for words, count in counts.items()) + (
        f" (of which {others:,} from others)" if others else ""
    )
