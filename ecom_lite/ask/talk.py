"""What a line of a prompt or of a file leads to: questions are asked, commands carried out."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator

from ..errors import EcomLiteError, UsageError
from .answer import Wish
from .asker import Asker
from .commands import carry_out
from .lines import Lines, Part


class Talk:
    """`say` is for what is no answer. `wish` and the asker's time limit may be changed by commands; `over` once one has ended it.

    `timed`: each answer is followed by its rows and seconds.
    """

    def __init__(self, asker: Asker, wish: Wish, say: Callable[[str], None], *, timed: bool = False) -> None:
        self.asker = asker
        self.wish = wish
        self.over = False
        self.done = 0  # how many statements and commands
        self.lines = Lines()
        self._say = say
        self._timed = timed

    def parts(self, lines: Iterable[str]) -> Iterator[Part]:
        """The statements and commands of a file."""
        for line in lines:
            yield from self.lines.feed(line)
        yield from self.lines.end()

    def do(self, part: Part) -> None:
        """Raises QueryError, UsageError, OSError; a KeyboardInterrupt ends the question and is passed on."""
        self.done += 1
        if part.command:
            carry_out(part.text, self)
            return
        began = time.monotonic()
        told = self.asker.ask(part.text, self.wish)
        sys.stdout.flush()  # before what is said of it
        for note in told.notes:
            self._say(note)
        if self._timed:
            self._say(f"({told.counted}, {time.monotonic() - began:.3f} s)")


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
