"""What each shipped check costs where the facts are many: as `ecom_lite check --only` takes it, and with `--full`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import msgspec

from ..check.named import Check, built_in
from ..check.reconcile import reconcile
from ..check.verdict import PASS, SKIPPED, Report
from ..errors import CheckFailed, EcomLiteError
from ..lake.counted import Counted
from ..rollups import Rollups
from ..settings.bundled import bundled
from ..stream.light import LightMinutes
from ..transform import Transform
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .told import Figures

Say = Callable[[str], None]


def made_checkable(address: Address, folder: Path, threads: int) -> None:
    """Kept sums, minutes and marts of the facts that are there, as of a run; `folder` is dbt's. Raises EcomLiteError."""
    with address.connect("admin") as admin:
        admin.execute(read_sql(__package__, "checkable"))
    Rollups(address).refresh()
    LightMinutes(address).refresh()
    run = Transform(address.only("ecom_dbt"), bundled("dbt_project"), folder, threads).run("bench", full_refresh=True)
    if run.status != "success":
        raise CheckFailed(f"dbt run {run.run_id}: {run.status}: {run.message}")


def take(address: Address, check: Check, *, full: bool = False) -> Report:
    """The one check, with all that it needs opened for it. There is no broker: what waits there is taken to be nothing."""
    return reconcile(
        address, [], dict, producing=False, catch_up_s=0, checks=[check], lake=partial(Counted, address), full=full
    )  # fmt: skip


def timed(address: Address, say: Say = lambda _: None, asked: int = 5) -> Figures:
    """The figures by check. Raises CheckFailed where one does not pass."""
    found: Figures = {}
    for check in built_in():
        quick = [_ms(address, check) for _ in range(asked + 1)][1:]
        full_ms = _ms(address, check, full=True)
        found[check.name] = {
            "ms": round(median(quick), 1), "full_ms": round(full_ms, 1), "command_ms": round(_command(address, check.name)),
        }  # fmt: skip
        say(f"  check {check.name}: {median(quick):.0f} ms, on the facts themselves {full_ms:.0f} ms")
    return found


def _ms(address: Address, check: Check, *, full: bool = False) -> float:
    began = time.perf_counter()
    (result,) = take(address, check, full=full).results
    if result.state not in (PASS, SKIPPED):
        raise CheckFailed(f"check {check.name} of the benchmark's own facts: {result.told}")
    return (time.perf_counter() - began) * 1000


def _command(address: Address, name: str) -> float:
    """ms of a new process that imports what `ecom_lite check` does, takes the one check and ends."""
    began = time.perf_counter()
    given = msgspec.json.encode(address.only("ecom_reader").by_value())
    done = subprocess.run([sys.executable, "-m", "ecom_lite.bench.checked", name], input=given, capture_output=True, check=False)
    if done.returncode:
        raise EcomLiteError(f"a check of the benchmark's own failed: {done.stderr.decode().strip()[-300:]}")
    return (time.perf_counter() - began) * 1000
