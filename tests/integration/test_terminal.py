"""An event's text on a terminal: it cannot act there, and a pipe gets it to the byte."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecom_lite.settings.data_dir import LOGS
from ecom_lite.warehouse.connect import Address
from tests.runs import COMMAND, VERB_S
from tests.terminals import until_closed

OWNED = "\x1b]0;owned\x07"  # gives the terminal's window another title
SHOWN = r"\x1b]0;owned\x07"
TURNED = "\u202e"


class Looked:
    """A data folder whose `postgres.url` is a warehouse with such an order in it, and such a line in a log."""

    def __init__(self, data_dir: Path, warehouse: Address) -> None:
        passwords = data_dir / "passwords" / "roles.json"
        passwords.parent.mkdir(parents=True)
        passwords.write_text(json.dumps(dict(warehouse.passwords)))
        (data_dir / LOGS).mkdir()
        (data_dir / LOGS / "load.log").write_text(f"DETAIL:  Key (order_id)=({OWNED}) {TURNED}\x9b already exists.\n")
        (data_dir / LOGS / "kafka.log").write_text("2026-01-01 another part\n")
        url = f"postgresql://postgres:{warehouse.admin_password}@{warehouse.host}:{warehouse.port}/{warehouse.database}"
        self.env = {**os.environ, "TERM": "xterm-256color", "ECOM_LITE_POSTGRES__URL": url, "NO_COLOR": ""}
        self.data_dir = data_dir

    def command(self, arguments: tuple[str, ...]) -> list[str]:
        return [*COMMAND, *arguments, "--data-dir", str(self.data_dir)]

    def on_a_terminal(self, *arguments: str) -> str:
        ours, theirs = pty.openpty()
        child = subprocess.Popen(self.command(arguments), env=self.env, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        written = until_closed(ours)
        child.wait(VERB_S)
        return written.decode()

    def in_a_pipe(self, *arguments: str) -> str:
        return subprocess.run(self.command(arguments), env=self.env, capture_output=True, timeout=VERB_S).stdout.decode()


@pytest.fixture
def looked(warehouse: Address, data_dir: Path) -> Iterator[Looked]:
    with warehouse.connect("ecom_loader") as loader:
        loader.execute("INSERT INTO warehouse.dim_category (category) VALUES (%s)", [OWNED + TURNED])
        loader.execute(
            'INSERT INTO ops.dead_letters (topic, partition, "offset", reason, detail, error_class)'
            " VALUES ('ecommerce_events', 0, 1, 'bad_value', %s, '')",
            [f"order_id {OWNED}"],
        )
    yield Looked(data_dir, warehouse)


@pytest.mark.parametrize(
    "arguments",
    [
        ("sql", "SELECT category FROM dim_category"),
        ("sql", f"SELECT 1 AS \"{OWNED}\""),
        ("sql", f'SELECT "no_such_{OWNED}" FROM dim_category'),
        ("dead", "list"),
        ("logs",),
        ("logs", "load"),
        ("check", "--topic" + OWNED),
    ],
    ids=["a cell", "a column's name", "an error", "dead letters", "all logs", "one log", "a wrong option"],
)  # fmt: skip
def test_a_terminal_is_shown_what_an_event_holds_and_does_not_do_it(looked: Looked, arguments: tuple[str, ...]) -> None:
    written = looked.on_a_terminal(*arguments)
    assert SHOWN in written and OWNED not in written and "\x07" not in written
    assert TURNED not in written and "\x9b" not in written


def test_the_columns_of_a_table_stand_below_each_other_also_with_what_is_spelled_out(looked: Looked) -> None:
    written = looked.on_a_terminal("sql", "SELECT category, 'next' AS after FROM dim_category")
    lines = re.sub("\x1b\\[[0-9]*[A-Z]", "", written).splitlines()  # without what took the spinner away
    assert lines[-3].index("after") == lines[-1].index("next")


def test_a_terminal_has_our_own_colours_beside_it(looked: Looked) -> None:
    assert "\x1b[" in looked.on_a_terminal("logs") and "\x1b[" not in looked.in_a_pipe("logs")


def test_in_plain_mode_an_answer_s_row_is_one_line_that_names_its_cells(looked: Looked) -> None:
    looked.env["ECOM_LITE_PLAIN"] = "1"
    assert looked.in_a_pipe("sql", "SELECT 1 AS one, 'b' AS two UNION ALL SELECT 2, 'c'") == "one: 1; two: b\none: 2; two: c\n"


def test_a_pipe_gets_the_exact_bytes(looked: Looked) -> None:
    assert OWNED + TURNED in looked.in_a_pipe("sql", "SELECT category FROM dim_category")
    assert json.loads(looked.in_a_pipe("sql", "--json", "SELECT category FROM dim_category")) == {"category": OWNED + TURNED}
    assert f"({OWNED}) {TURNED}\x9b" in looked.in_a_pipe("logs", "load")
