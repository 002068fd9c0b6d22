"""Lines of a prompt or a file: which statements and commands they become, and what commands do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from ecom_lite.ask.answer import Wish
from ecom_lite.ask.asker import Asker
from ecom_lite.ask.catalogue import Catalogue
from ecom_lite.ask.lines import Lines, Part
from ecom_lite.ask.talk import Talk
from ecom_lite.errors import UsageError

from .shop import CATALOGUE


class Knowing:
    """What a command needs of an asker."""

    timeout_s = 30.0

    def catalogue(self) -> Catalogue:
        return CATALOGUE


@pytest.fixture
def talk() -> Talk:
    return Talk(cast(Asker, Knowing()), Wish(), print)


def parts(*lines: str) -> list[tuple[str, int, bool]]:
    made = Lines()
    found = [part for line in lines for part in made.feed(line)]
    return [(part.text, part.line, part.command) for part in [*found, *made.end()]]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["SELECT 1;"], [("SELECT 1", 1, False)]),
        (["SELECT 1"], [("SELECT 1", 1, False)]),
        (["SELECT", "", "1", ";"], [("SELECT\n\n1", 1, False)]),
        (["", "SELECT 1; SELECT", "2;", "SELECT 3;"], [("SELECT 1", 2, False), ("SELECT\n2", 2, False), ("SELECT 3", 4, False)]),
        (["SELECT ';", "';"], [("SELECT ';\n'", 1, False)]),
        (["SELECT 1 \\g", "SELECT '\\g", "';"], [("SELECT 1", 1, False), ("SELECT '\\g\n'", 2, False)]),
        ([".tables marts", "SELECT 1;"], [(".tables marts", 1, True), ("SELECT 1", 2, False)]),
        (["SELECT 1,", ".help", "2;"], [(".help", 2, True), ("SELECT 1,\n2", 1, False)]),
        (["FROM marts", ".daily_sales;"], [("FROM marts\n.daily_sales", 1, False)]),
        (["SELECT '", ".help", "';"], [("SELECT '\n.help\n'", 1, False)]),
        (["-- only", "/* remarks */"], []),
        (["quit", "SELECT 1 AS", "quit;"], [("quit", 1, True), ("SELECT 1 AS\nquit", 2, False)]),
        (["\\d sales", "\\q"], [("\\d sales", 1, True), ("\\q", 2, True)]),
        ([".5"], [(".5", 1, False)]),
    ],
)
def test_lines_become_statements_and_commands(lines: list[str], found: list[tuple[str, int, bool]]) -> None:
    assert parts(*lines) == found


def test_lines_know_what_is_open() -> None:
    lines = Lines()
    states = []
    for line in ("", "SELECT 1,", "'a", "b',", "/* c", "*/ 2", ";"):
        assert list(lines.feed(line)) == [] or line == ";"
        states.append((lines.begun, lines.open))
    assert states == [(False, ""), (True, ""), (True, "'"), (True, ""), (True, "*"), (True, ""), (False, "")]
    assert not list(lines.feed("SELECT"))
    lines.clear()
    assert [part.text for part in lines.feed("FROM x;")] == ["FROM x"]


def said(talk: Talk, capsys: pytest.CaptureFixture[str], *commands: str) -> Sequence[str]:
    for command in commands:
        talk.do(Part(command, 1, command=True))
    return capsys.readouterr().out.splitlines()


def test_tables_and_schema(talk: Talk, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(talk, capsys, ".tables")
    assert lines[0] == "warehouse: The star" and lines[1].split() == ["fact_sales", "5", "About", "fact_sales"]
    assert not [line for line in lines if "stg_" in line]
    assert said(talk, capsys, "\\dt") == lines == said(talk, capsys, "\\d")
    assert said(talk, capsys, ".tables marts")[1].split()[0] == "daily_sales"
    assert [line.split()[0] for line in said(talk, capsys, ".tables marts.daily_sales")] == ["marts", "daily_sales"]
    shown = said(talk, capsys, ".schema fact_sales;")
    assert shown[0] == "warehouse.fact_sales, about 5 rows. About fact_sales. And more."
    assert shown[1].split() == ["order_id", "bigint", "the", "order_id"] and shown[5].split()[1] == "bigint?"
    assert said(talk, capsys, "\\d daily_sales")[0].startswith("marts.daily_sales")


def test_settings_of_a_talk(talk: Talk, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(talk, capsys, ".format", ".format csv", ".format", ".timeout", ".timeout 5", ".timeout") == [
        "table",
        "csv",
        "30 s",
        "5 s",
    ]
    assert talk.wish.format == "csv" and talk.asker.timeout_s == 5
    help_ = said(talk, capsys, ".help")
    for name in (".tables", ".schema", ".format", ".timeout", ".help", ".quit", "Ctrl-C", "Tab"):
        assert [line for line in help_ if name in line], name


@pytest.mark.parametrize("word", [".quit", "\\q", "quit", "exit;", ".QUIT"])
def test_ways_to_leave(talk: Talk, word: str) -> None:
    talk.do(Part(word, 1, command=True))
    assert talk.over


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (".tabels", "no command .tabels; did you mean .tables?"),
        (".sch", "no command .sch; did you mean .schema?"),
        (".nonsense", "no command .nonsense; .help lists them"),
        ("\\x", "no command \\x; .help lists them"),
        (".schema", ".schema of which table? .tables lists them"),
        (".schema dayly_sales", "no table dayly_sales; did you mean marts.daily_sales?"),
        (".schema a b", "b: too many words; .schema TABLE"),
        (".tables marts.daily_sale", "no table marts.daily_sale; did you mean marts.daily_sales?"),
        (".tables martz", "no table has 'martz' in its name, and no schema is called so; did you mean marts?"),
        (".tables zzz", "no table has 'zzz' in its name, and no schema is called so; without a word all are listed"),
        (".format xml", "format xml: there is table"),
        (".format parquet", "Parquet is for a file"),
        (".timeout soon", ".timeout soon: give a number of seconds"),
        (".timeout -1", ".timeout -1: give"),
        (".timeout nan", ".timeout nan: give"),
    ],
)
def test_a_wrong_command_is_told_what_to_do(talk: Talk, command: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        talk.do(Part(command, 1, command=True))
    assert str(refused.value).startswith(words)
