"""What a refresh of the marts and a look at the real-time board cost where the facts are few, and where they are many."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from threading import Event
from typing import Any, Final, NamedTuple

from ..errors import CheckFailed, EcomLiteError, UsageError
from ..rollups import Rollups
from ..settings.bundled import bundled
from ..settings.data_dir import DBT
from ..settings.tree import Settings
from ..terminal.terminal import Terminal
from ..transform import DbtRun, Transform
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .board import Looked, look
from .growth import grow
from .rig import Rig
from .told import Figures, measured

SIZES: Final = "100000,1000000,3000000"  # rows of fact_sales
LEAST: Final = 10_000
CUSTOMERS: Final = 50_000
PRODUCTS: Final = 1_000
REFRESHES: Final = 5  # of which the middle one counts
SETTLE_S: Final = 30.0
BYTES_PER_FACT: Final = 1_500  # with its indexes, the marts, the log, and a full refresh that makes a second copy of them
ENGINES_BYTES: Final = 3 << 30

Say = Callable[[str], None]


class Marts(NamedTuple):
    """Of one size: seconds of a full refresh and of an ordinary one, the models and tests of the latter, and the board."""

    full_refresh_s: float
    refresh_s: float
    models: int
    tests: int
    board: Looked


def sizes_of(text: str) -> list[int]:
    """`100000,3000000` as numbers, the smallest first. Raises UsageError."""
    try:
        sizes = sorted({int(part.replace("_", "")) for part in text.split(",")})
    except ValueError:
        raise UsageError(f"--facts {text}: whole numbers with commas between them, such as {SIZES}") from None
    if sizes[0] < LEAST:
        raise UsageError(f"--facts {text}: {sizes[0]} is too few to measure anything; {LEAST} is the least")
    return sizes


def bench_marts(settings: Settings, terminal: Terminal, *, facts: str, new: int, rate: int, command: str) -> Figures:
    """Per size what `Marts` says, and how each figure grows from the smallest size on; docs/benchmarks.md says what each is.

    Raises UsageError, CheckFailed where the board or the marts do not hold the facts, and EcomLiteError.
    """
    sizes = sizes_of(facts)

    def measure(own: Rig) -> Figures:
        found = {}
        for size in sizes:
            terminal.say(f"{size:,} facts")
            found[size] = _measure(own, size, new, rate, terminal.say)
        return {"sizes": [figures_of(size, at, found[sizes[0]]) for size, at in found.items()], "new_facts": new, "rate": rate}

    shop = settings.shop.model_copy(update={"customers": CUSTOMERS, "products": PRODUCTS})
    # Databases are dropped one by one, so the space is that of the largest.
    return measured(
        settings.model_copy(update={"shop": shop}), terminal, ENGINES_BYTES + sizes[-1] * BYTES_PER_FACT, measure, command
    )


def _measure(own: Rig, size: int, new: int, rate: int, say: Say) -> Marts:
    with own.warehouse(f"marts_{size}") as address:
        filled(own, address, size)
        Rollups(address).refresh()  # the first pass takes in all that is there
        folder = own.settings.data_dir / DBT / str(size)
        transform = Transform(address.only("ecom_dbt"), bundled("dbt_project"), folder, own.settings.transform.threads)
        full = _good(transform.run("bench", full_refresh=True))
        say(f"  full refresh {full.seconds:.1f} s")
        runs = _refreshes(address, transform, new)
        times = [run.seconds for run in runs]
        say(f"  refresh with {new:,} new facts {median(times):.2f} s ({min(times):.2f} to {max(times):.2f})")
        own.settle()
        seen = look(own, own.topic(f"marts_{size}"), address, rate)
        slowest = f"the slowest of {seen.looks} {seen.worst_ms:.0f} ms"
        say(f"  board {seen.board_ms:.0f} ms, {slowest}, beside {seen.events_per_s:,.0f} events/s")
        return Marts(full.seconds, median(times), runs[-1].models, runs[-1].tests_passed, seen)


def filled(own: Rig, address: Address, size: int) -> None:
    """Put `size` facts into an empty warehouse, one line of a hundred sent back; vacuumed and on disk when it returns."""
    with address.connect("admin", autocommit=True) as connection:
        with connection.transaction():
            grow(connection, "made", size, 0, CUSTOMERS, PRODUCTS)
            connection.execute(read_sql(__package__, "marts_returns"))
        connection.execute("VACUUM (ANALYZE)")
    own.settle()


def _refreshes(address: Address, transform: Transform, new: int) -> Sequence[DbtRun]:
    """With the same number of new facts each; the first one makes the plan for those that follow, and does not count."""
    runs = []
    for turn in range(REFRESHES + 1):
        with address.connect("admin") as connection:
            values = {"rows": new, "first": turn * new, "customers": CUSTOMERS, "products": PRODUCTS}
            connection.execute(read_sql(__package__, "marts_new"), values)
            (load_xid,) = connection.execute("SELECT ops.load_order()").fetchone() or (0,)
        wait_for_cut(address, load_xid)
        Rollups(address).refresh()  # a run does each second
        runs.append(_good(transform.run("bench")))
    if not all(run.quick for run in runs[1:]):
        raise EcomLiteError("the refreshes were carried out by dbt itself and not by its plan: nothing to compare")
    return runs[1:]


def wait_for_cut(address: Address, load_xid: int) -> None:
    """Until what that transaction has loaded is below the cut. Raises EcomLiteError where one before it does not end."""
    pause, give_up = Event(), time.monotonic() + SETTLE_S
    with address.connect("ecom_dbt", autocommit=True) as connection:
        while True:
            (cut,) = connection.execute("SELECT ops.load_order_cut()").fetchone() or (0,)
            if cut > load_xid:
                return
            if time.monotonic() > give_up:
                raise EcomLiteError(f"a transaction on the benchmark's PostgreSQL has been open for {SETTLE_S:g} s")
            pause.wait(0.02)


def _good(run: DbtRun) -> DbtRun:
    if run.status != "success":
        raise CheckFailed(f"dbt run {run.run_id}: {run.status}: {run.message}")
    return run


def figures_of(size: int, at: Marts, first: Marts) -> dict[str, Any]:
    """The figures of one size with their growth since the first one; docs/benchmarks.md says what each is."""
    board = at.board
    return {
        "facts": size,
        "refresh_s": round(at.refresh_s, 3),
        "full_refresh_s": round(at.full_refresh_s, 2),
        "board_ms": round(board.board_ms, 1),
        "board_worst_ms": round(board.worst_ms, 1),
        "board_looks": board.looks,
        "panels_ms": {name: round(ms, 2) for name, ms in board.panels.items()},
        "events_per_s": round(board.events_per_s),
        "models": at.models,
        "tests": at.tests,
        "ratios": {
            "refresh_growth": round(at.refresh_s / first.refresh_s, 3),
            "board_growth": round(board.board_ms / first.board.board_ms, 3),
            "refresh_to_full": round(at.refresh_s / at.full_refresh_s, 4),
        },
    }
