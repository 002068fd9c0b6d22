"""Which values a variable may have, what a query gets for them, and what an address asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import QueryParams

from ecom_lite.dashboards.board import Annotation, Board, Option, Query, Variable
from ecom_lite.dashboards.frames import Column, Frame
from ecom_lite.dashboards.marks import MAX_MARKS, marks_of
from ecom_lite.dashboards.values import MAX_CHARS, MAX_VALUES, NotAmong, options_of, values_of
from ecom_lite.dashboards.view import View, read_refresh_ms, read_view
from ecom_lite.errors import DashboardError

LIST = (Option("Books", "b"), Option("Toys", "t"))
CATEGORY = Variable("category", "Category", "query", True, True, "*", 0, ("$__all",), "SELECT 1")
ONE = replace(CATEGORY, name="one", multi=False, include_all=False, all_value=None, current=())
WHO = Variable("who", "Who", "textbox", False, False, None, 0, ("",))
BOARD = Board("b", "B", "", (), "browser", 5_000, "now-1h", "now", (), (CATEGORY, WHO), (), (), Path("b.json"))


@pytest.mark.parametrize(
    ("variable", "chosen", "values"),
    [
        (CATEGORY, (), ("*",)),
        (CATEGORY, ("$__all",), ("*",)),
        (CATEGORY, ("All",), ("*",)),
        (CATEGORY, ("$__all", "b"), ("*",)),
        (CATEGORY, ("t", "b", "t"), ("b", "t")),
        (replace(CATEGORY, all_value=None), ("$__all",), ("b", "t")),
        (ONE, (), ("b",)),
        (ONE, ("t",), ("t",)),
        (WHO, (), ("",)),
        (WHO, ('it\'s 5% \\ "x"',), ('it\'s 5% \\ "x"',)),
    ],
)
def test_values(variable: Variable, chosen: tuple[str, ...], values: tuple[str, ...]) -> None:
    assert values_of([variable], {variable.name: chosen}, lambda _: LIST) == {variable.name: values}


def test_all_asks_for_no_list_where_it_has_a_value_of_its_own() -> None:
    def lists(variable: Variable) -> tuple[Option, ...]:
        raise AssertionError(f"{variable.name}: its list was asked for")

    nothing: dict[str, tuple[str, ...]] = {}
    for chosen in (nothing, {**nothing, "category": ("$__all",)}):
        assert values_of([CATEGORY, WHO], chosen, lists) == {"category": ("*",), "who": ("",)}


def test_an_empty_list_gives_an_empty_text_and_all_may_be_a_value_itself() -> None:
    assert values_of([ONE], {}, lambda _: ()) == {"one": ("",)}
    named = (Option("All", "All"),)
    assert values_of([CATEGORY], {"category": ("All",)}, lambda _: named) == {"category": ("All",)}


@pytest.mark.parametrize(
    ("variable", "chosen", "words"),
    [
        (CATEGORY, ("Books",), "category = 'Books': it is not among the 2 values"),
        (CATEGORY, ("b", "t' OR 1=1"), "not among"),
        (CATEGORY, ("",), "not among"),
        (ONE, ("$__all",), "not among"),
        (ONE, ("b", "t"), "one has 2 values: it takes one"),
        (CATEGORY, ("b",) * (MAX_VALUES + 1), f"at most {MAX_VALUES}"),
        (WHO, ("x" * (MAX_CHARS + 1),), f"at most {MAX_CHARS} characters"),
        (WHO, ("a\0b",), "NUL"),
    ],
)
def test_values_that_are_refused(variable: Variable, chosen: tuple[str, ...], words: str) -> None:
    with pytest.raises(DashboardError, match=words.replace("|", "")) as error:
        values_of([variable], {variable.name: chosen}, lambda _: LIST)
    assert isinstance(error.value, NotAmong) == ("not among" in words)


def test_a_board_s_own_value_that_the_warehouse_has_not_yet_is_the_first_there_is() -> None:
    usual = replace(ONE, current=("g",))
    assert values_of([usual], {}, lambda _: LIST) == {"one": ("b",)}
    assert values_of([usual], {}, lambda _: (*LIST, Option("Games", "g"))) == {"one": ("g",)}
    with pytest.raises(NotAmong):
        values_of([usual], {"one": ("g",)}, lambda _: LIST)


def test_options_are_one_column_or_text_and_value() -> None:
    assert options_of(["name"], [["Books"], [None], [7], ["Books"]]) == (Option("Books", "Books"), Option("7", "7"))
    assert options_of(["__value", "__text"], [[1, "One"]]) == (Option("One", "1"),)
    with pytest.raises(DashboardError, match="__text and __value, not a, b"):
        options_of(["a", "b"], [])


def test_a_view_is_read_from_grafana_s_own_address() -> None:
    asked = QueryParams("from=now-6h&to=now&var-category=t&var-category=b&var-category=t&var-other=x&compare=previous")
    view = read_view(asked, BOARD)
    assert view == View("now-21600s", "now", (("category", ("b", "t")),), True)
    assert read_view(QueryParams(""), BOARD) == View("now-3600s", "now")
    assert read_view(QueryParams("var-who="), BOARD).values == {"who": ("",)}
    with pytest.raises(DashboardError, match="compare = 'yesterday'"):
        read_view(QueryParams("compare=yesterday"), BOARD)


def test_who_looks_may_redraw_less_often_and_never_more_often_than_the_board() -> None:
    found = [read_refresh_ms(QueryParams(text), BOARD) for text in ("", "refresh=1s", "refresh=30s", "refresh=9d")]
    assert found == [5_000, 5_000, 30_000, 3_600_000]
    with pytest.raises(DashboardError, match="often"):
        read_refresh_ms(QueryParams("refresh=often"), BOARD)


MARKS = Annotation("restarts", "red", True, Query("Anno", "SELECT 1", "table"))


def test_marks_are_moments_or_spans_in_order() -> None:
    columns = (Column("time", "time"), Column("timeEnd", "number"), Column("text", "string"), Column("tags", "string"))
    at = 1_776_747_677_000
    rows: list[list[Any]] = [[at + 1, at // 1000 + 2, "kafka", "a, b"], [at, None, None, None], [None, None, "never", ""]]
    late, early = reversed(marks_of(MARKS, Frame(columns, rows)))
    assert (early.at, early.end, early.text, early.tags) == (at, None, "", ())
    assert (late.at, late.end, late.text, late.tags) == (at + 1, at + 2_000, "kafka", ("a", "b"))
    assert (late.name, late.color) == ("restarts", "red")
    many = marks_of(MARKS, Frame(columns[:1], [[at + n] for n in range(MAX_MARKS + 5)]))
    assert len(many) == MAX_MARKS and many[-1].at == at + MAX_MARKS + 4  # the newest
    with pytest.raises(DashboardError, match="restarts needs a column named time"):
        marks_of(MARKS, Frame(columns[1:], []))
    with pytest.raises(DashboardError, match="not the text '2026-11-28'"):
        marks_of(MARKS, Frame((Column("time", "string"),), [["2026-11-28"]]))
