"""A line of the prompt: read with the editing, completion and history of readline, which is kept in a file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ..settings.data_dir import write_private

try:
    import readline as _readline
except ImportError:  # a Python that was built without
    _readline = None  # type: ignore[assignment]

KEPT: Final = 1000  # entries of the history
DELIMITERS: Final = " \t\n,;()[]{}=<>+-*/%!|&^~:'"  # what a name is not made of; a dot is a part of it
GNU: Final = ("tab: complete", "set completion-ignore-case on", "set show-all-if-ambiguous on")
LIBEDIT: Final = ("bind ^I rl_complete",)


class Editor:
    """`complete(before, word, line)` gives what a word may become: `before` it stands what was typed of this line."""

    def __init__(self, history: Path, complete: Callable[[str, str, str], list[str]]) -> None:
        self._history = history
        self._complete = complete
        self._matches: list[str] = []
        self._last = ""
        self._kept = True
        if _readline is None:
            return
        libedit = "libedit" in (_readline.__doc__ or "")
        for line in LIBEDIT if libedit else GNU:
            _readline.parse_and_bind(line)
        _readline.set_completer_delims(DELIMITERS)
        _readline.set_completer(self._match)
        _readline.set_auto_history(False)
        _readline.clear_history()
        for entry in self._read():
            _readline.add_history(entry)
            self._last = entry

    def line(self, prompt: str) -> str:
        """What the user types; it may have several lines where it was pasted. Raises EOFError, KeyboardInterrupt."""
        return input(prompt)

    def remember(self, entry: str) -> None:
        """At once in the file, too: a kill loses nothing. Raises OSError the first time that it is not kept."""
        if entry == self._last:
            return
        self._last = entry
        if _readline is not None:
            _readline.add_history(entry)
        if self._kept:
            try:
                self._append(entry)
            except OSError:
                self._kept = False
                raise

    def _append(self, entry: str) -> None:
        descriptor = os.open(self._history, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(_line(entry).encode())

    def _read(self) -> list[str]:
        """The newest entries; a file that has become long is cut to these. What is no entry is nothing."""
        try:
            lines = self._history.read_text("utf-8", "replace").split("\n")  # within an entry others may end a line
        except OSError:
            return []
        entries = [entry for entry in map(_entry, lines) if entry]
        if len(lines) > 2 * KEPT:
            try:
                write_private(self._history, "".join(map(_line, entries[-KEPT:])))
            except OSError:
                pass  # it is too long, then
        return entries[-KEPT:]

    def _match(self, word: str, number: int) -> str | None:
        """readline's completer: called with 0, 1, .. until it has no more."""
        if number == 0:
            assert _readline is not None
            line = _readline.get_line_buffer()
            self._matches = self._complete(line[: _readline.get_begidx()], word, line)
        return self._matches[number] if number < len(self._matches) else None


def _line(entry: str) -> str:
    """As it stands in the file; bytes that were no text are written as escapes."""
    return json.dumps(entry, ensure_ascii=False).encode("utf-8", "backslashreplace").decode() + "\n"


def _entry(line: str) -> str:
    try:
        entry: Any = json.loads(line)
    except ValueError:
        return ""
    return entry if isinstance(entry, str) else ""
