"""GET /api/logs/{part}: the end of a part's log, for who has the token; a bounded read, and no secret in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ..observe.logs import log_files
from ..observe.status import RunStatus
from ..settings.data_dir import OLDER_LOG
from .answers import error_answer, json_answer
from .control import refuse

MOST_LINES: Final = 1000
USUAL_LINES: Final = 100
MOST_BYTES: Final = 256 << 10  # read from the end of the file, however long its lines are
LEAST_SECRET_CHARS: Final = 6  # a shorter one would take words out of every line
MASK: Final = "***"
_LINES: Final = re.compile(r"[0-9]{1,6}")
_BAD_REQUEST: Final = 400
_NOT_FOUND: Final = 404

Secrets = Callable[[], Iterable[str]]


def log_tail(path: Path, lines: int, most_bytes: int = MOST_BYTES) -> tuple[list[str], bool]:
    """The last lines, and whether there are more before them; what a file that was just cut lacks is in the older one. Reads no
    more than `most_bytes`. Raises OSError."""
    found, cut = _end(path, most_bytes)
    older = path.with_name(path.name + OLDER_LOG)
    if found.count(b"\n") < lines and not cut and older.is_file():
        before, cut = _end(older, most_bytes - len(found))
        found = before + found
    each = found.decode("utf-8", "replace").splitlines()
    return each[-lines:], cut or len(each) > lines


def _end(path: Path, most_bytes: int) -> tuple[bytes, bool]:
    """Its last whole lines, and whether that is not all of it."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - most_bytes))
        found = file.read(most_bytes)
    return (found, False) if size <= most_bytes else (found.partition(b"\n")[2], True)


def masked(line: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        line = line.replace(secret, MASK)
    return line


def logs_endpoint(
    data_dir: Path | None, secrets: Secrets, status: Callable[[], RunStatus], token: str
) -> Callable[[Request], Any]:
    """The route's handler. A part is one of this run by name, and its file one that the log layout has: no path is ever taken."""

    def read(path: Path, lines: int) -> dict[str, Any]:
        found, more = log_tail(path, lines)
        hidden = sorted({secret for secret in secrets() if len(secret) >= LEAST_SECRET_CHARS}, key=len, reverse=True)
        return {"lines": [masked(line, hidden) for line in found], "more": more}

    async def answer(request: Request) -> Response:
        """The last lines of the log of a part of this run (`?lines=100`, at most 1,000, and of the last 256 KiB), oldest first:
        200, with `lines`, and `more` where there are others before them. Passwords and the token are masked.

        For programs on this machine that have the token: a log may say more than the boards do. 400: a wrong number of lines;
        404: no such part, or it has no log."""
        refused = refuse(request, token)
        if refused is not None:
            return refused
        part, asked = request.path_params["part"], request.query_params.get("lines", str(USUAL_LINES))
        if not (_LINES.fullmatch(asked) and 1 <= int(asked) <= MOST_LINES):
            return error_answer(f"lines = {asked[:20]!r}: give a number from 1 to {MOST_LINES:,}", _BAD_REQUEST)
        now = status()
        files = {} if data_dir is None or part not in now.parts else log_files(data_dir, part)
        path = files.get(part) or next(iter(files.values()), None)
        if data_dir is None or path is None:
            known = ", ".join(name for name in now.parts if data_dir is not None and log_files(data_dir, name)) or "none"
            return error_answer(f"no log of a part {part[:40]!r} of this run; there is: {known}", _NOT_FOUND)
        try:
            found = await run_in_threadpool(read, path, int(asked))
        except OSError as error:
            return error_answer(f"the log of {part} cannot be read: {error.strerror}", _NOT_FOUND)
        return json_answer({"part": part, **found})

    return answer
