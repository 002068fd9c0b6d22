"""What the parts of a run report of themselves, about once a second: one type for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from .histogram import Buckets


class InForce(Struct, frozen=True, kw_only=True):
    """What the simulated shop does now."""

    rate: float | str | None = None  # orders a second, "max" or "natural"; None where no producer has told yet
    paused: bool = False  # by a person
    no_room: bool = False  # paused by the run, because the disk is nearly full
    faults: dict[str, float] = {}  # share of the events by fault, 0 to 0.5; those that are on
    held: int = 0  # events that are held back (late, out of order): they still come, also while the shop is paused
    campaigns: dict[str, float] = {}  # share off the price, 0 to 0.5, by category; those that are on


def to_come(held: int) -> str:
    """`23 late events still to come`."""
    return f"{held:,} late event{'' if held == 1 else 's'} still to come"


class ControlAnswer(InForce, frozen=True, kw_only=True):
    """What is in force, and whether that is all that was asked for."""

    applied: bool = True


class ProducerFigures(Struct, frozen=True, kw_only=True):
    """Of the simulated shop's producer. Records and orders are those of this process, unless it says stream."""

    state: str = "starting"  # starting, recovering, sending, paused, no room, waiting for kafka, done, stopped, failed
    shop: str = ""  # its name in ops.shops
    sent: int = 0  # records handed to the client
    acked: int = 0  # records in the broker and in the ledger
    unacked: int = 0  # records that wait for the broker
    recovered: int = 0  # records that the broker had and the ledger did not, found at the start
    rate: float = 0.0  # acknowledged records a second, since the last report
    orders: int = 0
    next_sequence: int = 0  # the shop's next order
    stream_events: int = 0  # events of the shop's whole stream in the broker, extras left out
    until: int | None = None  # stream_events at which it ends
    errors: int = 0  # times that the client had to be made anew
    ledger: str = "written"  # or "in memory", while PostgreSQL is away
    fault_events: dict[str, int] = {}  # records hit, by fault; of the whole stream
    history: str = ""  # "sending", "sent", or "" for a shop without a past
    history_events: int = 0  # of the past
    behind_s: float = 0.0  # how far the shop's clock is behind where it should be
    shop_time: str = ""  # ISO 8601; "" where it is the real time
    control: InForce = InForce()


class LoaderFigures(Struct, frozen=True, kw_only=True):
    """Of one loader process, or of several together (`together`). Counts begin with the process."""

    records: int = 0
    facts: int = 0
    duplicates: int = 0
    other: int = 0  # events that are no order line
    dead: int = 0
    batches: int = 0  # transactions
    dead_reasons: dict[str, int] = {}  # dead letters by reason
    delay_ms: int | None = None  # of the newest batch's oldest record, from the broker's clock to the commit
    commit_delay: Buckets = Buckets()  # the same, of all batches, by DELAY_BOUNDS_S
    batch_time: Buckets = Buckets()  # how long each batch took to be written, by BATCH_BOUNDS_S
    lags: dict[str, int] = {}  # by partition, topic/partition of a further source: records on the broker that are not committed
    partitions: int = 0  # that are this loader's
    standing_by: bool = False  # more loaders than partitions: ready, with nothing to do
    waiting_for: str = ""  # what keeps it from loading: one line

    @property
    def lag(self) -> int:
        """Records on the broker that are not committed."""
        return sum(self.lags.values())

    def ended(self) -> LoaderFigures:
        """What of it stays true when its process has ended: the counts."""
        return replace(self, delay_ms=None, lags={}, partitions=0, standing_by=False, waiting_for="")


class StreamFigures(Struct, frozen=True, kw_only=True):
    """Of Spark's per-minute query: its last micro-batch."""

    batch: int  # its number
    rows_per_s: float
    batch_ms: int  # from trigger to commit
    watermark: str = ""  # ISO 8601, UTC; "" before the first event
    watermark_lag_s: int | None = None  # how far it is behind the real time
    late_rows: int = 0  # order lines outside the watermark's reach, since the start
    phases_ms: dict[str, int] = {}  # what the last micro-batches took on average, by Spark's names for the phases
    state_rows: int = 0  # that it keeps from batch to batch


