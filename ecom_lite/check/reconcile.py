"""The count that must close: sent = broker = facts + duplicates + other + dead; marts = facts; closed windows = facts."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from typing import Any, Final

import psycopg

from ..warehouse.connect import Address
from ..warehouse.offsets import Place, offsets_of, reached
from .facts import Lake
from .ledger import Ledger, read_ledger
from .moment import at_one_moment
from .named import Check, built_in
from .verdict import Line, Report, Result

__all__ = ["CATCH_UP_S", "EndOffsets", "Line", "Report", "reconcile"]

CATCH_UP_S: Final = 60.0  # how long the loader may take to reach the offsets of this moment
LEDGER_FLUSH_S: Final = 3.0  # a live producer writes its ledger at least this often
LEDGER_LATE_S: Final = 15.0  # ... or is so late on a busy machine: waited for where records are loaded that the ledger lacks
MARTS_EVERY_S: Final = 300.0
OWN_TIMEOUT_S: Final = 10.0
POLL_S: Final = 0.1
SILENT_S: Final = 1.0  # so long nothing is said of waiting
AGAIN_S: Final = 10.0  # then it is said this often

OF_LAKE: Final = frozenset({"lake", "facts"})  # values that it is asked for

EndOffsets = Callable[[], Mapping[Place, int]]
Said = Callable[[str], None]


def reconcile(
    address: Address,
    topics: Sequence[str],
    end_offsets: EndOffsets,
    *,
    producing: bool,
    catch_up_s: float = CATCH_UP_S,
    spark: bool = True,
    checks: Sequence[Check] | None = None,
    marts_every_s: float = MARTS_EVERY_S,
    own_timeout_s: float = OWN_TIMEOUT_S,
    lake: Callable[[], Lake] | None = None,
    full: bool = False,
    said: Said = lambda text: None,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Report:
    """Take the count, of a live run too: wait until the loader has reached the broker's end of this moment, then run `checks`.

    These are the built-in ones where nothing is said. The broker is asked only where one of them needs it; `said` hears what
    is waited for. `producing` says that a producer is sending: its ledger is then read before and after, and the count must lie
    between. `lake` opens a snapshot of the lake, which is compared with the facts, and asked instead of them where it is exact;
    without it all facts are read. `full`: they are, and nothing that is kept of them is believed.

    Raises CheckFailed where the database refuses, psycopg.OperationalError where it cannot be reached.
    """
    left_out = {name for name, there in {"minutes": spark, "lake": lake is not None}.items() if not there}
    chosen = [
        check for check in (built_in() if checks is None else checks) if check.file is not None or check.name not in left_out
    ]
    broker = any(check.needs_broker for check in chosen)
    with ExitStack() as stack:
        reader = stack.enter_context(psycopg.connect(address.conninfo("ecom_reader"), autocommit=True))
        aside = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="check"))
        asked = ({"lake"} if full else OF_LAKE) & {value for check in chosen for value in check.values}
        opening = aside.submit(lake) if lake is not None and asked else None  # beside the broker: both take a moment
        before = read_ledger(reader)
        watermark = _watermark(reader)  # before the offsets: what Spark has counted up to it, the loader will have loaded
        ends = dict(end_offsets()) if broker else {}
        waiting = _Waiting(reader, ends, catch_up_s, said, clock, wait).for_the_loader()
        known: dict[str, Any] = {"topics": list(topics), "watermark": watermark, "marts_every_s": marts_every_s}
        # Opened before our moment, so that all it has taken in is there.
        opened = None if opening is None else stack.enter_context(opening.result())
        if lake is not None and opened is not None and opened.problem:  # it may just have been in the making
            opened = stack.enter_context(lake())
        with at_one_moment(reader, chosen, known, own_timeout_s, opened, full) as moment:
            last = [check for check in chosen if check.values & {"ledger", "ends"}]
            after = None
            if last:  # what may grow is read after the moment, which this question fixes; the producer takes a while to write it
                ((own,),) = moment.rows("own_records")
                after = aside.submit(_after, address, own, end_offsets if ends else dict, producing, clock, wait)
            results = {check.name: moment.run(check) for check in chosen if check not in last}
            if after is not None:
                moment.give(**_before_and_after(before, ends, *after.result(), waiting, producing))
            results |= {check.name: moment.run(check) for check in last}
    in_order = [results[check.name] for check in chosen]
    return Report(in_order, _figures(in_order), moment.facts.told)


def _figures(results: Sequence[Result]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for result in results:
        figures |= result.figures
    return figures


def _after(
    address: Address,
    own: int,
    end_offsets: EndOffsets,
    producing: bool,
    clock: Callable[[], float],
    wait: Callable[[float], None],
) -> tuple[Ledger, int]:
    """The ledger and the broker's end, by a connection that is not bound to our moment."""
    with psycopg.connect(address.conninfo("ecom_reader"), autocommit=True) as later:
        return _ledger_after(later, own, clock, wait) if producing else read_ledger(later), sum(end_offsets().values())


