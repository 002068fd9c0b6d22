"""One log file per part under <data folder>/logs; what our own code logs, in one line per message."""

from __future__ import annotations

import heapq
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from ..errors import in_words
from ..settings.data_dir import LOGS, OLDER_LOG

MAX_BYTES: Final = 8 << 20
TAIL_BYTES: Final = 64 << 10
STAMP: Final = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d[.,]\d{3})")  # ours, Kafka's and PostgreSQL's: all UTC
OTHER_NAMES: Final = {"page": "dashboards", "dbt": "transform", "schedule": "supervise"}  # part -> the log it writes to
ROOMS: Final = ("load", "produce", "stream", "transform", "dashboards", "supervise", "check", "alerts")
LINE: Final = "%(asctime)s.%(msecs)03d %(levelname)-7s %(message)s"


class _OneLine(logging.Formatter):
    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(LINE, "%Y-%m-%dT%H:%M:%S")


def setup_file_logs(data_dir: Path, level: str) -> None:
    """Our loggers `ecom_lite.<room>` go to logs/<room>.log, warnings of libraries to logs/libraries.log; none to the terminal."""
    folder = data_dir / LOGS
    folder.mkdir(parents=True, exist_ok=True)
    for room in ROOMS:
        logger = logging.getLogger(f"ecom_lite.{room}")
        logger.handlers = [_file(folder / f"{room}.log")]
        logger.propagate = False
        logger.setLevel(level.upper())
    root = logging.getLogger()
    root.handlers = [_file(folder / "libraries.log")]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)


def setup_stderr_logs(level: str) -> None:
    """For a worker process, whose stderr its parent keeps in the worker's log file."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("ecom_lite").setLevel(level.upper())
    logging.getLogger("kafka.net").setLevel(logging.ERROR)  # it warns of every busy moment


class _LogFile(RotatingFileHandler):
    """Says once why it cannot be written, where logging itself would print a traceback for each line."""

    told = False

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not self.told and error is not None:
            self.told = True
            with suppress(OSError):  # stderr may be on the same full disk, or a terminal that is closed: that ends no part
                print(f"ecom_lite: a log cannot be written: {in_words(error)}", file=sys.stderr)


def _file(path: Path) -> logging.Handler:
    handler = _LogFile(path, maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8", delay=True)
    handler.setFormatter(_OneLine())
    return handler


def log_files(data_dir: Path, service: str | None) -> dict[str, Path]:
    """Log file by part name; only `service`'s when given. Empty where there is none."""
    found = {path.stem: path for path in sorted((data_dir / LOGS).glob("*.log"))}
    if service is None:
        return found
    wanted = service if service in found else OTHER_NAMES.get(service, service)
    several = re.compile(re.escape(wanted) + r"(-\d+)?")  # load, load-2, ...
    return {name: path for name, path in found.items() if several.fullmatch(name)}


def sizes(files: Mapping[str, Path]) -> dict[str, int]:
    """How long each file is now, in bytes: where `tail` ends and `follow` goes on."""
    return {name: path.stat().st_size for name, path in files.items()}


def tail(files: Mapping[str, Path], lines: int, until: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """The last `lines` lines of each file up to byte `until`, as (part, line), all files in the order of their time stamps."""
    each = [_stamped(name, _last_lines(path, lines, until[name])) for name, path in files.items()]
    for _stamp, name, line in heapq.merge(*each, key=lambda entry: entry[0]):
        yield name, line


def _stamped(name: str, lines: list[str]) -> list[tuple[str, str, str]]:
    """(time, part, line); a line without a time of its own belongs to the one before it."""
    stamp, stamped = "", []
    for line in lines:
        found = STAMP.match(line)
        stamp = max(stamp, f"{found[1]} {found[2]}") if found else stamp
        stamped.append((stamp, name, line))
    return stamped


def _last_lines(path: Path, lines: int, until: int) -> list[str]:
    """What the file lacks since it was begun anew is in the older generation."""
    found = _end_of(path, lines, until)
    older = _older(path)
    if len(found) < lines and older.is_file():
        found = _end_of(older, lines - len(found), older.stat().st_size) + found
    return found


def _older(path: Path) -> Path:
    return path.with_name(path.name + OLDER_LOG)


def _end_of(path: Path, lines: int, until: int) -> list[str]:
    chunk = TAIL_BYTES
    with path.open("rb") as file:
        while True:
            start = max(0, until - chunk)
            file.seek(start)
            data = file.read(until - start)
            if start == 0 or data.count(b"\n") > lines:
                return data.decode("utf-8", "replace").splitlines()[-lines:] if lines else []
            chunk *= 4


def follow(
    find: Callable[[], dict[str, Path]], wait: Callable[[float], bool], start: Mapping[str, int], poll_s: float = 0.3
) -> Iterator[tuple[str, str]]:
    """Lines beyond byte `start` of each file, and of those that appear later, as they come, until `wait(poll_s)` is true."""
    positions = dict(start)
    while not wait(poll_s):
        for name, path in find().items():
            try:
                size = path.stat().st_size
                begin = positions.get(name, 0)
                if size < begin:  # begun anew: the rest of what it held is in the older generation
                    older = _older(path)
                    if older.is_file():
                        yield from _lines_from(name, older, begin, older.stat().st_size, {})
                    begin = 0
                if size > begin:
                    yield from _lines_from(name, path, begin, size, positions)
                else:
                    positions[name] = begin
            except OSError:
                continue


def _lines_from(name: str, path: Path, begin: int, end: int, positions: dict[str, int]) -> Iterator[tuple[str, str]]:
    """The whole lines from `begin` to `end`; where they end is put down in `positions`."""
    with path.open("rb") as file:
        file.seek(begin)
        chunk = file.read(max(0, end - begin))
    whole = chunk.rfind(b"\n") + 1
    positions[name] = begin + whole
    for line in chunk[:whole].decode("utf-8", "replace").splitlines():
        yield name, line
