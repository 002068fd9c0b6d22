"""Lines that are typed, or come from a file, on their way to statements and commands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .commands import BACKSLASHES, NAMES, is_command
from .statements import open_in, split


@dataclass(frozen=True)
class Part:
    """A statement without its `;`, or a command; `line` is where it begins, from 1 on."""

    text: str
    line: int
    command: bool = False


class Lines:
    """Each line is handed to `feed`; what is complete comes out."""

    def __init__(self) -> None:
        self._text = ""
        self._line = 0  # how many came
        self._begun = 1  # in which one the text begins

    @property
    def begun(self) -> bool:
        """Whether a statement has begun and has no end yet."""
        return bool(split(self._text)[1])

    @property
    def open(self) -> str:
        """What it stands inside, see `open_in`."""
        return open_in(self._text)

    @property
    def text(self) -> str:
        """Of the statement that is not complete."""
        return self._text

    def feed(self, line: str) -> Iterator[Part]:
        """What this line completes."""
        self._line += 1
        if is_command(line) and self._takes_command(line):
            yield Part(line.strip(), self._line, command=True)
            return
        if not self._text:
            self._begun = self._line
        line = line.rstrip("\n")
        if line.rstrip().endswith(("\\g", "\\G")) and not open_in(self._text + line.rstrip()[:-2]):
            line = line.rstrip()[:-2] + ";"  # as psql has it
        self._text += line + "\n"
        self._line += line.count("\n")  # pasted
        if ";" not in line:
            if not self._text.strip():
                self._text = ""
            return
        complete, rest = split(self._text)
        begun, self._text, self._begun = self._begun, rest, self._line
        for statement in complete:
            yield Part(statement, begun)

    def end(self) -> Iterator[Part]:
        """No line comes any more: the last statement needs no `;`."""
        rest = split(self._text)[1].strip()
        self.clear()
        if rest:
            yield Part(rest, self._begun)

    def clear(self) -> None:
        """Forget what was not completed."""
        self._text = ""

    def _takes_command(self, line: str) -> bool:
        """In the middle of a statement one that is known: `.name` may go on with a table there."""
        if not self.begun:
            return True
        return not self.open and line.split()[0] in (*NAMES, *BACKSLASHES)
