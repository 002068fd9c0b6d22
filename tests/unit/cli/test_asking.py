"""`sql` the quick way: only what it surely understands, and then the same as the parser makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ecom_lite.cli import asking, verbs
from ecom_lite.cli.asking import Asked, understood

LINES = [
    ["SELECT 1"],
    [],
    ["-"],
    ["--json", "SELECT 1"],
    ["SELECT 1", "--json"],
    ["-f", "csv", "SELECT 1"],
    ["--format=csv", "SELECT 1"],
    ["--format", "nonsense", "SELECT 1"],
    ["-o", "a b.csv", "--limit", "5", "SELECT ';'"],
    ["--timeout", "1.5", "--data-dir", "x/y", "--config=c.toml", "SELECT 1"],
    ["--timeout=0", "SELECT 1", "--data-dir=x"],
    [""],
]
LONG_WAY = [
    ["--help"],
    ["SELECT 1", "SELECT 2"],
    ["--nonsense", "SELECT 1"],
    ["--format"],
    ["--format", "--json"],
    ["--format=", "SELECT 1"],
    ["-fcsv", "SELECT 1"],
    ["-f=csv", "SELECT 1"],
    ["--json=yes", "SELECT 1"],
    ["--limit", "0", "SELECT 1"],
    ["--limit", "-1", "SELECT 1"],
    ["--limit", "5.0", "SELECT 1"],
    ["--timeout", "-1", "SELECT 1"],
    ["--timeout", "nan", "SELECT 1"],
    ["--timeout", "1", "--timeout", "2", "SELECT 1"],
    ["--", "SELECT 1"],
    ["-j", "SELECT 1"],
]


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_it_understands_what_the_parser_does(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[Asked] = []

    def note(asked: Asked, *_: Any) -> None:
        parsed.append(asked)

    app = verbs()
    from ecom_lite.cli import ask

    monkeypatch.setattr(ask, "looked_for", lambda asked: None)
    monkeypatch.setattr(ask, "carry_out", note)
    done = CliRunner().invoke(app, ["sql", *words])
    assert done.exit_code == 0, done.output
    assert understood(words) == parsed[0]


@pytest.mark.parametrize("words", LONG_WAY, ids=" ".join)
def test_the_rest_is_the_parsers(words: list[str]) -> None:
    assert understood(words) is None


def test_where_nothing_is_known_nothing_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not asking.quickly(["SELECT 1"]) and not list(tmp_path.iterdir())
