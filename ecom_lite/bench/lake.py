"""What the lake costs: the first copy, a pass over new facts, bytes, and how many files there are as it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Final, TypeVar

from ..lake.upkeep import MERGE_EVERY_S, STILL_READ_S, Upkeep
from ..lake.writer import Writer
from ..settings.data_dir import LAKE, LAKE_TABLES
from ..settings.tree import Settings
from ..terminal.terminal import Terminal
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .marts import BYTES_PER_FACT, CUSTOMERS, ENGINES_BYTES, PRODUCTS, Say, filled, wait_for_cut
from .rig import Rig, ask
from .told import Figures, measured

PASS_EVERY_S: Final = 2.0  # of the time that is made believe, for the upkeep
US: Final = 1e6
T = TypeVar("T")


def bench_lake(settings: Settings, terminal: Terminal, *, facts: int, new: int, passes: int, command: str) -> Figures:
    """The first copy of `facts`, then `passes` with so many `new` facts each, with the upkeep as it would be due. Raises
    EcomLiteError."""

    def measure(own: Rig) -> Figures:
        with own.warehouse("lake") as address:
            terminal.say(f"{facts:,} facts")
            filled(own, address, facts)
            return measure_lake(address, own.settings.data_dir / LAKE / LAKE_TABLES, new, passes, terminal.say)

    shop = settings.shop.model_copy(update={"customers": CUSTOMERS, "products": PRODUCTS})
    needed = ENGINES_BYTES + facts * BYTES_PER_FACT
    return measured(settings.model_copy(update={"shop": shop}), terminal, needed, measure, command)


def measure_lake(
    address: Address, folder: Path, new: int, passes: int, say: Say = lambda _: None, customers: int = CUSTOMERS,
    products: int = PRODUCTS,
) -> Figures:  # fmt: skip
    """The figures; docs/benchmarks.md says what each is."""
    told = [0.0]
    with Writer(address.only("ecom_lake"), folder) as writer:
        writer.open()
        rows, first_s, first_cpu_s = _timed(writer.sync)
        say(f"  first copy of {rows:,} rows {first_s:.1f} s")
        files, size, facts = _files(writer)
        first_bytes = size / max(facts, 1)
        warehouse_bytes = ask(address, "facts_bytes")[0] / max(facts, 1)
        upkeep = Upkeep(writer, keep_snapshots_h=24, clock=lambda: told[0])
        seconds, merges, most, cpu_s = [], [], files, 0.0
        for turn in range(passes):
            _load(address, {"rows": new, "first": turn * new, "customers": customers, "products": products})
            taken, pass_s, pass_cpu_s = _timed(writer.sync)
            if taken < new:
                raise AssertionError(f"pass {turn} took {taken} of {new} facts")
            told[0] += PASS_EVERY_S
            _, merged_s, merge_cpu_s = _timed(upkeep)
            if merged_s > 0.001:
                merges.append(merged_s)
            seconds.append(pass_s)
            cpu_s += pass_cpu_s + merge_cpu_s
            most = max(most, _files(writer)[0])
        files, size, facts = _files(writer)
        on_disk = sum(file.stat().st_size for file in folder.rglob("*.parquet"))
    p95 = quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
    say(f"  a pass with {new:,} new facts {median(seconds) * 1000:.0f} ms, 95 of 100 within {p95 * 1000:.0f} ms")
    return {
        "facts": facts,
        "first_copy_s": round(first_s, 2),
        "first_copy_facts_per_s": round(rows / first_s),
        "first_copy_cpu_us": round(first_cpu_s / rows * US, 2),
        "bytes_per_fact": round(first_bytes, 1),
        "postgres_bytes_per_fact": round(float(warehouse_bytes), 1),
        "new_facts": new,
        "passes": passes,
        "pass_ms": round(median(seconds) * 1000, 1),
        "pass_p95_ms": round(p95 * 1000, 1),
        "pass_cpu_us": round(cpu_s / (passes * new) * US, 2),
        "cores_at_2_s": round(cpu_s / (passes * PASS_EVERY_S), 3),
        "merge_ms": round(max(merges, default=0) * 1000, 1),
        "files_at_most": most,
        "files": files,
        "bytes": size,
        "bytes_on_disk": on_disk,
        "hours": round(passes * PASS_EVERY_S / 3600, 2),
        "merge_every_s": MERGE_EVERY_S,
        "unused_files_kept_s": STILL_READ_S,
    }


def _timed(work: Callable[[], T]) -> tuple[T, float, float]:
    """What it gives, its seconds, and the processor's seconds of all threads of this process."""
    began, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - began, time.process_time() - cpu


def _files(writer: Writer) -> tuple[int, int, int]:
    ((files, size, facts),) = writer.read(read_sql("ecom_lite.lake", "files"))
    return files, size, facts


def _load(address: Address, values: dict[str, int]) -> None:
    with address.connect("admin") as connection:
        connection.execute(read_sql("ecom_lite.bench", "marts_new"), values)
        (load_xid,) = connection.execute("SELECT ops.load_order()").fetchone() or (0,)
    wait_for_cut(address, load_xid)
