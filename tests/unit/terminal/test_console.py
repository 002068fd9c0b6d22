"""On a real terminal: styles by default, none with NO_COLOR or TERM=dumb; the words stay the same."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

SHOWS = """
from ecom_lite.observe.status import PartStatus, RunStatus
from ecom_lite.terminal.printing import log_line
from ecom_lite.terminal.terminal import Terminal
from ecom_lite.terminal.view import print_status
shown = Terminal()
shown.say("loud", "bold red")
shown.begin(["kafka"])
shown.heard("kafka", "ready", "2.1 s")
shown.banner(3.0, {"dashboards": "http://127.0.0.1:1/"})
shown.end()
print_status(RunStatus(state="running", parts={"load": PartStatus(state="ready", ok=True)}), {})
print(log_line(one=False)("kafka", "a line"))
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
    written = b""
    try:
        while chunk := os.read(ours, 65_536):
            written += chunk
    except OSError:  # Linux: the other end is closed
        pass
    finally:
        os.close(ours)
    assert child.wait(30) == 0, written.decode()
    return written


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


def test_an_empty_variable_wants_nothing() -> None:
    assert STYLE.search(on_a_terminal(NO_COLOR=""))
