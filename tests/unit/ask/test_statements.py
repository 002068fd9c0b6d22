"""What `sql` takes: one statement, whatever stands around it."""

from __future__ import annotations

import pytest

from ecom_lite.ask.statements import only
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
