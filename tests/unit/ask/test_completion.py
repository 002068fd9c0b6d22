"""What Tab offers, by where the word stands. `|` is the cursor."""

from __future__ import annotations

import pytest

from ecom_lite.ask.catalogue import Catalogue
from ecom_lite.ask.completion import commands, completions

from .shop import CATALOGUE


def offered(line: str, catalogue: Catalogue = CATALOGUE) -> list[str]:
    """As readline cuts it: the word ends at the cursor."""
    typed, _, after = line.partition("|")
    word = typed[max(typed.rfind(sign) for sign in " ,;()=<>\n'") + 1 :]
    return completions(typed[: len(typed) - len(word)], word, after, catalogue)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sel|", ["select "]),
        ("SEL|", ["SELECT "]),
        ("de|", ["describe "]),
        ("FROM war|", ["warehouse."]),
        ("FROM ma|", ["marts."]),
        ("FROM |", ["fact_sales", "dim_category", "sales", "warehouse.", "marts.", "realtime.", "ops.", "memory.main."]),
        ("FROM marts.|", ["marts.daily_sales"]),
        ("from MARTS.D|", ["marts.daily_sales"]),
        ("FROM dim|", ["dim_category"]),
        ("FROM dead|", ["ops.dead_letters"]),
        ("FROM sales s, dim|", ["dim_category"]),
        ("FROM sales JOIN fa|", ["fact_sales"]),
        ("DESCRIBE dim|", ["dim_category"]),
        ("WITH big AS (SELECT 1) SELECT * FROM bi|", ["big"]),
        ("SELECT quan|", ["quantity"]),
        ("SELECT cat| FROM dim_category", ["category_key", "category"]),
        ("SELECT * FROM dim_category WHERE cat|", ["category_key", "category"]),
        ("SELECT dim_category.cat| FROM dim_category", ["dim_category.category_key", "dim_category.category"]),
        ("SELECT * FROM warehouse.dim_category AS d WHERE d.|", ["d.category_key", "d.category"]),
        ("SELECT d.category| FROM fact_sales f JOIN dim_category d USING (category_key)", ["d.category_key", "d.category"]),
        ("SELECT f.rev| FROM fact_sales f JOIN dim_category d USING (category_key)", ["f.revenue"]),
        ("SELECT warehouse.dim_category.category_|", ["warehouse.dim_category.category_key"]),
        ("SELECT revenue FROM sales gro|", ["group "]),
        ("SELECT sum(rev|) FROM sales", ["revenue"]),
        ("FROM ops.dead_letters WHERE Odd|", []),
        ("FROM marts.stg|", []),
        ("SELECT 'FROM |", []),
        ("FROM nowhere n WHERE n.|", []),
    ],
)  # fmt: skip
def test_what_a_word_may_become(line: str, words: list[str]) -> None:
    assert offered(line) == words


def test_without_a_warehouse_keywords_are_left() -> None:
    assert offered("FROM war|", Catalogue()) == []
    assert offered("SELECT 1 FROM x wher|", Catalogue()) == ["where "]


@pytest.mark.parametrize(
    ("before", "word", "words"),
    [
        ("", ".ta", [".tables "]),
        ("", ".t", [".tables ", ".timeout "]),
        (".schema ", "daily", ["marts.daily_sales"]),
        (".schema ", "marts.d", ["marts.daily_sales"]),
        (".tables ", "mar", ["marts"]),
        (".format ", "m", ["markdown"]),
        (".format ", "p", []),
        (".help ", "", []),
    ],
)
def test_what_a_command_may_become(before: str, word: str, words: list[str]) -> None:
    assert commands(before, word, CATALOGUE) == words
