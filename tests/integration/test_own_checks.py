"""A user's own checks: they only read, in the moment of the others, and whatever is wrong with them is said by file and place."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_lite.check.named import own_checks
from ecom_lite.check.reconcile import reconcile
from ecom_lite.check.verdict import Result
from ecom_lite.run.own_checks import OwnChecks
from ecom_lite.settings.load import load_settings
from ecom_lite.warehouse.connect import Address
from tests.runs import wait_for

from .facts import load, rows, some_lines


def taken(warehouse: Address, folder: Path, timeout_s: float = 10, **files: str) -> dict[str, Result]:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text, "utf-8")
    report = reconcile(warehouse, [], dict, producing=False, checks=own_checks(folder), own_timeout_s=timeout_s)
    return {result.check.name: result for result in report.results}


def test_equations_and_rows_that_differ(warehouse: Address, tmp_path: Path) -> None:
    load(warehouse, some_lines(30))
    found = taken(
        warehouse,
        tmp_path,
        same="-- left: lines\n-- right: thirty\nSELECT count(*) AS left, 30 AS right FROM warehouse.fact_sales;  -- done; so\n",
        none="SELECT order_id FROM warehouse.fact_sales WHERE order_id NOT LIKE 'o-%' OR quantity % 1 <> 0",
        all="-- severity: warning\n/* with one */ WITH f AS (SELECT order_id FROM warehouse.fact_sales) TABLE f",
        later="-- needs: marts.nowhere\nSELECT 1 FROM marts.nowhere",
    )
    assert {name: result.state for name, result in found.items()} == {
        "all": "fail", "later": "skipped", "none": "pass", "same": "pass"
    }  # fmt: skip
    assert str(found["same"].lines[0]) == "lines = thirty: 30 is not 30"
    assert found["all"].lines[0].left == 30 and len(found["all"].rows) == 10 and not found["all"].fails
    assert found["later"].reason == "marts.nowhere does not exist yet"


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("-- a comment\nSELECT 1\nFROM warehouse.fact_sales\nWHER quantity > 0", ", line 4: ", "syntax error at or near"),
        ("SELECT 1,\n  nope FROM warehouse.fact_sales", ", line 2: ", 'column "nope" does not exist'),
        ("SELECT 1 FROM warehouse.fact_sale", ", line 1: ", 'relation "warehouse.fact_sale" does not exist'),
        ("SELECT 1 / (SELECT count(*) FROM warehouse.fact_sales WHERE order_id = 'x')", ": ", "division by zero"),
        ("SELECT 1; SELECT 2", ": ", "cannot insert multiple commands"),
        ("COMMIT", ", line 1: ", "syntax error"),
        ("DELETE FROM warehouse.fact_sales", ", line 1: ", "syntax error"),
        ("WITH gone AS (DELETE FROM ops.shops RETURNING *) TABLE gone", ": ", "must not contain data-modifying statements"),
        ("SELECT nextval('warehouse.dim_user_user_key_seq')", ": ", "permission denied"),
        ("SELECT pg_read_file('/etc/hostname')", ": ", "permission denied"),
        ("SELECT pg_sleep(20)", ": ", "it took longer than check.timeout_s = 2"),
    ],
)
def test_what_is_wrong_is_said_by_file_and_place_and_the_next_one_still_runs(
    warehouse: Address, tmp_path: Path, text: str, place: str, reason: str
) -> None:
    timeout_s = 2 if "sleep" in text else 60  # a busy machine is slow with any
    found = taken(warehouse, tmp_path, timeout_s, a_wrong=text, b_right="SELECT 1 AS left, 1 AS right")
    wrong = found["a_wrong"]
    assert (wrong.state, found["b_right"].state) == ("error", "pass")
    assert wrong.told.startswith(f"{tmp_path / 'a_wrong.sql'}{place}") and reason in wrong.told, wrong.told
    assert "\n" not in wrong.told and wrong.fails


def test_one_that_needs_what_is_not_for_readers_leaves_the_others_alone(warehouse: Address, tmp_path: Path) -> None:
    found = taken(
        warehouse, tmp_path, a_wrong="-- needs: intermediate.int_returns\nSELECT 1", b_right="SELECT 1 AS left, 1 AS right"
    )
    assert found["a_wrong"].told == f"{tmp_path / 'a_wrong.sql'}: permission denied for schema intermediate"
    assert (found["a_wrong"].state, found["b_right"].state) == ("error", "pass")


def test_one_that_takes_too_long_leaves_the_others_their_own_time(warehouse: Address, tmp_path: Path) -> None:
    slow = "SELECT 1 AS left, 1 AS right FROM pg_sleep(0.6)"
    found = taken(warehouse, tmp_path, 7, **{f"slow{n}": slow for n in range(13)})
    assert {result.state for result in found.values()} == {"pass"}, "13 times 0.6 s is more than 7 s in all"
    assert len(found) == 13 and min(result.seconds for result in found.values()) >= 0.6


def test_a_run_takes_them_and_keeps_the_newest_result(
    warehouse: Address, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "checks"
    settings = load_settings(env={}, flags={"check.folder": folder, "check.every_s": 60})
    checks = OwnChecks(settings, lambda: warehouse)
    checks.take()
    assert checks.figures == {}, "no folder: nothing to do"
    folder.mkdir()
    (folder / "some.sql").write_text("SELECT 'empty' AS problem WHERE NOT EXISTS (SELECT FROM warehouse.fact_sales)")
    with caplog.at_level("INFO", "ecom_lite.check"):
        checks.take()
        first = checks.figures["some"]
        checks.take()
        load(warehouse, some_lines(3))
        checks.take()
    assert (first.state, first.severity) == ("fail", "error") and "problem empty" in first.told
    assert checks.figures["some"].state == "pass" and checks.figures["some"].at > first.at
    said = [record.message for record in caplog.records if record.name == "ecom_lite.check"]
    assert said == [f"check some fails: {first.told}", "check some passes again"]
    (folder / "some.sql").unlink()
    checks.take()
    assert checks.figures == {}


def test_no_session_stays_behind(warehouse: Address, tmp_path: Path) -> None:
    taken(warehouse, tmp_path, bad="SELECT nope", good="SELECT 1 AS left, 1 AS right")
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    wait_for(lambda: rows(warehouse, query) == [(0,)], "no session but the one that asks")
