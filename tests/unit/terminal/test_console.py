"""On a real terminal: styles by default, none with NO_COLOR or TERM=dumb; the words stay the same."""

from __future__ import annotations

import errno
import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ecom_lite.terminal.terminal import Terminal
from tests.terminals import until_closed

SHOWS = """
from ecom_lite.observe.status import PartStatus, RunStatus
from ecom_lite.terminal.printing import log_printer
from ecom_lite.terminal.terminal import Terminal
from ecom_lite.terminal.view import print_status
shown = Terminal()
shown.say("loud", "bold red")
shown.begin(["kafka"])
shown.heard("kafka", "ready", "2.1 s")
shown.banner(3.0, {"dashboards": "http://127.0.0.1:1/"})
shown.end()
bad = "\\x1b]0;owned\\x07\\u202e"
shown.say(f"said {bad}")
shown.heard("load", "died", f"died {bad}")
shown.banner(3.0, {"other": bad})
print_status(RunStatus(state="running", parts={"load": PartStatus(state="ready", ok=True, detail=f"detail {bad}")}), {})
log_printer(one=False)("kafka", "a line")
"""
STYLE = re.compile(rb"\x1b\[[0-9;]*m")
ANY = re.compile(rb"\x1b")


def on_a_terminal(**env: str) -> bytes:
    """All that the program writes to a pseudo-terminal."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM")}
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", SHOWS], cwd=Path(__file__).parents[3], stdin=theirs, stdout=theirs, stderr=theirs,
        env={**kept, "TERM": "xterm-256color", **env},
    )  # fmt: skip
    os.close(theirs)
    written = until_closed(ours)
    assert child.wait(60) == 0, written.decode()
    return written


class Gone(io.StringIO):
    """What was a terminal, or a pipe, or a file on a disk that is full now."""

    def __init__(self, error: int, terminal: bool) -> None:
        super().__init__()
        self._error, self._terminal = error, terminal

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        raise OSError(self._error, os.strerror(self._error))


@pytest.mark.parametrize(("error", "terminal"), [(errno.EIO, True), (errno.EPIPE, False), (errno.ENOSPC, False)])
def test_what_nobody_hears_ends_nothing(monkeypatch: pytest.MonkeyPatch, error: int, terminal: bool) -> None:
    """`ecom_lite run & disown`, and the terminal is closed: a part that dies later must be started again."""
    monkeypatch.setattr(sys, "stderr", Gone(error, terminal))
    talk = Terminal()
    talk.begin(["load"])
    talk.heard("load", "died", "it fell over")
    talk.alert("critical", "The loader is behind", "by a minute", fires=True)
    talk.banner(1.0, {"dashboards": "http://127.0.0.1:1/"})
    with talk.busy("waiting"):
        talk.doing("stopping")
    talk.end()


def test_a_terminal_gets_styles() -> None:
    assert len(STYLE.findall(on_a_terminal())) > 10


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}], ids=str)
def test_none_where_none_is_wanted(env: dict[str, str]) -> None:
    written = on_a_terminal(**env)
    assert STYLE.findall(written) == []
    for words in (b"loud", b"ecom_lite is ready after 3.0 s", b"http://127.0.0.1:1/", b"load", b"kafka      | a line"):
        assert words in written


def test_a_dumb_terminal_gets_plain_lines_and_no_sequence_at_all() -> None:
    written = on_a_terminal(TERM="dumb")
    assert not ANY.search(written) and b"kafka ready, 2.1 s" in written


@pytest.mark.parametrize("term", ["xterm-256color", "dumb"])
def test_what_a_part_says_does_not_act_on_the_terminal(term: str) -> None:
    written = on_a_terminal(TERM=term)
    assert b"\x1b]" not in written and "\u202e".encode() not in written and b"\x07" not in written
    plain = STYLE.sub(b"", written)
    for words in (b"said ", b"died ", b"other: " if term == "dumb" else b"other  ", b"detail "):
        assert words + rb"\x1b]0;owned" in plain


def test_an_empty_variable_wants_nothing() -> None:
    assert STYLE.search(on_a_terminal(NO_COLOR=""))
