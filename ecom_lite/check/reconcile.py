"""The count that must close: sent = broker = facts + duplicates + other + dead; marts = facts; closed windows = facts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import psycopg

from ..observe.gaps import tell
from ..warehouse.connect import Address
from ..warehouse.offsets import Place, offsets_of, reached
from .faults import fault_lines
from .figures import take_figures
from .ledger import Ledger, read_ledger
from .lines import Line, Report, between, equal
from .marts import mart_lines
from .sums import sum_lines

__all__ = ["CATCH_UP_S", "EndOffsets", "Line", "Report", "reconcile"]

CATCH_UP_S: Final = 60.0  # how long the loader may take to reach the offsets of this moment
LEDGER_FLUSH_S: Final = 3.0  # a live producer writes its ledger at least this often
POLL_S: Final = 0.1

EndOffsets = Callable[[], Mapping[Place, int]]


def reconcile(
    address: Address,
    topics: Sequence[str],
    end_offsets: EndOffsets,
    *,
    producing: bool,
    catch_up_s: float = CATCH_UP_S,
    spark: bool = True,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Report:
    """Take the count, of a live run too: wait until the loader has reached the broker's end of this moment, then compare.

    `producing` says that a producer is sending: its ledger is then read before and after, and the count must lie between.
    """
    with psycopg.connect(address.conninfo("ecom_reader"), autocommit=True) as reader:
        before = read_ledger(reader)
        watermark = _watermark(reader)  # before the offsets: what Spark has counted up to it, the loader will have loaded
        ends_before = dict(end_offsets())
        waiting = _catch_up(reader, ends_before, clock() + catch_up_s, clock, wait)
        moment = take_figures(reader, topics, watermark)
        figures = moment.figures
        after = _ledger_after(reader, figures["own"], clock, wait) if producing else read_ledger(reader)
        ends_after = dict(end_offsets())
    further = figures["further"]
    records = figures["accounted"] - figures["markers"] - figures["lost"]
    figures |= {
        "sent": (before if producing else after).events,
        "broker": records,
        "foreign": records - figures["own"],
        "gaps": [gap.as_json() for gap in moment.gaps],
    }
    lines = [
        between("sent (ledger) = own records on the broker", before.events, figures["own"], after.events),
        _offsets_line(sum(ends_before.values()), figures["next_offsets"], sum(ends_after.values()), waiting),
        equal(
            "records = facts + duplicates + other + dead",
            records + further,
            figures["facts"] + figures["duplicates"] + figures["other"] + figures["dead"],
            f"{figures['own']:,} own, {figures['foreign']:,} foreign"
            + (f"; {further:,} more are further lines of records with several" if further else ""),
        ),
        equal("facts counted = rows of fact_sales", figures["facts"], figures["fact_rows"]),
        equal("other events counted = rows of fact_returns + user_changes", figures["other"], figures["other_rows"]),
        equal("dead letters counted = rows of dead_letters", figures["dead"], figures["dead_rows"]),
        equal("facts without a dimension row", figures["orphans"], 0),
        equal("offsets lost to retention", figures["lost"], 0, tell(moment.gaps) if moment.gaps else ""),
    ]
    lines += fault_lines(before, after, moment.own_dead, figures)
    lines += sum_lines(moment.sums, figures)
    lines += mart_lines(moment.marts, moment.cuts, figures)
    if spark:
        lines.append(_window_line(moment.windows, figures))
    return Report(lines, figures)


def _watermark(reader: psycopg.Connection) -> datetime | None:
    row = reader.execute("SELECT max(watermark) FROM realtime.stream_progress").fetchone()
    return row[0] if row else None


def _offsets_line(low: int, accounted: int, high: int, waiting: Mapping[str, int]) -> Line:
    line = between("broker's offsets = offsets accounted for", low, accounted, high)
    if accounted >= low:
        return line
    named = ", ".join(f"{count:,} on {topic}" for topic, count in waiting.items())
    where = f"the topics ({named})" if named else "the topic"
    return replace(line, note=f"{low - accounted:,} wait on {where}, not loaded yet; after a stop the next run loads them")


def _window_line(windows: Mapping[str, Any], figures: dict[str, Any]) -> Line:
    figures["window_lines"], figures["late_rows"] = windows["window_lines"], windows["late_rows"]
    if windows["until"] is None:
        return Line("closed minutes = facts", "no minute is closed yet", "", True, "the stream has seen no event")
    late, repeated = figures["late_rows"], windows["repeated_lines"]
    missing = windows["fact_lines"] - windows["window_lines"]
    note = f"minutes up to {windows['until']:%Y-%m-%d %H:%M}" + (f"; {late:,} late lines were not counted" if late else "")
    if repeated:
        note += f"; lines that came again with another time, which the minutes may count once more: {repeated:,}"
    right = windows["fact_lines"]
    # Both are bounds: a late line that is a duplicate too is dropped without being missed, and a line that comes again is counted
    # once more only when Spark has forgotten it.
    return Line("lines in closed minutes = facts", windows["window_lines"], right, -repeated <= missing <= late, note)


def _ledger_after(reader: psycopg.Connection, own: int, clock: Callable[[], float], wait: Callable[[float], None]) -> Ledger:
    """The ledger once the producer has written it again, so that it covers all that was loaded until now.

    A record may be loaded before the producer has heard of it: the ledger that comes next may still lack some of the `own` ones.
    """
    query = "SELECT now(), (SELECT max(updated_at) FROM ops.sent_ledger)"
    row = reader.execute(query).fetchone()
    started = row[0] if row else None
    deadline = clock() + LEDGER_FLUSH_S
    while clock() < deadline:
        row = reader.execute(query).fetchone()
        if row and row[1] is not None and started is not None and row[1] > started:
            ledger = read_ledger(reader)
            if ledger.events >= own:
                return ledger
        wait(POLL_S)
    return read_ledger(reader)


def _catch_up(
    reader: psycopg.Connection,
    ends: Mapping[Place, int],
    deadline: float,
    clock: Callable[[], float],
    wait: Callable[[float], None],
) -> Counter[str]:
    """Of several topics, what is not loaded at the deadline."""
    topics = {topic for topic, _ in ends}
    while True:
        offsets = offsets_of(reader, topics)
        if reached(offsets, ends) or clock() > deadline:
            left: Counter[str] = Counter()
            for place, end in ends.items():
                left[place[0]] += max(0, end - offsets.get(place, 0))
            return +left if len(topics) > 1 else Counter()
        wait(POLL_S)
