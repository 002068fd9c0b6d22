"""The prompt of `ecom_lite sql`: reads, asks, shows, until the user leaves."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Final

from ..errors import EcomLiteError, in_words
from .answer import Wish
from .asker import Asker
from .catalogue import Catalogue
from .completion import commands, completions
from .editor import Editor
from .lines import Part
from .statements import one_line
from .talk import Talk

PROMPT: Final = "ecom> "
FURTHER: Final = "   {}> "  # what the statement stands inside, or a dash
FRESH_S: Final = 30.0  # names that are older are read anew with the next Tab
WAIT_S: Final = 2.0  # a Tab waits so long for the first names


def say(line: str) -> None:
    """What is no answer."""
    print(line, file=sys.stderr, flush=True)


class Names:
    """The catalogue for completion: read in a thread, so that nobody waits for it but the very first Tab."""

    def __init__(self, read: Callable[[], Catalogue]) -> None:
        self._read = read
        self._known = Catalogue()
        self._at: float | None = None
        self._idle = Event()
        self._idle.set()

    def refresh(self) -> None:
        """Read them anew where they are not fresh; returns at once."""
        if self._idle.is_set() and (self._at is None or time.monotonic() - self._at > FRESH_S):
            self._idle.clear()
            Thread(target=self._run, name="names", daemon=True).start()

    def now(self) -> Catalogue:
        """What is known; empty where nothing answers."""
        self.refresh()
        if self._at is None:
            self._idle.wait(WAIT_S)
        return self._known

    def _run(self) -> None:
        try:
            self._known = self._read()
            self._at = time.monotonic()
        except Exception:  # without names there is no completion: a question tells what is wrong
            pass
        finally:
            self._idle.set()


class Prompt:
    """Talks until `.quit` or Ctrl-D."""

    def __init__(self, asker: Asker, wish: Wish, history: Path) -> None:
        self._asker = asker
        self._talk = Talk(asker, wish, say, timed=True)
        self._names = Names(asker.peek)
        self._editor = Editor(history, self._complete)

    def run(self, version: str) -> None:
        """Raises EcomLiteError where the warehouse cannot be reached at the start; from then on errors are lines."""
        self._asker.connect()
        self._names.refresh()
        say(f"ecom_lite {version}, {self._asker.place}, read-only. A question ends with ; and .help tells more.")
        while not self._talk.over:
            try:
                self._go_on()
            except KeyboardInterrupt:  # while it dealt with another one
                say("")

    def _go_on(self) -> None:
        lines = self._talk.lines
        try:
            line = self._editor.line(FURTHER.format(lines.open or "-") if lines.begun else PROMPT)
        except KeyboardInterrupt:
            lines.clear()
            say("")
            return
        except EOFError:
            self._talk.over = True
            say("")
            return
        except ValueError as error:
            say(f"error: this is not text in UTF-8: {error}")
            return
        for part in lines.feed(line):
            self._remember(part)
            if not self._answered(part):
                return

    def _answered(self, part: Part) -> bool:
        """Whether to go on with what else stands in the line."""
        try:
            self._talk.do(part)
        except KeyboardInterrupt:
            say("\nended by Ctrl-C")
            self._talk.lines.clear()
            return False
        except (EcomLiteError, OSError) as error:
            sys.stdout.flush()
            say(f"error: {in_words(error)}")
        return not self._talk.over

    def _remember(self, part: Part) -> None:
        try:
            self._editor.remember(part.text if part.command else f"{one_line(part.text)};")
        except OSError as error:
            say(f"the history is not kept: {in_words(error)}")

    def _complete(self, before: str, word: str, line: str) -> list[str]:
        begun = self._talk.lines.text
        if not begun and line.lstrip().startswith("."):
            return commands(before, word, self._names.now())
        after = line[len(before) + len(word) :]
        return completions(begun + before, word, after, self._names.now())
