"""The boards in another currency: every amount has its sign, and nothing else is changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecom_lite.dashboards.boards import load_boards
from ecom_lite.dashboards.currency import unit_of, write_boards
from ecom_lite.settings.bundled import bundled

BUNDLED = bundled("grafana") / "dashboards"


@pytest.mark.parametrize(
    ("currency", "unit"),
    [
        ("USD", "currencyUSD"),
        ("EUR", "currency:\N{EURO SIGN}"),
        ("JPY", "currency:\N{YEN SIGN}"),
        ("CHF", "currency:CHF\N{NO-BREAK SPACE}"),
    ],
)
def test_every_amount_of_the_boards_has_the_sign_of_the_currency(tmp_path: Path, currency: str, unit: str) -> None:
    write_boards(BUNDLED, tmp_path / "boards", currency)
    assert unit_of(currency) == unit
    amounts = 0
    for path in BUNDLED.glob("*.json"):
        bundled_text, written = path.read_text("utf-8"), (tmp_path / "boards" / path.name).read_text("utf-8")
        assert bundled_text.count('"currencyUSD"') == written.count(json.dumps(unit, ensure_ascii=False))
        amounts += bundled_text.count('"currencyUSD"')
        assert json.loads(written.replace(unit, "currencyUSD")) == json.loads(bundled_text)
    assert amounts > 0 and load_boards(tmp_path / "boards").keys() == load_boards(BUNDLED).keys()


def test_a_run_in_another_currency_writes_over_the_boards_of_the_one_before(tmp_path: Path) -> None:
    for currency in ("EUR", "GBP"):
        write_boards(BUNDLED, tmp_path, currency)
    assert "\N{EURO SIGN}" not in "".join(path.read_text("utf-8") for path in tmp_path.glob("*.json"))


def test_a_board_that_is_gone_is_not_shown_any_more(tmp_path: Path) -> None:
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "older.json").write_text("{}", "utf-8")
    write_boards(BUNDLED, tmp_path / "boards", "USD")
    assert {path.name for path in (tmp_path / "boards").iterdir()} == {path.name for path in BUNDLED.glob("*.json")}