class ArchiveFigures(Struct, frozen=True, kw_only=True):
    """Of the raw archive."""

    records: int = 0  # written since the start
    files: int = 0
    bytes: int = 0
    files_kept: int = 0  # on the disk now
    bytes_kept: int = 0
    oldest: str = ""  # its first day, ISO 8601; "" while it is empty
    lag: int = 0  # records on the broker that are in no file yet
    waiting_for: str = ""  # what keeps it from writing: one line


class LakeFigures(Struct, frozen=True, kw_only=True):
    """Of the lake's writer."""

    facts: int = 0  # in the lake
    files: int = 0  # of the newest snapshot
    bytes: int = 0
    rows: int = 0  # taken in since the process began: facts, returns, profiles
    passes: int = 0
    pass_ms: int = 0  # the newest pass that took something in
    age_s: float | None = None  # since the newest pass: what was loaded before it is in the lake
    raw: ArchiveFigures | None = None  # None where lake.raw_days is 0


class DbtFigures(Struct, frozen=True, kw_only=True):
    """The newest dbt run, finished or not. Times are ISO 8601."""

    run_id: int
    trigger: str
    status: str  # as in ops.dbt_runs: running, success, tests failed, error; selected where it was of some models only
    seconds: float  # so far, if it runs
    finished_at: str | None = None
    succeeded_at: str | None = None  # the end of the newest run that was a success
    tests_passed: int | None = None
    tests_failed: int | None = None
    message: str | None = None


class ModelFigures(Struct, frozen=True, kw_only=True):
    """The newest dbt run that took this model."""

    ok: bool  # it was built, and no test of it failed
    seconds: float  # to build it
    rows: int | None = None  # that the run has written; None for a view, and where it was not built
    tests_failed: int = 0  # its data tests that failed or could not be asked


class CheckFigures(Struct, frozen=True, kw_only=True):
    """The newest result of one of the user's own checks. `at` is ISO 8601."""

    state: str  # pass, fail, skipped, error (it could not be run)
    severity: str  # error, warning
    at: str
    seconds: float = 0.0
    told: str = ""  # why it does not pass: one line


class AlertFigures(Struct, frozen=True, kw_only=True):
    """How an alert stands by its newest evaluation. Times are ISO 8601."""

    title: str
    severity: str  # info, warning, critical
    state: str  # ok, pending, firing, unknown
    since: str
    at: str  # of the evaluation
    value: float | None = None
    unit: str = ""
    told: str = ""  # the number and its bounds
    problem: str = ""  # why it could not be judged; one that fires goes on firing then
    what_to_do: str = ""
    board: str = ""  # uid of the board to look at


F = TypeVar("F")


class WorkerReport(Struct, Generic[F], frozen=True, kw_only=True):
    """One line of a worker process's stdout."""

    figures: F
    ready: bool = False  # it has proven that it can work
    done: bool = False  # it had a fixed amount to do, and has done it
    waiting_for: str = ""  # what keeps it from working: one line
    error: str = ""  # why it ends
    exit_code: int = 0


def together(figures: Iterable[LoaderFigures]) -> LoaderFigures:
    """Several loaders' figures as those of one: sums, the slowest one's delay, each different thing that they wait for."""
    each = list(figures)
    reasons: Counter[str] = Counter()
    lags: Counter[str] = Counter()
    for one in each:
        reasons.update(one.dead_reasons)
        lags.update(one.lags)
    return LoaderFigures(
        records=sum(one.records for one in each),
        facts=sum(one.facts for one in each),
        duplicates=sum(one.duplicates for one in each),
        other=sum(one.other for one in each),
        dead=sum(one.dead for one in each),
        batches=sum(one.batches for one in each),
        dead_reasons=dict(reasons),
        delay_ms=max((one.delay_ms for one in each if one.delay_ms is not None), default=None),
        commit_delay=sum((one.commit_delay for one in each), Buckets()),
        batch_time=sum((one.batch_time for one in each), Buckets()),
        lags=dict(lags),
        partitions=sum(one.partitions for one in each),
        standing_by=bool(each) and all(one.standing_by for one in each),
        waiting_for="; ".join(dict.fromkeys(one.waiting_for for one in each if one.waiting_for)),
    )
