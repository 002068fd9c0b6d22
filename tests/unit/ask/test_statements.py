"""What `sql` takes: one statement, whatever stands around it; or several, cut where each ends."""

from __future__ import annotations

import pytest

from ecom_lite.ask.statements import one_line, only, open_in, split
from ecom_lite.errors import UsageError


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "SELECT 1;",
        " SELECT 1 ;; -- and that is all; really",
        "/* first; */ SELECT 1",
        "SELECT ';', \"a;b\" FROM t",
        "SELECT 'é;' AS \"ü;\"",
        "SELECT $$a;b$$",
        "SELECT $x$a;$$;b$x$",
        "SELECT E'it\\';s', 'back\\'",
        "PIVOT marts.daily_sales ON category USING sum(revenue)",
        "SELEC nonsense",
    ],
)
def test_one_statement_is_taken(text: str) -> None:
    only(text)


@pytest.mark.parametrize("text", ["", "  ", ";", "-- only a remark", "/* ; */ ;"])
def test_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no SQL statement was given"):
        only(text)


@pytest.mark.parametrize("text", ["SELECT 1; SELECT 2", "SELECT 'é';SELECT 2;", "; SELECT 1;; FROM t -- x"])
def test_several_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="2 SQL statements were given: give one"):
        only(text)


@pytest.mark.parametrize(
    ("text", "complete", "rest"),
    [
        ("", [], ""),
        ("SELECT 1", [], "SELECT 1"),
        ("SELECT 1;", ["SELECT 1"], ""),
        ("SELECT 1; SELECT\n 2 ;\nSEL", ["SELECT 1", "SELECT\n 2"], "\nSEL"),
        ("SELECT ';' -- ;\n, 2; -- and that; is all", ["SELECT ';' -- ;\n, 2"], ""),
        ("; ;; /* ; */ ;", [], ""),
        ("SELECT 1; SELECT 'a;", ["SELECT 1"], " SELECT 'a;"),
        ('SELECT $$;$$; SELECT ";";', ["SELECT $$;$$", 'SELECT ";"'], ""),
        ("SELECT 1; /* not yet", ["SELECT 1"], " /* not yet"),
        ("SELECT 1 AS a$x$; FROM b AS c$x$", ["SELECT 1 AS a$x$"], " FROM b AS c$x$"),
        ("SELECT $1; SELECT 2$$;$$", ["SELECT $1"], " SELECT 2$$;$$"),
    ],
)
def test_a_text_is_cut_into_statements(text: str, complete: list[str], rest: str) -> None:
    assert split(text) == (complete, rest)


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("", ""), ("SELECT 1", ""), ("SELECT 'a'", ""), ("SELECT 'it''s", "'"), ("SELECT E'\\'", "'"), ('FROM "a', '"'),
        ("SELECT $$a", "$"), ("SELECT $x$ $$", "$"), ("/* a", "*"), ("/* a\n", "*"),
        ("SELECT $$a\n", "$"), ("/* a */", ""), ("-- it's", ""), ("-- it's\nSELECT '", "'"),
    ],
)  # fmt: skip
def test_what_a_text_ends_inside(text: str, mark: str) -> None:
    assert open_in(text) == mark


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("SELECT 1,\n   2", "SELECT 1, 2"),
        ("SELECT -- one\n 1 /* and */\n\t, 'a  -- b'", "SELECT 1 , 'a  -- b'"),
        ("-- first\nSELECT 'two\nlines'", "SELECT 'two\nlines'"),
    ],
)
def test_a_statement_on_one_line(text: str, line: str) -> None:
    assert one_line(text) == line
