"""One question and where its answer goes: to the screen, to a pipe, or into a file."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final

from ..errors import UsageError
from ..settings.data_dir import DRAFT, naming
from ..terminal.printing import named_row
from ..terminal.screen import PLAIN, shown
from .formats import CSV, JSON, MARKDOWN, PARQUET, TABLE, WRITERS, text
from .grid import grid

if TYPE_CHECKING:
    import duckdb

    from .session import Session

PIPED_ROWS: Final = 1000  # of a table that goes to a pipe or a file, unless a limit is given
COUNTED_ROWS: Final = 10_000  # of a table on the screen: so many are counted, and no more are read
CHUNK_ROWS: Final = 2000
BESIDES_ROWS: Final = 6  # lines of the screen that are no rows: the header, the notes, the prompt
FEWEST_ROWS: Final = 5
DEVICES: Final = (Path("/dev"), Path("/dev/fd"))  # where a file that is open already may stand, as /dev/stdout of `> answer.csv`
EXPLAINED: Final = ["explain_key", "explain_value"]


@dataclass(frozen=True)
class Wish:
    """How an answer is to look: `limit` rows at most (None: what fits the place), in `format`, in the file `output`."""

    format: str = TABLE
    limit: int | None = None
    output: Path | None = None

    @property
    def one_file(self) -> bool:
        """Whether there cannot be another answer behind it."""
        return self.output is not None or self.format == PARQUET


@dataclass(frozen=True)
class Told:
    """What is said about an answer, in a line: how many rows, what was left out."""

    rows: int
    notes: tuple[str, ...] = ()
    more: bool = False  # there are more rows than were read

    @property
    def counted(self) -> str:
        return ("more than " if self.more else "") + (f"{self.rows:,} rows" if self.rows != 1 or self.more else "1 row")


def answer(session: Session, statement: str, wish: Wish) -> Told:
    """Ask and show (or write) the answer. Raises QueryError and its kin, UsageError, OSError."""
    if wish.format == PARQUET:
        return Told(_parquet(session, statement, wish))
    if wish.format == TABLE:
        return _table(session, statement, wish)
    with _out(wish.output) as out:

        def write(connection: duckdb.DuckDBPyConnection) -> int:
            columns = _columns(connection)
            counted = _Counted(connection, wish.limit)
            WRITERS[wish.format](columns, counted, out)
            return counted.rows

        return Told(session.ask(statement, write))


def check_parquet(wish: Wish) -> None:
    """Raises UsageError where Parquet would go to a terminal, or be cut."""
    if wish.format == PARQUET and wish.output is None and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal: --output answer.parquet, or > answer.parquet")
    if wish.format == PARQUET and wish.limit is not None:
        raise UsageError("Parquet takes the whole answer: write LIMIT into the question")


@contextmanager
def parquet_draft(wish: Wish) -> Iterator[Path | None]:
    """The file that a session may write for this wish, moved to its place (or to stdout) at the end; None where it needs none."""
    if wish.format != PARQUET:
        yield None
        return
    if wish.output is None or _is_stream(wish.output):
        with tempfile.TemporaryDirectory(prefix="ecom_lite_") as folder, ExitStack() as opened:
            out: BinaryIO = sys.stdout.buffer if wish.output is None else opened.enter_context(wish.output.open("ab"))
            file = Path(folder) / "answer.parquet"
            yield file
            with file.open("rb") as made:
                shutil.copyfileobj(made, out)
            out.flush()
        return
    draft = _draft_of(wish.output)
    try:
        yield draft
        draft.replace(wish.output)
    finally:
        draft.unlink(missing_ok=True)


def _is_stream(output: Path) -> bool:
    """A pipe or a device (/dev/null): written to as it is, and never replaced by a file."""
    if not output.exists() or output.is_dir():
        return False
    return not output.is_file() or Path(os.path.abspath(output)).parent in DEVICES


def _draft_of(output: Path) -> Path:
    """Beside it, absolute, and writable: DuckDB's own message would not say what to do."""
    draft = Path(os.path.abspath(output)).with_name(output.name + DRAFT)
    try:
        draft.touch()
    except OSError as error:
        error.filename = str(output)
        raise
    return draft


def _parquet(session: Session, statement: str, wish: Wish) -> int:
    return session.export(statement)


class _Counted:
    """The rows of an answer as they come, at most `limit`; `rows` counts them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, limit: int | None) -> None:
        self._connection = connection
        self._limit = limit
        self.rows = 0

    def __iter__(self) -> Iterator[Sequence[Any]]:
        while True:
            chunk = CHUNK_ROWS if self._limit is None else min(CHUNK_ROWS, self._limit - self.rows)
            found = self._connection.fetchmany(chunk) if chunk else []
            if not found:
                return
            self.rows += len(found)
            yield from found


def _table(session: Session, statement: str, wish: Wish) -> Told:
    screen = wish.output is None and sys.stdout.isatty()
    room = max(FEWEST_ROWS, shutil.get_terminal_size().lines - BESIDES_ROWS)
    most = wish.limit or (COUNTED_ROWS if screen else PIPED_ROWS)

    def fetch(connection: duckdb.DuckDBPyConnection) -> tuple[list[str], list[tuple[Any, ...]]]:
        return _columns(connection), connection.fetchmany(most + 1)

    columns, rows = session.ask(statement, fetch)
    more = len(rows) > most
    rows = rows[:most]
    if columns == EXPLAINED:
        _print([line for row in rows for line in text(row[1]).splitlines()], wish)
        return Told(len(rows))
    if os.environ.get(PLAIN) and wish.output is None:
        spelled = shown if screen else str
        _print([named_row(columns, [spelled(text(cell)) for cell in row]) for row in rows], wish)
        return Told(len(rows), tuple(_notes(len(rows), len(rows), more, wish, screen, ())), more)
    show = min(len(rows), room) if screen and wish.limit is None else len(rows)
    width = shutil.get_terminal_size().columns if screen else None
    made = grid(columns, rows[:show], width, shown if screen else str)
    _print(made.lines, wish)
    return Told(len(rows), tuple(_notes(show, len(rows), more, wish, screen, made.left_out)), more)


def _notes(show: int, rows: int, more: bool, wish: Wish, screen: bool, left_out: Sequence[str]) -> Iterator[str]:
    if show < rows or (more and screen and wish.limit is None):
        yield f"{show:,} of {'more than ' if more else ''}{rows:,} rows are shown"
    elif more:
        yield f"only the first {rows:,} rows are shown; a greater limit shows more"
    if left_out:
        names = ", ".join(left_out)
        yield f"{len(left_out)} more column{'s have' if len(left_out) > 1 else ' has'} no room here: {names}"


def _print(lines: Sequence[str], wish: Wish) -> None:
    with _out(wish.output) as out:
        for line in lines:
            print(line, file=out)


@contextmanager
def _out(output: Path | None) -> Iterator[IO[str]]:
    """stdout, or the file, which is replaced in one step when all is written. Raises OSError, which names the file."""
    if output is None:
        yield sys.stdout
        return
    if _is_stream(output):
        with naming(output), output.open("a", encoding="utf-8", newline="") as file:  # behind what is there, of `>> answer.csv`
            yield file
        return
    draft = _draft_of(output)
    try:
        with naming(draft), draft.open("w", encoding="utf-8", newline="") as file:
            yield file
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)


def _columns(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [column[0] for column in connection.description or []]


__all__ = ["CSV", "JSON", "MARKDOWN", "PARQUET", "TABLE", "Told", "Wish", "answer", "check_parquet", "parquet_draft"]
