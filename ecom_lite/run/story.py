"""The fault story: a part is killed, late and broken events come, and the count closes again; told in chapters, by one thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Any, Final

from msgspec.structs import replace

from ..errors import EcomLiteError, UsageError, first_line
from ..observe.status import RunStatus
from ..observe.story import DONE, FAILED, NOW, Chapter, Telling
from ..settings.override import FAULTS, ShopOverride
from ..supervise.supervisor import Supervisor
from .shop_control import ShopControl

log = logging.getLogger("ecom_lite.supervise")

VICTIMS: Final = ("load", "postgres")  # that a story may kill, and no others
NO_SHOP: Final = "this run has no simulated shop (shop.enabled is false): there would be no events to tell of"
TROUBLE: Final = {"late": 0.10, "malformed": 0.05, "duplicate": 0.05, "out_of_order": 0.05}
LIVELY_PER_S: Final = 20.0  # a slower shop sells so many orders a second while the story is told
CALM_LAG: Final = 500  # records; a loader that is back has caught up with all others
MOST_LATE_S: Final = 60.0  # where events may be held back for longer, none is: nobody waits for that
JOIN_S: Final = 5.0
TITLES: Final = ("All is calm", "A part is killed", "It comes back", "Late, broken, twice", "The shop pauses", "The count")


@dataclass(frozen=True)
class Limits:
    """How long each chapter may take, in seconds; `trouble_s` is how long it does."""

    calm_s: float = 4.0
    back_s: float = 90.0
    trouble_s: float = 30.0
    settle_s: float = 90.0  # beyond the time that events may be held back
    poll_s: float = 0.25


class _Ended(Exception):
    """Somebody has ended it, or the run ends."""


class FaultStory:
    """At most one is told at a time. Methods may be called from any thread; none waits for the story but `stop`."""

    def __init__(
        self, supervisor: Supervisor, shop: ShopControl | None, status: Callable[[], RunStatus], late_s: float,
        limits: Limits = Limits(), clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._supervisor = supervisor
        self._shop = shop
        self._status = status
        self._limits = limits
        self._late_s = late_s
        self._clock = clock
        self._lock = Lock()
        self._end = Event()
        self._thread: Thread | None = None
        self._telling = Telling()

    @property
    def parts(self) -> list[str]:
        """Those of VICTIMS that are processes of this run."""
        there = {slot.name for slot in self._supervisor.slots}
        return [name for name in VICTIMS if name in there]

    def telling(self) -> Telling:
        """As far as it has come; the last one, when none is told now."""
        with self._lock:
            return replace(self._telling, parts=self.parts)

    def begin(self, part: str) -> None:
        """Tell it. Raises UsageError for a part that is never killed, EcomLiteError where it cannot be told now."""
        if part not in VICTIMS:
            raise UsageError(f"part = {part[:40]!r}: a story kills one of {', '.join(VICTIMS)}")
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                raise EcomLiteError("a story is being told already: wait for its end, or end it")
            if self._shop is None:
                raise EcomLiteError(NO_SHOP)
            if part not in self.parts:
                raise EcomLiteError(f"{part} is no process of this run: it is a server of yours")
            now = self._status()
            if reasons := now.not_ready():
                raise EcomLiteError(
                    f"not all is well now: {', '.join(f'{r.part} {r.detail}' for r in reasons)}; wait until it is"
                )
            if now.history == "sending":
                raise EcomLiteError("the shop is still sending its past: wait until it has")
            self._end = Event()
            self._telling = Telling(state="telling", part=part, chapters=[Chapter(title=title) for title in TITLES])
            self._thread = Thread(target=self._tell, args=(part, self._shop, self._end), name="story", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """End it early: what it has changed is put back. Safe when none is told."""
        self._end.set()

    def stop(self) -> None:
        """The run ends: as `end`, and wait for it a few seconds. Safe to repeat."""
        self._end.set()
        thread = self._thread
        if thread is not None:
            thread.join(JOIN_S)

    def _tell(self, part: str, shop: ShopControl, end: Event) -> None:
        before = shop.change(ShopOverride())
        try:
            self._chapters(part, shop, end)
        except _Ended:
            self._close("ended", "Ended early. What it had changed is put back.")
        except EcomLiteError as error:
            self._close("failed", first_line(error))
        except Exception as error:
            log.exception("the story broke off")
            self._close("failed", first_line(error))
        finally:
            faults = {**dict.fromkeys(FAULTS, 0.0), **before.faults}
            shop.change(ShopOverride(rate=before.rate, paused=before.paused, faults=faults))

    def _chapters(self, part: str, shop: ShopControl, end: Event) -> None:
        limits, start = self._limits, self._status()
        pace = shop.change(ShopOverride()).rate
        slow = (not isinstance(pace, str) and (pace or 0) < LIVELY_PER_S) or pace == "natural"
        with self._chapter(0):
            text = f"{start.facts:,} order lines are in the warehouse, {start.lag:,} records wait."
            if slow:
                text += f" So that there is something to see, the shop sells {LIVELY_PER_S:g} orders a second for a while."
            self._say(0, text)
            shop.change(ShopOverride(rate=LIVELY_PER_S if slow else None, paused=False))
            self._pass(end, limits.calm_s)
        with self._chapter(1):
            slot = self._supervisor.slot(part)
            restarted, died = slot.restarted, self._clock()
            self._supervisor.kill(part)
            self._say(1, f"The process of {part} got SIGKILL: no goodbye, whatever it was doing. Events go on coming in.")
            self._until(end, lambda: slot.state != "ready" or slot.restarted > restarted, limits.back_s, f"{part} did not die")
        with self._chapter(2):
            most = 0

            def back() -> bool:
                nonlocal most
                now = self._status()
                most = max(most, now.lag)
                self._say(2, f"The supervisor starts it again; {now.lag:,} records wait meanwhile.")
                return slot.restarted > restarted and not now.not_ready() and now.lag <= CALM_LAG

            self._until(end, back, limits.back_s, f"{part} was not back and caught up in time")
            took = self._clock() - died
            away = f"{part} was away, and behind, for {took:.0f} s; up to {most:,} records waited."
            self._say(2, f"{away} It went on where the last commit was.")
        with self._chapter(3):
            calm = self._status()
            late = self._late_s <= MOST_LATE_S
            faults = {name: share for name, share in TROUBLE.items() if late or name != "late"}
            shop.change(ShopOverride(faults=faults))
            self._pass(
                end,
                limits.trouble_s,
                lambda left: self._say(3, f"{_trouble(faults)} {_since(calm, self._status())} {left:.0f} s more."),
            )
            shop.change(ShopOverride(faults=dict.fromkeys(TROUBLE, 0.0)))
            self._say(3, f"{_trouble(faults)} {_since(calm, self._status())}")
        with self._chapter(4):
            shop.change(ShopOverride(paused=True))

            def quiet() -> bool:
                now = self._status()
                self._say(
                    4, f"Nothing new is sold. {now.held:,} events that were held back still come, {now.lag:,} records wait."
                )
                return now.paused and now.held == 0 and now.lag == 0 and _open(now) == 0

            self._until(end, quiet, self._late_s + limits.settle_s, "the last events did not arrive in time")
            self._say(4, "All that was held back has come, and nothing waits any more.")
        with self._chapter(5):
            now = self._status()
            sent = now.sent - (start.own + start.lost)  # what was on the way when it began belongs to it
            self._say(5, f"Since the story began: {sent:,} events sent = {_parts_of(start, now)}.")
            if sent + _others(now) - _others(start) != (now.records + now.lost) - (start.records + start.lost):
                raise EcomLiteError("the count does not close: see `ecom_lite check`")
        self._close("closed", f"The count closes: of {sent:,} events none was lost, and none counted twice.")

    @contextmanager
    def _chapter(self, place: int) -> Iterator[None]:
        began = self._clock()
        self._put(place, state=NOW)
        try:
            yield
        except BaseException:
            self._put(place, state=FAILED, seconds=self._clock() - began)
            raise
        self._put(place, state=DONE, seconds=self._clock() - began)

    def _say(self, place: int, text: str) -> None:
        self._put(place, text=text)

    def _put(self, place: int, **changes: Any) -> None:
        with self._lock:
            chapters = [replace(one, **changes) if n == place else one for n, one in enumerate(self._telling.chapters)]
            self._telling = replace(self._telling, chapters=chapters)

    def _close(self, state: str, told: str) -> None:
        log.info("the story: %s", told)
        with self._lock:
            self._telling = replace(self._telling, state=state, told=told)

    def _pass(self, end: Event, seconds: float, look: Callable[[float], object] = lambda left: None) -> None:
        until = self._clock() + seconds
        while (left := until - self._clock()) > 0:
            look(left)
            if end.wait(min(left, self._limits.poll_s)):
                raise _Ended
        if end.is_set():
            raise _Ended

    def _until(self, end: Event, holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
        give_up = self._clock() + seconds
        while not holds():
            if self._clock() > give_up:
                raise EcomLiteError(f"{otherwise}: see the parts' logs")
            if end.wait(self._limits.poll_s):
                raise _Ended


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
