"""Reads what a program has written to a terminal, and types on it as a person does."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from threading import Thread
from typing import Final

from .runs import wait_for

ENTER: Final = "\r"
TAB: Final = "\t"
UP: Final = "\x1b[A"
CTRL_C: Final = "\x03"
CTRL_D: Final = "\x04"
EXIT_S: Final = 60.0
AGAIN_S: Final = 5.0


def until_closed(terminal: int) -> bytes:
    """All that comes until the other end is closed; closes this one."""
    written = b""
    try:
        while chunk := os.read(terminal, 65_536):
            written += chunk
    except OSError:  # Linux: the other end is closed
        pass
    finally:
        os.close(terminal)
    return written


class Typed:
    """A command on a terminal of its own, with us at the keys. Use as a context manager: it is killed if it does not end."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], *, lines: int = 30, columns: int = 100) -> None:
        self._written = ""
        self._seen = 0
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            try:  # here, so that the program never sees a terminal without a size
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
                os.execvpe(command[0], [*command], {**env, "TERM": "xterm-256color"})
            finally:
                os.kill(os.getpid(), signal.SIGKILL)  # no second pytest
        self._reading = Thread(target=self._read, name="terminal", daemon=True)
        self._reading.start()
        self._code: int | None = None

    def __enter__(self) -> Typed:
        return self

    def __exit__(self, *_: object) -> None:
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self._reading.join(EXIT_S)
        os.close(self._terminal)

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def until(self, words: str, again: str = "") -> str:
        """What was written since the last call, up to these words. `again` is typed every few seconds until they come."""
        typed_at = time.monotonic()

        def written() -> bool:
            nonlocal typed_at
            if again and time.monotonic() > typed_at + AGAIN_S:
                typed_at = time.monotonic()
                self.type(again)
            return words in self._written[self._seen :]

        wait_for(written, lambda: f"{words!r} in {self._written[self._seen :]!r}")
        begin, self._seen = self._seen, self._written.index(words, self._seen) + len(words)
        return self._written[begin : self._seen]

    def exit_code(self) -> int:
        """Wait for its end; all that it has written is read then."""
        give_up = time.monotonic() + EXIT_S
        while self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
            else:
                assert time.monotonic() < give_up, f"it does not end; it wrote {self._written[-500:]!r}"
                time.sleep(0.02)
        self._reading.join(EXIT_S)
        return self._code

    @property
    def all(self) -> str:
        """All that was written."""
        return self._written

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a character may come in two reads
        while True:
            try:
                chunk = os.read(self._terminal, 65_536)
            except OSError:  # Linux: the other end is closed
                return
            if not chunk:
                return
            self._written += decoder.decode(chunk)
