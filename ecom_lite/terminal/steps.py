"""The steps of a demo on the terminal: what happens, where to look, what came of it; and the Enter that asks for the next."""

from __future__ import annotations

import contextlib
import select
import sys
from collections.abc import Callable, Iterator
from typing import Final

from ..observe.story import FAILED, NOW, Chapter
from .terminal import Terminal
from .view import duration

LOOK_S: Final = 0.1


class StepsShown:
    """Hears of each chapter as it begins, and as it is over. `count` is how many there are."""

    def __init__(self, terminal: Terminal, page: str, count: Callable[[], int]) -> None:
        self._terminal = terminal
        self._page = page.rstrip("/")
        self._count = count

    def __call__(self, place: int, chapter: Chapter) -> None:
        terminal, name = self._terminal, f"Step {place + 1} of {self._count()}: {chapter.title}"
        if chapter.state == NOW:
            terminal.headline(name)
            terminal.say(f"\n{name}", "bold")
            terminal.paragraph(chapter.text)
            terminal.paragraph(f"Look at {chapter.look}:")
            terminal.say(f"  {self._page}{chapter.link}", "cyan")
        elif chapter.state == FAILED:
            terminal.paragraph(f"FAILED after {duration(chapter.seconds)}: {chapter.text}", "bold red")
        else:
            terminal.paragraph(f"Done after {duration(chapter.seconds)}: {chapter.text}", "green")


@contextlib.contextmanager
def without_echo() -> Iterator[None]:
    """What is typed does not show on the terminal, where the view is drawn; Ctrl-C acts as ever."""
    try:
        import termios

        number = sys.stdin.fileno()
        before = termios.tcgetattr(number)
    except (ImportError, OSError, ValueError, termios.error):  # not of a terminal, or of a system that has no such thing
        yield
        return
    silent = [*before]
    silent[3] = before[3] & ~termios.ECHO
    termios.tcsetattr(number, termios.TCSANOW, silent)
    try:
        yield
    finally:
        termios.tcsetattr(number, termios.TCSANOW, before)


def enter_pressed() -> bool:
    """Waits for Enter LOOK_S at most. True also where nobody can press it any more."""
    readable, _, _ = select.select([sys.stdin], [], [], LOOK_S)
    return bool(readable) and sys.stdin.readline() is not None
