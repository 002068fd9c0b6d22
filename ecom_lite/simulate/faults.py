"""Faults at data level: which events are held back, sent twice or also sent broken, and when each record goes out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from heapq import heappop, heappush
from itertools import chain
from typing import Final
from zlib import crc32

from msgspec.structs import replace

from ..settings.tree import Faults as FaultSettings
from .malformed import MALFORMED, kinds_for
from .outgoing import Outgoing, identity

MAX_HELD: Final = 20_000  # late events in memory; beyond that those that are due first go early
MOST_OVERTAKING: Final = 20  # events that pass one that is out of order
SOONEST_S: Final = 1.0  # a late event is at least so late, where late_s allows it
STILL_S: Final = 10.0  # nothing has passed for so long: what waits to be overtaken goes all the same
SPREAD: Final = 2  # one of so many duplicates and broken copies comes some events later, the others at once

_SLOTS: Final = 32  # more than MOST_OVERTAKING + 2: what is put into one is never asked for too early
_MASK: Final = (1 << 64) - 1
_BITS: Final = 21  # of the draw of each fault: shares are exact to a two-millionth
_ONE: Final = 1 << _BITS
_FIELD: Final = _ONE - 1


class Faults:
    """Goes between the shop and the broker. For one thread; `settings` may be assigned at any time.

    Which events are hit, and how, is a function of (seed, identity of the event, ratios): the same again after a restart,
    and a higher ratio hits all that a lower one hits. The shop's own events all come out, each once, whatever the faults:
    late and out_of_order only delay them. Duplicates and broken copies are extras, and never precede their original.
    Times are seconds of any clock that does not go backwards.
    """

    def __init__(self, seed: int, settings: FaultSettings) -> None:
        self._salt = crc32(b"ecom_lite faults %d" % seed)
        self._seed = seed
        self._token = 0  # numbers what is held, in the order of the stream
        self._late: dict[int, Outgoing] = {}
        self._due: list[tuple[float, int]] = []  # a heap of (time, token)
        self._slots: list[list[tuple[int, Outgoing]]] = [[] for _ in range(_SLOTS)]  # ... of events passed, modulo _SLOTS
        self._waiting = 0  # in the slots
        self._passed = 0
        self._last_s = float("-inf")  # when something last passed
        self.settings = settings

    @property
    def settings(self) -> FaultSettings:
        return self._settings

    @settings.setter
    def settings(self, settings: FaultSettings) -> None:
        """What is held stays held; what comes from now on is hit by the new ratios."""
        self._settings = settings
        # Both ends of one draw: shares up to a half each never meet, so that an event gets at most one delay.
        self._late_below = round(settings.late * _ONE)
        self._out_of_order_from = _ONE - round(settings.out_of_order * _ONE)
        self._duplicate_below = round(settings.duplicate * _ONE)
        self._malformed_below = round(settings.malformed * _ONE)
        self._copies = bool(self._duplicate_below or self._malformed_below)
        self._hits = self._copies or self._late_below > 0 or self._out_of_order_from < _ONE

    @property
    def held(self) -> int:
        """How many records are held back now."""
        return len(self._late) + self._waiting

    @property
    def lowest(self) -> int | None:
        """The lowest order sequence among those held; None where nothing is."""
        return min((event.sequence for event in self._held()), default=None)

    def _held(self) -> Iterator[Outgoing]:
        # The late ones stand in the order of the stream: the first is the lowest.
        late = (next(iter(self._late.values())),) if self._late else ()
        return chain(late, (event for slot in self._slots for _, event in slot))

    def take(self, events: list[Outgoing], now_s: float) -> list[Outgoing]:
        """What to send now: those due from before, and of `events` (the stream, in order) what is not held back, with extras.

        The same list, where nothing is to be done to it.
        """
        if not (self._hits or self._late or self._waiting):
            return events
        out: list[Outgoing] = []
        self._release_late(out, now_s)
        late_below, out_of_order_from, copies = self._late_below, self._out_of_order_from, self._copies
        slots, append, draw_of = self._slots, out.append, self._draw
        for event in events:
            draw = draw_of(event)
            if draw & _FIELD < late_below:
                self._hold_late(event, now_s)
            elif draw & _FIELD >= out_of_order_from:
                self._hold(replace(event, fault="out_of_order"), 1 + self._number(event, "overtaken") % MOST_OVERTAKING)
            else:
                append(event)
                if copies:
                    self._copy(event, draw, out)
            self._passed += 1
            slot = slots[self._passed % _SLOTS]
            if slot:
                self._release(slot, out)
        if events:
            self._last_s = now_s
        while self._late and self.held > MAX_HELD:
            self._send(self._late.pop(heappop(self._due)[1]), out)
        return out

    def due(self, now_s: float) -> list[Outgoing]:
        """The held ones whose time has come: ask for them when no new events come."""
        out: list[Outgoing] = []
        self._release_late(out, now_s)
        if self._waiting and now_s - self._last_s >= STILL_S:
            for ahead in range(1, _SLOTS + 1):
                self._release(self._slots[(self._passed + ahead) % _SLOTS], out)
        return out

    def flush(self) -> list[Outgoing]:
        """All held ones, in the order of the shop's stream. Nothing is held afterwards."""
        waiting = [*self._late.items(), *chain.from_iterable(self._slots)]
        waiting.sort(key=lambda item: (item[1].sequence, item[0]))
        self._late, self._due, self._waiting = {}, [], 0
        for slot in self._slots:
            slot.clear()
        out: list[Outgoing] = []
        for _, event in waiting:
            self._send(event, out, spread=False)
        return out

    def _hold_late(self, event: Outgoing, now_s: float) -> None:
        most_s = self._settings.late_s
        least_s = min(SOONEST_S, most_s)
        delay_s = least_s + (most_s - least_s) * (self._number(event, "late") % 1_000_001) / 1_000_000
        self._token += 1
        self._late[self._token] = replace(event, fault="late")
        heappush(self._due, (now_s + delay_s, self._token))

    def _release_late(self, out: list[Outgoing], now_s: float) -> None:
        while self._due and self._due[0][0] <= now_s:
            self._send(self._late.pop(heappop(self._due)[1]), out)

    def _hold(self, event: Outgoing, events: int) -> None:
        """Until so many further events have passed the one that is passing now."""
        self._token += 1
        self._waiting += 1
        self._slots[(self._passed + 1 + events) % _SLOTS].append((self._token, event))

    def _release(self, slot: list[tuple[int, Outgoing]], out: list[Outgoing]) -> None:
        waiting = slot.copy()
        slot.clear()
        self._waiting -= len(waiting)
        for _, event in waiting:
            self._send(event, out)

    def _send(self, event: Outgoing, out: list[Outgoing], spread: bool = True) -> None:
        """One that was held; its extras come after it, not before."""
        out.append(event)
        if self._copies and not event.extra:
            self._copy(event, self._draw(event), out, spread)

    def _copy(self, event: Outgoing, draw: int, out: list[Outgoing], spread: bool = True) -> None:
        """The extras of an event that has just gone out."""
        if draw >> _BITS & _FIELD < self._duplicate_below:
            self._extra(event, event.value, "duplicate", out, spread)
        if draw >> 2 * _BITS & _FIELD < self._malformed_below:
            kinds = _kinds_for(event.kind)
            kind = kinds[self._number(event, "kind") % len(kinds)]
            self._extra(event, MALFORMED[kind].make(event.value or b""), f"malformed.{kind}", out, spread)

    def _extra(self, event: Outgoing, value: bytes | None, fault: str, out: list[Outgoing], spread: bool) -> None:
        # Its sum is 0: an extra adds no revenue.
        extra = Outgoing(event.key, value, event.kind, event.sequence, 0, fault)
        number = self._number(event, fault)
        if spread and number % SPREAD == 0:
            self._hold(extra, 1 + number // SPREAD % MOST_OVERTAKING)
        else:
            out.append(extra)

    def _draw(self, event: Outgoing) -> int:
        """64 uniform bits of the event. crc32 alone would hit neighbours in a pattern: splitmix64's finaliser mixes it."""
        draw = crc32(identity(event.value or b"").encode(), self._salt)
        draw = (draw + 0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9 & _MASK
        draw = (draw ^ draw >> 27) * 0x94D049BB133111EB & _MASK
        return draw ^ draw >> 31

    def _number(self, event: Outgoing, what: str) -> int:
        """64 uniform bits for one more question about an event that is hit: slower, and asked for these only."""
        text = f"ecom_lite {what} {self._seed} {identity(event.value or b'')}"
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


_kinds_for = cache(kinds_for)
