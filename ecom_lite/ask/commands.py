"""The commands of the prompt that are no SQL: what they are called, and what they do."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ..errors import UsageError
from .formats import PARQUET, format_named
from .listing import schema, tables

if TYPE_CHECKING:
    from .talk import Talk

LEAVING: Final = ("quit", "exit", "quit;", "exit;")
# As psql has them.
BACKSLASHES: Final = {
    "\\q": ".quit",
    "\\?": ".help",
    "\\h": ".help",
    "\\d": ".schema",
    "\\d+": ".schema",
    "\\dt": ".tables",
    "\\dt+": ".tables",
}
HELP: Final = (
    (".tables [WORD]", "the tables and views: all, those of a schema, or with this word in their name"),
    (".schema TABLE", "what a table is, and its columns"),
    (".format [NAME]", "show answers as table, csv, json or markdown"),
    (".timeout [SECONDS]", "end a question after so many seconds; 0 never"),
    (".help", "this"),
    (".quit", "leave, as Ctrl-D does"),
)
NAMES: Final = tuple(usage.split()[0] for usage, _ in HELP)
ALSO: Final = (
    "A question ends with ; and may take several lines. It only reads; all its tables are read at one moment.",
    "Tab completes, arrow up brings back, Ctrl-C ends a question or clears what is typed.",
)


def is_command(line: str) -> bool:
    """Whether a line at the begin of a statement is no SQL."""
    word = line.strip().lower()
    return word in LEAVING or word.startswith("\\") or (word.startswith(".") and word[1:2].isalpha())


def carry_out(line: str, talk: Talk) -> None:
    """Raises UsageError for one that is not there, or that lacks something; QueryError where the warehouse must answer."""
    name, *rest = line.split()
    word = rest[0].rstrip(";") if rest else ""
    name = name.lower().rstrip(";")
    if name in BACKSLASHES:
        name = ".tables" if BACKSLASHES[name] == ".schema" and not word else BACKSLASHES[name]
    name = ".quit" if name in LEAVING else name
    if name not in COMMANDS:
        raise UsageError(_unknown(name))
    if len(rest) > 1:
        usage = next(usage for usage, _ in HELP if usage.split()[0] == name)
        raise UsageError(f"{' '.join(rest[1:])}: too many words; {usage}")
    COMMANDS[name](word, talk)


def _unknown(name: str) -> str:
    from .near import did_you_mean, near

    meant = near(name, NAMES) or [known for known in NAMES if len(name) > 1 and known.startswith(name)]
    return f"no command {name}" + (did_you_mean(meant) or "; .help lists them")


def _tables(word: str, talk: Talk) -> None:
    from .near import none_listed

    catalogue = talk.asker.catalogue()
    lines = tables(catalogue, _width(), word)
    if not lines:
        raise UsageError(none_listed(word, catalogue))
    print("\n".join(lines))


def _schema(word: str, talk: Talk) -> None:
    from .near import no_table

    if not word:
        raise UsageError(".schema of which table? .tables lists them")
    catalogue = talk.asker.catalogue()
    table = catalogue.find(word)
    if table is None:
        raise UsageError(no_table(word, catalogue))
    print("\n".join(schema(table, _width())))


def _format(word: str, talk: Talk) -> None:
    if not word:
        print(talk.wish.format)
        return
    if format_named(word) == PARQUET:
        raise UsageError('Parquet is for a file: `ecom_lite sql -o answer.parquet "SELECT ..."`')
    talk.wish = replace(talk.wish, format=word)


def _timeout(word: str, talk: Talk) -> None:
    if not word:
        print(f"{talk.asker.timeout_s:g} s")
        return
    try:
        seconds = float(word)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e6:
        raise UsageError(f".timeout {word}: give a number of seconds, 0 for never")
    talk.asker.timeout_s = seconds


def _help(word: str, talk: Talk) -> None:
    wide = max(len(usage) for usage, _ in HELP)
    print("\n".join(f"  {usage.ljust(wide)}  {meaning}" for usage, meaning in HELP))
    print("\n".join(ALSO))


def _quit(word: str, talk: Talk) -> None:
    talk.over = True


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize


COMMANDS: Final[dict[str, Callable[[str, Talk], None]]] = {
    ".tables": _tables, ".schema": _schema, ".format": _format, ".timeout": _timeout, ".help": _help, ".quit": _quit,
}  # fmt: skip
