"""`python -m ecom_lite.harness.soak`: hours of a whole run, and whether anything grows. Some 2.5 hours as it is, on 2 cores."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
from msgspec import MsgspecError

from ...errors import EcomLiteError
from ...machine.prepare import fetch_jars
from ...settings.load import load_settings
from ...terminal.terminal import Terminal
from .course import phases, played
from .look import Began, Ended, Kill, Line, Look, keep, read_lines
from .picture import picture
from .series import MB
from .told import grows, told

DAY_HOURS, HOURS = 24.0, 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing grows that should not and each count closes, 1 when not, 2 for wrong usage, 130 and 143 by signal."""
    wanted = _parse(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wrong: list[str] = []
    try:
        if not wanted.only_tell:
            wrong = _play(wanted)
        lines = list(read_lines(wanted.keep))
    except KeyboardInterrupt:
        _say(f"stopped; `--only-tell --keep {wanted.keep}` tells of what there is")
        return 130
    except EcomLiteError as error:
        _say(f"error: {error}")
        return error.exit_code
    except (OSError, MsgspecError) as error:
        _say(f"error: {wanted.keep}: {error}")
        return 2
    drawing = wanted.report.with_suffix(".svg") if wanted.report else None
    text = told(lines, drawing.name if drawing else "")
    if wanted.report and drawing:
        wanted.report.write_text(text, "utf-8")
        drawing.write_text(picture(lines), "utf-8")
    else:
        print(text)
    wrong += grows(lines)
    for line in wrong:
        _say(line)
    _say("NOT FLAT: see above" if wrong else "flat, or kept by design; each count closes")
    return 1 if wrong else 0


def _play(wanted: argparse.Namespace) -> list[str]:
    """Each phase, kept as it comes; what was wrong."""
    fetch_jars(load_settings(env={}), Terminal(), ["kafka", "spark"])
    wanted.keep.parent.mkdir(parents=True, exist_ok=True)
    if wanted.keep.exists() and wanted.keep.stat().st_size:
        raise EcomLiteError(f"{wanted.keep} has a soak in it: name another file, or tell of it with --only-tell")

    def tell(line: Line) -> None:
        keep(wanted.keep, line)
        match line:
            case Kill():
                _say(f"{line.at_s / 60:6.1f} min  {line.phase}: {line.part} killed, all well after {line.back_s:.1f} s")
            case Ended():
                _say(f"{line.at_s / 60:6.1f} min  {line.phase}: {'closes' if line.closes else 'DOES NOT CLOSE'}, {line.said}")
            case Look() if int(line.at_s) % 300 < 10:
                loaded = f"{line.loaded:,} records" if line.loaded >= 0 else "PostgreSQL is away"
                _say(f"{line.at_s / 60:6.1f} min  {line.phase}: {loaded}, {sum(line.memory.values()) / MB:,.0f} MB")

    memory = psutil.virtual_memory().total / 2**30
    tell(
        Began(
            " ".join(["python -m ecom_lite.harness.soak", *wanted.given]),
            f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.machine()}, {platform.system()} {platform.release()}",
            f"ecom_lite {version('ecom-lite')}, Python {platform.python_version()}",
            datetime.now(UTC).isoformat(timespec="minutes"),
        )
    )
    found = [played(phase, wanted.seed, tell) for phase in phases(wanted.day, wanted.hours) if phase.seconds > 0]
    return [wrong for wrong in found if wrong]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m ecom_lite.harness.soak",
        description="A day of a shop, 60 times as fast, then hours at a thousand events a second with all faults on and a random"
        " part killed every minute: memory, handles, threads, disk and delay, looked at every ten seconds. Says what grows.",
    )
    parser.add_argument(
        "--day", type=float, default=DAY_HOURS, metavar="HOURS", help=f"by the shop's clock (default {DAY_HOURS:g})"
    )
    parser.add_argument("--hours", type=float, default=HOURS, help=f"of ours, at full load (default {HOURS:g}); 0 leaves it out")
    parser.add_argument("--seed", type=int, default=1, help="of what is killed when (default 1)")
    parser.add_argument("--keep", type=Path, required=True, metavar="FILE.jsonl", help="each look goes there as it is taken")
    parser.add_argument("--report", type=Path, metavar="FILE.md", help="write the table there, and a picture beside it (.svg)")
    parser.add_argument("--only-tell", action="store_true", help="play nothing: tell of what is in the file")
    wanted = parser.parse_args(arguments)
    if wanted.day < 0 or wanted.hours < 0 or wanted.day + wanted.hours == 0:
        parser.error("--day and --hours are at least 0, and not both 0")
    if wanted.report and not wanted.report.parent.is_dir():
        parser.error(f"argument --report: {wanted.report.parent} is no folder")  # and not after some hours
    wanted.given = list(sys.argv[1:] if arguments is None else arguments)
    return wanted


if __name__ == "__main__":
    sys.exit(main())
