"""One log file per part under <data folder>/logs; what our own code logs, in one line per message."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

LOG_DIR: Final = "logs"
MAX_BYTES: Final = 8 << 20
ROOMS: Final = ("load", "produce", "stream", "transform", "dashboards", "supervise", "check")
LINE: Final = "%(asctime)s.%(msecs)03d %(levelname)-7s %(message)s"


class _OneLine(logging.Formatter):
    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(LINE, "%Y-%m-%dT%H:%M:%S")


def setup_file_logs(data_dir: Path, level: str) -> None:
    """Our loggers `ecom_lite.<room>` go to logs/<room>.log, warnings of libraries to logs/libraries.log, nothing to the terminal."""
    folder = data_dir / LOG_DIR
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


def _file(path: Path) -> logging.Handler:
    handler = RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8", delay=True)
    handler.setFormatter(_OneLine())
    return handler


def log_files(data_dir: Path, service: str | None) -> dict[str, Path]:
    """Log file by part name; only `service`'s when given. Empty where there is none."""
    found = {path.stem: path for path in sorted((data_dir / LOG_DIR).glob("*.log"))}
    return found if service is None else {name: path for name, path in found.items() if name == service}


def tail(paths: Iterable[Path], lines: int) -> Iterator[tuple[str, str]]:
    """The last `lines` lines of each file, as (part, line)."""
    for path in paths:
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]:
            yield path.stem, line


def follow(find: Callable[[], dict[str, Path]], wait: Callable[[float], bool], poll_s: float = 0.3) -> Iterator[tuple[str, str]]:
    """New lines of all files as they are written, those that appear later too, until `wait(poll_s)` says stop."""
    positions = {name: path.stat().st_size for name, path in find().items()}
    while not wait(poll_s):
        for name, path in find().items():
            try:
                size = path.stat().st_size
                start = positions.get(name, 0)
                if size < start:
                    start = 0  # rotated
                if size > start:
                    with path.open("rb") as file:
                        file.seek(start)
                        chunk = file.read(size - start)
                    whole = chunk.rfind(b"\n") + 1
                    positions[name] = start + whole
                    for line in chunk[:whole].decode("utf-8", "replace").splitlines():
                        yield name, line
            except OSError:
                continue
