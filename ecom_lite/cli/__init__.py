"""The verbs: parse, call, print. Data on stdout, talk on stderr; no work is done here."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from ..errors import EcomLiteError, in_words
from ..terminal.screen import protect
from .asking import quickly
from .ends import take_signals

if TYPE_CHECKING:  # a tenth of a second, and twice as much for what it imports
    import typer

MODULES: Final = (
    "alerts", "ask", "backup", "bench", "check", "data", "dead", "demo", "events", "lake", "life", "load", "machine", "password",
    "rates", "rebuild", "refresh", "schema", "shipped", "steer",
)  # fmt: skip
# People wait for their start: no other verb is imported.
QUICK: Final = {"check": "check", "sql": "ask", "psql": "ask", "tables": "ask", "run": "life", "demo": "demo"}


def verbs(first: str = "") -> typer.Typer:
    """The application with all verbs, or, where the first word of the line is a quick verb, with those of its file."""
    for name in [QUICK[first]] if first in QUICK else MODULES:
        import_module(f".{name}", __package__)
    from .base import cli

    return cli


def _foreign(error: Exception) -> bool:
    """A database that went away under a command is no bug of ours. (psycopg is imported only where it is used.)"""
    psycopg = sys.modules.get("psycopg")
    return psycopg is not None and isinstance(error, psycopg.Error)


def main() -> None:
    """Run the command line; errors that the user can act on are one message and an exit code, never a traceback."""
    protect()
    try:
        if sys.argv[1:2] == ["sql"]:
            take_signals()
            if quickly(sys.argv[2:]):
                sys.exit(0)
        application = verbs("".join(sys.argv[1:2]))
        take_signals()
        application(prog_name="ecom_lite", standalone_mode=True)
    except EcomLiteError as error:
        print(f"ecom_lite: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        print(f"ecom_lite: {in_words(error)}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        if not _foreign(error):
            raise
        print(f"ecom_lite: the warehouse did not answer: {str(error).strip()}; see `ecom_lite status`", file=sys.stderr)
        sys.exit(1)
