"""Owns the log file of a child: opened so that it can be written, and kept within its bound while the child writes to it.

The child holds the file open and knows nothing of this. It appends (O_APPEND), so a file cut to nothing goes on at its start.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from ..settings.data_dir import DRAFT, OLDER_LOG, naming

LIMIT_BYTES: Final = 8 << 20  # of the file; what was in it before goes to one older generation, beside it


def open_log(path: Path, name: str) -> IO[bytes]:
    """Opened for appending, with a line that `name` is started. Raises OSError, which names the file, when it takes no byte."""
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        log = path.open("ab", buffering=0)
        try:  # what cannot be written is found out now, not when its words would be needed
            now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
            log.write(f"{now} INFO    {name} is started\n".encode())
        except OSError:
            log.close()
            raise
    return log


def bound(path: Path, limit_bytes: int) -> bool:
    """Where the file is longer than that, move what it holds to the older generation (of its end, up to twice as much);
    True when it did. Call it often: what comes between two calls is on top. Lines written in the instant of the cut may be lost.
    """
    try:
        size = path.stat().st_size
        if size <= limit_bytes or not path.is_file():
            return False
        draft = path.with_name(path.name + OLDER_LOG + DRAFT)
        with suppress(OSError):  # on a full disk what is old goes without a copy: that makes room
            try:
                with path.open("rb") as source, draft.open("wb") as copy:
                    source.seek(max(0, size - 2 * limit_bytes))
                    shutil.copyfileobj(source, copy)
                draft.replace(path.with_name(path.name + OLDER_LOG))
            finally:
                draft.unlink(missing_ok=True)
        os.truncate(path, 0)
        return True
    except OSError:
        return False  # gone, or no longer ours: there is nothing to bound