def _before_and_after(
    before: Ledger, ends: Mapping[Place, int], after: Ledger, ends_after: int, waiting: Counter[str], producing: bool
) -> dict[str, str]:
    """What is compared with counts of our moment, and may grow."""
    named = ", ".join(f"{count:,} on {topic}" for topic, count in waiting.items())
    several = len({topic for topic, _ in ends}) > 1 and named
    ledger = {"before": before.as_json(), "after": after.as_json(), "sent": (before if producing else after).events}
    waits = f"the topics ({named})" if several else "the topic"
    return {
        "ledger": json.dumps(ledger),
        "ends": json.dumps({"before": sum(ends.values()), "after": ends_after, "waiting": waits}),
    }


def _watermark(reader: psycopg.Connection) -> datetime | None:
    row = reader.execute("SELECT max(watermark) FROM realtime.stream_progress").fetchone()
    return row[0] if row else None


def _ledger_after(reader: psycopg.Connection, own: int, clock: Callable[[], float], wait: Callable[[float], None]) -> Ledger:
    """The ledger once the producer has written it again, so that it covers all that was loaded until now.

    A record may be loaded before the producer has heard of it: the ledger that comes next may still lack some of the `own` ones.
    """
    query = "SELECT now(), (SELECT max(updated_at) FROM ops.sent_ledger)"
    row = reader.execute(query).fetchone()
    started = row[0] if row else None
    began = clock()
    while True:
        row = reader.execute(query).fetchone()
        written = row and row[1] is not None and started is not None and row[1] > started
        if written or clock() - began > LEDGER_FLUSH_S:
            ledger = read_ledger(reader)
            if ledger.events >= own or clock() - began > LEDGER_LATE_S:
                return ledger
        wait(POLL_S)


class _Waiting:
    """Until all that was on the broker is loaded, or the time is up; and says so where it takes longer than a moment."""

    def __init__(
        self,
        reader: psycopg.Connection,
        ends: Mapping[Place, int],
        limit_s: float,
        said: Said,
        clock: Callable[[], float],
        wait: Callable[[float], None],
    ) -> None:
        self._reader, self._ends, self._limit_s = reader, ends, limit_s
        self._said, self._clock, self._wait = said, clock, wait

    def for_the_loader(self) -> Counter[str]:
        """What is not loaded at the end of it, by topic."""
        topics = {topic for topic, _ in self._ends}
        began = self._clock()
        say_at = began + SILENT_S
        while True:
            offsets = offsets_of(self._reader, topics)
            left: Counter[str] = Counter()
            for place, end in self._ends.items():
                left[place[0]] += max(0, end - offsets.get(place, 0))
            now = self._clock()
            if reached(offsets, self._ends) or now > began + self._limit_s:
                return +left
            if now >= say_at:
                say_at = now + AGAIN_S
                named = ", ".join(f"{count:,} records of {topic}" for topic, count in (+left).items())
                self._said(
                    f"waiting for the loader: {named} are not loaded yet; {began + self._limit_s - now:.0f} s more at most"
                )
            self._wait(POLL_S)
