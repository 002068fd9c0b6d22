"""A plan's texts, with the numbers of a run."""

from __future__ import annotations

import pytest

from ecom_lite.errors import TransformError
from ecom_lite.transform.plan import CUT, fill, has_tokens

TEXT = f"load_xid < {CUT} and load_xid >= taken:daily_sales::"


def test_numbers_take_the_place_of_tokens() -> None:
    assert has_tokens(TEXT) and not has_tokens("select 1")
    assert fill(TEXT, 70, {("daily_sales", ""): 50}) == "load_xid < 70 and load_xid >= 50"
    assert fill(TEXT, 50, {("daily_sales", ""): 50}) == "load_xid < 50 and load_xid >= 50"
    assert fill("taken:sales_by_attribute:channel:", 70, {}) == "0", "declared since: it takes in all facts"


@pytest.mark.parametrize(
    ("taken", "said"),
    [({}, "nothing says which facts it holds"), ({("daily_sales", ""): 71}, "daily_sales holds facts up to 71 already")],
)
def test_a_model_that_would_hold_a_fact_twice_is_refused(taken: dict[tuple[str, str], int], said: str) -> None:
    with pytest.raises(TransformError, match=said):
        fill(TEXT, 70, taken)
