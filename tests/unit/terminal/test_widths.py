"""The rules of every terminal: nothing wider, no colours with NO_COLOR, no sequence in a pipe, nothing redrawn in plain mode."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.terminals import until_closed

SHOWS = """
import time
from ecom_lite.observe.figures import AlertFigures
from ecom_lite.observe.status import PartStatus, RunStatus
from ecom_lite.terminal.printing import print_table
from ecom_lite.terminal.terminal import Terminal
from ecom_lite.terminal.view import print_status
status = RunStatus(
    state="running", sent=1_234_567, facts=1_200_000, other=30_000, dead=12, faults={"late": 0.05}, rate=5.0,
    alerts={"lag": AlertFigures(title="The loader is behind", severity="critical", state="firing", since="2026-11-28T12:00:00",
                                at="", told="71 s (fires above 60)")},
    parts={"kafka": PartStatus(state="ready", ok=True),
           "load": PartStatus(state="ready", restarts=2, detail="waits for postgres")},
)
shown = Terminal()
shown.begin(["kafka", "load"])
shown.heard("kafka", "ready", "2.1 s")
shown.banner(3.0, {"dashboards": "http://127.0.0.1:8100/", "postgres": "127.0.0.1:1, or `ecom_lite sql`"})
shown.update(status, [1.0, 2.0])
with shown.busy("asking the broker"):
    time.sleep(0.3)
shown.heard("load", "died", "load ended with exit code -9 while at work, and this is a long sentence about it")
shown.paragraph("Nobody does anything: the supervisor starts it again, and it goes on where the last commit was.")
shown.doing("taking the count")
shown.end()
shown.summary({"closes": True, "sent": 1_234_567, "restarts": {"load": 1}})
print_status(status, {"dashboards": "http://127.0.0.1:8100/"})
rows = [("ok", "count", "everything sent is accounted for", "1,234,567"), ("OPEN", "lake", "rows", "7")]
print_table(["", "check", "line", "left"], rows)
"""
SEQUENCE = re.compile("\x1b\\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile("\x1b\\[[0-9;]*m")
REDRAWS = re.compile("\x1b\\[[0-9;?]*[A-HJKhlsu]|\r(?!\n)")
SYMBOLS = re.compile("[●✔✘◌↻■▁-█·×…]")


def command() -> list[str]:
    return [sys.executable, "-c", SHOWS]


def environment(**env: str) -> dict[str, str]:
    left_out = ("NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM", "COLUMNS", "LINES", "ECOM_LITE_PLAIN")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**kept, "TERM": "xterm-256color", **env}


def on_a_terminal(columns: int, **env: str) -> str:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    child = subprocess.Popen(
        command(), cwd=Path(__file__).parents[3], stdin=theirs, stdout=theirs, stderr=theirs, env=environment(**env)
    )
    os.close(theirs)
    written = until_closed(ours).decode()
    assert child.wait(60) == 0, written
    return written


def lines(written: str) -> list[str]:
    """Without styles; what is written over an earlier line is a line of its own."""
    return SEQUENCE.sub("", REDRAWS.sub("\n", COLOUR.sub("", written))).replace("\r", "").splitlines()


@pytest.mark.parametrize("env", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}, {"ECOM_LITE_PLAIN": "1"}], ids=str)
@pytest.mark.parametrize("columns", [20, 40, 80])
def test_nothing_is_wider_than_the_terminal_but_a_word_that_is(columns: int, env: dict[str, str]) -> None:
    written = on_a_terminal(columns, **env)
    plain = "TERM" in env or "ECOM_LITE_PLAIN" in env
    wide = [line for line in lines(written) if len(line) > columns and (" " in line.strip() and "://" not in line)]
    if plain:  # a row of a table is one line there, which a terminal breaks as it likes
        wide = [line for line in wide if not line.startswith(("ok; ", "OPEN; "))]
    assert [line for line in wide if "ecom_lite sql" not in line] == [], "addresses may be copied whole"
    words = " ".join(" ".join(lines(written)).split())
    for said in ("ecom_lite is ready after 3.0 s", "it goes on where the last commit was.", "the count closes", "OPEN"):
        assert said in words


def test_no_colour_code_where_none_is_wanted_and_words_say_it_all() -> None:
    for columns in (40, 100):
        written = on_a_terminal(columns, NO_COLOR="1")
        assert not COLOUR.search(written) and "the count closes" in written and "OPEN" in written


@pytest.mark.parametrize("env", [{"ECOM_LITE_PLAIN": "1"}, {"TERM": "dumb"}], ids=str)
def test_plain_mode_redraws_nothing_and_has_words_for_symbols(env: dict[str, str]) -> None:
    written = on_a_terminal(100, **env)
    assert not SEQUENCE.search(written) and not REDRAWS.search(written) and not SYMBOLS.search(written)
    said = lines(written)
    for line in (
        "kafka ready, 2.1 s", "dashboards: http://127.0.0.1:8100/", "sent: 1,234,567 events, 0 a second", "kafka: ready",
        "load: ready but not well, started again 2 times: waits for postgres", "on purpose: late 5.0%",
    ):  # fmt: skip
        assert line in said
    assert any(line.startswith("alert (critical): The loader is behind") for line in said)


def test_in_plain_mode_a_row_of_a_table_is_one_line_that_names_its_cells() -> None:
    said = lines(on_a_terminal(200, ECOM_LITE_PLAIN="1"))
    assert "ok; check: count; line: everything sent is accounted for; left: 1,234,567" in said


def test_a_table_without_room_stands_upright() -> None:
    said = lines(on_a_terminal(40))
    assert "check: count" in said and "left: 1,234,567" in said
    assert any(line.startswith("      check  line") for line in lines(on_a_terminal(80)))


def test_a_pipe_gets_no_sequence_and_no_broken_line() -> None:
    done = subprocess.run(
        command(), cwd=Path(__file__).parents[3], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
        env=environment(),
    )  # fmt: skip
    assert done.returncode == 0 and "\x1b" not in done.stdout + done.stderr and "\r" not in done.stdout + done.stderr
    assert any(line.endswith("goes on where the last commit was.") and "Nobody" in line for line in done.stderr.splitlines())
    assert "ok    count  everything sent is accounted for  1,234,567" in done.stdout.splitlines()


def test_closed_standard_streams_break_nothing() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m ecom_lite --version <&- 2>&-', sys.executable], capture_output=True, text=True, timeout=120,
        cwd=Path(__file__).parents[3], env=environment(),
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.strip()
