"""One look at a run from outside: memory, handles and threads by part, disk by store, the delay. Kept as a line of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import psutil
import psycopg
from msgspec import Struct

from ...errors import EcomLiteError
from ...observe.disk import stores_bytes
from ...observe.memory import by_part, memory_bytes
from ..chain_run import ChainRun

DELAY: Final = "SELECT delay_p95_ms::float8 FROM ops.health_samples ORDER BY at DESC LIMIT 1"
NOBODY_SAYS: Final = -1.0  # the warehouse is away just now, or nothing was loaded


class Look(Struct, frozen=True, tag="look"):
    """`at_s` is since the phase began. All sizes are bytes; a part's figures are those of all its processes."""

    phase: str
    at_s: float
    memory: dict[str, int]
    handles: dict[str, int]
    threads: dict[str, int]
    disk: dict[str, int]
    delay_p95_ms: float
    loaded: int


class Kill(Struct, frozen=True, tag="kill"):
    """A part that was ended, and how long it took until every part was well again; `back_s` is below 0 where it never was."""

    phase: str
    at_s: float
    part: str
    back_s: float


class Ended(Struct, frozen=True, tag="ended"):
    """How a phase ended: what `check` said of it, and how."""

    phase: str
    at_s: float
    closes: bool
    said: str
    starts: int  # of the main process: 1 where it has lived through all of it


class Began(Struct, frozen=True, tag="began"):
    """What is tried, where and by what."""

    command: str
    machine: str
    versions: str
    moment: str  # ISO 8601


Line = Look | Kill | Ended | Began


def look(run: ChainRun, phase: str, at_s: float) -> Look:
    """Costs some 50 ms, and one small query."""
    parts = {pid: part for part, pid in run.parts().items()}
    memory: Counter[str] = Counter()
    handles: Counter[str] = Counter()
    threads: Counter[str] = Counter()
    for name, process in by_part(run.family(), parts):
        try:
            with process.oneshot():
                seen = memory_bytes(process), process.num_fds(), process.num_threads()
        except psutil.Error:
            continue
        for total, figure in zip((memory, handles, threads), seen, strict=True):
            total[name] += figure
    return Look(
        phase, at_s, dict(memory), dict(handles), dict(threads), stores_bytes(run.folder), _delay_ms(run), run.loaded()
    )  # fmt: skip


def _delay_ms(run: ChainRun) -> float:
    try:
        rows = run.ask(DELAY)
    except (psycopg.Error, EcomLiteError):
        return NOBODY_SAYS
    return NOBODY_SAYS if not rows or rows[0][0] is None else float(rows[0][0])


def keep(file: Path, line: Line) -> None:
    """Add it. Raises OSError."""
    with file.open("ab") as lines:
        lines.write(msgspec.json.encode(line) + b"\n")


def read_lines(file: Path) -> Iterator[Line]:
    """All that was kept, in its order. Raises OSError and msgspec.MsgspecError."""
    decoder = msgspec.json.Decoder(Line)
    with file.open("rb") as lines:
        yield from map(decoder.decode, lines)
