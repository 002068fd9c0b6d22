"""The shop's events as a file, without a broker: JSON lines, CSV or Parquet, in flat memory."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final, Literal, NamedTuple

from ..contract.fields import EVENT_TYPES, columns
from ..contract.times import EARLIEST, LATEST_AHEAD, utc_now
from ..errors import EcomLiteError, UsageError
from ..settings.tree import Shop as ShopSettings
from ..simulate import Shop, Timetable
from ..warehouse.sqlfiles import read_sql

BATCH_ORDERS: Final = 2_000  # made and written in one go: about a megabyte
SAMPLE_ORDERS: Final = 1_000  # so many in a row, ...
SAMPLES: Final = 16  # ... and so many times, tell how many events an order has
MARGIN: Final = 0.98  # of which so many are counted on, so that no event lies in the future
DUCKDB_SETTINGS: Final = {
    "memory_limit": "256MB",
    "threads": 2,
    "preserve_insertion_order": True,
    "TimeZone": "UTC",
    "enable_progress_bar": False,
}

Format = Literal["jsonl", "csv", "parquet"]
FORMATS: Final[dict[str, Format]] = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".parquet": "parquet",
}  # fmt: skip
Say = Callable[[str], None]


class Plan(NamedTuple):
    """Which events: the first `events` of a shop that opened at `opened_at`, of its orders below `orders`; None is no limit."""

    opened_at: datetime
    events: int | None
    orders: int | None


@dataclass
class Generated:
    """What was made. `first` and `last` are the event times of the first and last order, None where there is none."""

    events: int = 0
    orders: int = 0
    first: datetime | None = None
    last: datetime | None = None
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Events per second of work."""
        return self.events / self.seconds if self.seconds else 0.0

    def as_json(self) -> dict[str, object]:
        span = [None if moment is None else moment.isoformat() for moment in (self.first, self.last)]
        return {
            "events": self.events,
            "orders": self.orders,
            "first": span[0],
            "last": span[1],
            "seconds": round(self.seconds, 3),
            "rate": round(self.rate),
        }

    def __str__(self) -> str:
        if self.first is None or self.last is None:
            return "no events"
        orders = "1 order" if self.orders == 1 else f"{self.orders:,} orders"
        return (
            f"{self.events:,} events of {orders}, {_short(self.first)} .. {_short(self.last)},"
            f" in {self.seconds:.1f} s ({self.rate:,.0f}/s)"
        )


def plan(settings: ShopSettings, now: datetime) -> Plan:
    """Where the clock begins, and where it all ends. Raises UsageError when there is no end, or no such time."""
    events, history, start = settings.events, settings.history, settings.start
    if history is not None:
        until = now if start is None else start
        try:
            opened_at = _midnight(until - timedelta(seconds=history))
        except OverflowError:
            opened_at = datetime.min.replace(tzinfo=UTC)
        _require_known_time(opened_at, f"a history of {history / 86_400:,.0f} days up to {_short(until)}")
        return Plan(opened_at, events, Timetable(settings, opened_at).due(until))
    if events is None:
        raise UsageError("how many? --events 100000 makes so many events, --history 90d as many as the shop has in 90 days")
    return Plan(_opening_of(settings, events, now) if start is None else start, events, None)


