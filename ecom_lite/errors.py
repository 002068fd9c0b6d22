"""The error tree: every message a user sees says what, where, which value, and what to do."""

import errno
import os
import re
from typing import Final

_LOGIN: Final = re.compile(r"(?<=://)[^/?#\s]+@")  # up to the last @ before the path: a password may have one
_NO_ROOM: Final = "make room there, or name another place"
_NOT_OURS: Final = "make it readable and writable to this user, or name another place"
_IN_THE_WAY: Final = "something else has this name: move it out of the way, or name another place"
ADVICE: Final = {
    errno.ENOSPC: _NO_ROOM, errno.EDQUOT: _NO_ROOM, errno.EACCES: _NOT_OURS, errno.EPERM: _NOT_OURS, errno.EROFS: _NOT_OURS,
    errno.EISDIR: _IN_THE_WAY, errno.ENOTDIR: _IN_THE_WAY, errno.EEXIST: _IN_THE_WAY, errno.ENOTEMPTY: _IN_THE_WAY,
    errno.EMFILE: "raise this user's limit of open files (ulimit -n)",
}  # fmt: skip


def in_words(error: BaseException) -> str:
    """What the system refused: which file, why, what to do. Any other error is its own message."""
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error) or type(error).__name__
    name = error.filename if error.filename2 is None else error.filename2  # of a renaming: the place it was to have
    where = "" if name is None or isinstance(name, int) else f"{os.fsdecode(name)}: "
    return where + error.strerror + (f": {ADVICE[error.errno]}" if error.errno in ADVICE else "")


def first_line(error: BaseException | str) -> str:
    """What fits into a line of talk: the first line of the message, or the error's name where it has none."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def without_login(text: str) -> str:
    """A text in which no address has a name and password before its host."""
    return _LOGIN.sub("***@", text)


class EcomLiteError(Exception):
    """Something failed that the user can act on. The CLI prints the message and exits with `exit_code`, no traceback."""

    exit_code = 1


class UsageError(EcomLiteError):
    """A command was used in a way that cannot work (wrong verb, wrong option, wrong moment)."""

    exit_code = 2


class ConfigError(UsageError):
    """A setting is wrong: the message names the field, the value, the reason and where it was set."""


class AlreadyRunning(UsageError):
    """Another run holds the data folder: the message names its pid and how to stop it."""


class NotRunning(UsageError):
    """The command needs a live run, and none holds the data folder."""


class EngineError(EcomLiteError):
    """A server that we start ourselves (Kafka, PostgreSQL, the Spark JVM, Grafana) did not come up or died."""


class PortTaken(EngineError):
    """A fixed port is in use: the message names the process that has it, where that can be known."""


class JarError(EngineError):
    """A jar is missing, cannot be fetched, or does not match the lock."""


class MigrationError(EcomLiteError):
    """The database schema and the migration files disagree."""


class LoadError(EcomLiteError):
    """The loader met an error that no retry mends: the message has the SQLSTATE and what to do."""


class StreamError(EcomLiteError):
    """Spark could not start or its checkpoint does not fit the settings."""


class LakeError(EcomLiteError):
    """The lake or the raw archive cannot be written or read: the message says which file, and what to do."""


class TransformError(EcomLiteError):
    """dbt could not run (a failing data test is not an error: it is recorded and shown)."""


class CheckFailed(EcomLiteError):
    """The count does not close."""


class QueryError(EcomLiteError):
    """A user's SQL statement was refused: the message is the database's."""


class OnlyReads(QueryError):
    """A user's SQL statement would do more than read: wrong usage, whatever is in the warehouse."""

    exit_code = 2


class TookTooLong(QueryError):
    """A user's question was ended because its time was up: the message says how to give it more."""


class WarehouseLost(QueryError):
    """PostgreSQL, or the connection to it, went away under a question: the message is its last words, and what to do."""


class DashboardError(EcomLiteError):
    """A dashboard file cannot be read or holds something no renderer can draw."""
