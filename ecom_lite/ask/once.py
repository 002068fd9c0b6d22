"""Questions of a command that ends by itself: `ecom_lite sql "SELECT ..."`, and the statements of a file, one after the other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ..errors import EcomLiteError, UsageError
from .answer import Told, Wish, parquet_draft
from .asker import Asker
from .talk import Talk

if TYPE_CHECKING:
    from ..settings.tree import Settings
    from ..warehouse.connect import Address
    from .warm import Warm


def ask_once(
    settings: Settings, reach: Callable[[ExitStack], Address], warm: Warm, statement: str, wish: Wish, timeout_s: float
) -> Told:  # fmt: skip
    """Ask the one statement and show its answer. Raises QueryError, with near names; UsageError, OSError."""
    with parquet_draft(wish) as draft, Asker(settings, reach, warm, timeout_s, output=draft) as asker:
        return asker.ask(statement, wish)


def ask_all(asker: Asker, lines: Iterable[str], wish: Wish) -> None:
    """Answer each statement as soon as it is complete. Raises the first error, which names the line where its statement begins;
    UsageError where there is no statement."""
    talk = Talk(asker, wish, lambda line: print(line, file=sys.stderr))
    for part in talk.parts(lines):
        try:
            talk.do(part)
        except EcomLiteError as error:
            if part.line == 1:
                raise
            raise type(error)(f"line {part.line}: {error}") from None
        if talk.over:
            return
    if not talk.done:
        raise UsageError("no SQL statement was given")