def _opening_of(settings: ShopSettings, events: int, now: datetime) -> datetime:
    """The latest midnight from which on the shop makes `events` events by now."""
    orders = _orders_of(settings, events)

    def missing(days: int) -> int:
        opened_at = now - timedelta(days=days) if days < (now - EARLIEST).days else EARLIEST - timedelta(days=1)
        what = f"{events:,} events at shop.orders_per_day = {settings.orders_per_day:,}"
        _require_known_time(opened_at, what, "; a larger shop.orders_per_day makes them in fewer days")
        return orders - Timetable(settings, _midnight(opened_at)).due(now)

    too_few, enough = -1, 0
    while (more := missing(enough)) > 0:
        too_few, enough = enough, enough + -(-more // settings.orders_per_day)
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (middle, enough) if missing(middle) > 0 else (too_few, middle)
    return _midnight(now - timedelta(days=enough))


def _orders_of(settings: ShopSettings, events: int) -> int:
    """So many orders, or a few more, have the first `events` events."""
    shop, any_time = Shop(settings), EARLIEST  # what an order has does not depend on its time
    opening = shop.batch(0, SAMPLE_ORDERS, any_time)
    if events <= len(opening):
        return opening[events - 1].sequence + 1 if events else 0
    left = events - len(opening)
    # Sign-ups become fewer, returns more, as time goes by: look all along the way.
    step = max(SAMPLE_ORDERS, left * SAMPLE_ORDERS // (len(opening) * (SAMPLES - 1)))
    counts = [len(shop.batch(SAMPLE_ORDERS + n * step, SAMPLE_ORDERS, any_time)) for n in range(SAMPLES)]
    return SAMPLE_ORDERS + int(left * SAMPLE_ORDERS * SAMPLES / (MARGIN * sum(counts))) + 1


def _require_known_time(opened_at: datetime, what: str, hint: str = "") -> None:
    if opened_at < EARLIEST:
        raise UsageError(f"{what} would begin before {EARLIEST.year}, where events are refused{hint}")


class Chunk(NamedTuple):
    """Whole JSON lines, and the order that the last of them belongs to."""

    lines: bytes
    events: int
    last_sequence: int


def chunks(settings: ShopSettings, wanted: Plan) -> Iterator[Chunk]:
    """The events' bytes, each with a newline after it, some thousands at a time."""
    shop, timetable = Shop(settings), Timetable(settings, wanted.opened_at)
    left, sequence = wanted.events, 0
    while left != 0 and (wanted.orders is None or sequence < wanted.orders):
        orders = BATCH_ORDERS if wanted.orders is None else min(BATCH_ORDERS, wanted.orders - sequence)
        if left is not None:
            orders = min(orders, left)  # an order has at least one event
        batch = shop.batch(sequence, orders, timetable)
        sequence += orders
        if left is not None:
            del batch[left:]
            left -= len(batch)
        values = [event.value or b"" for event in batch]
        values.append(b"")
        yield Chunk(b"\n".join(values), len(batch), batch[-1].sequence)


def generate(
    settings: ShopSettings, form: Format, output: Path | None, say: Say, clock: Callable[[], datetime] = utc_now
) -> Generated:
    """Write the events that `settings` ask for to `output`, or to stdout where that is None.

    A file is replaced only by one that is complete. Raises UsageError on a wish that cannot be met, EcomLiteError where the
    disk is full and the like, BrokenPipeError when stdout's reader has gone.
    """
    began = time.perf_counter()
    now = clock()
    wanted = plan(settings, now)
    timetable = Timetable(settings, wanted.opened_at)
    refused_from = timetable.due(now + LATEST_AHEAD)  # the first order that the loader would refuse
    done = Generated()
    try:
        with _written(output) as file:
            with _converted(file, form, output) as sink:
                for chunk in chunks(settings, wanted):
                    sink.write(chunk.lines)
                    done.events += chunk.events
                    if done.orders <= refused_from <= chunk.last_sequence:
                        say(
                            f"warning: from {_short(timetable.time(refused_from))} on the events are more than a day ahead of "
                            "now: the loader refuses such events until their day has come"
                        )
                    done.orders = chunk.last_sequence + 1
            file.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise EcomLiteError(f"writing {output or 'to stdout'}: {error.strerror or error}") from None
    if done.events:
        done.first, done.last = timetable.time(0), timetable.time(done.orders - 1)
    done.seconds = time.perf_counter() - began
    return done


@contextmanager
def _written(output: Path | None) -> Iterator[BinaryIO]:
    """Where the bytes go: stdout, or a file beside `output` that takes its place once all is well."""
    if output is None:
        yield sys.stdout.buffer
        return
    if output.is_dir():
        raise UsageError(f"--output {output} is a folder: name a file in it")
    if not output.parent.is_dir():
        raise UsageError(f"--output {output}: there is no folder {output.parent}")
    if _is_device(output):
        with output.open("wb") as device:
            yield device
        return
    target = output.resolve()  # a link stays a link
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
        fresh = Path(folder) / target.name
        with fresh.open("xb") as file:
            yield file
        if target.exists():
            shutil.copymode(target, fresh)
        fresh.replace(target)


@contextmanager
def _converted(file: BinaryIO, form: Format, output: Path | None) -> Iterator[BinaryIO]:
    """A file to write JSON lines to; at the end they go to `file` in the form asked for."""
    if form == "jsonl":
        yield file
        return
    beside = None if output is None or _is_device(output) else output.resolve().parent
    with tempfile.TemporaryDirectory(prefix=".ecom_lite.", dir=beside) as folder:
        lines, table = Path(folder) / "events.jsonl", Path(folder) / f"events.{form}"
        with lines.open("wb") as sink:
            yield sink
        _convert(lines, table, form)
        with table.open("rb") as made:
            shutil.copyfileobj(made, file, 1 << 20)


def _convert(lines: Path, table: Path, form: Format) -> None:
    """JSON lines -> typed columns. DuckDB works it off in pieces."""
    import duckdb

    query = read_sql(__package__, "generate").decode()
    values = {"lines": str(lines), "columns": columns(*EVENT_TYPES.values())}
    options = "FORMAT parquet, COMPRESSION zstd" if form == "parquet" else "FORMAT csv, HEADER"
    try:
        with duckdb.connect(":memory:", config={"temp_directory": str(table.parent / "duckdb")}) as connection:
            for name, value in DUCKDB_SETTINGS.items():
                connection.execute(f"SET {name} = '{value}'")
            connection.execute(f"COPY ({query}) TO {_literal(table)} ({options})", values)
    except duckdb.Error as error:
        raise EcomLiteError(f"making {form} of the events: {str(error).strip()}") from None


def _is_device(output: Path) -> bool:
    """/dev/null, a named pipe: is written to, never replaced."""
    return output.exists() and not output.is_file()


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _short(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
